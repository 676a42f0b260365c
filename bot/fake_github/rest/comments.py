"""Comments on issues and pull requests."""

from __future__ import annotations

from datetime import datetime

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, invalid, not_found
from bot.fake_github.conversation import Comment, Issue
from bot.fake_github.events import comment_event
from bot.fake_github.rest.issues import ISSUE, ISSUES, issue_of, need_author_or
from bot.fake_github.serializers.issues import comment_json

routes = Routes()
COMMENT = f"{ISSUES}/comments/{{comment:int}}"
LONGEST = 65536


def comment_of(call: Call) -> tuple[Issue, Comment]:
    """Find the comment that the path names, with its issue."""
    for issue in call.repository.issues.values():
        for comment in issue.comments:
            if comment.id == call.number("comment"):
                return issue, comment
    raise not_found()


def _body(call: Call) -> str:
    body = call.text("body", "IssueComment")
    if len(body) > LONGEST:
        raise invalid("IssueComment", "body", "unprocessable", f"body is too long (maximum is {LONGEST} characters)")
    return body


@routes.add("GET", f"{ISSUE}/comments", Level.READ)
def list_comments(call: Call) -> Reply:
    """Answer a conversation, oldest first."""
    issue, since = issue_of(call), call.query.get("since")
    shown = [one for one in issue.comments if since is None or one.updated_at >= datetime.fromisoformat(since)]
    return call.page(shown, lambda one: comment_json(call.world, call.repository, issue, one))


@routes.add("GET", f"{ISSUES}/comments", Level.READ)
def list_all_comments(call: Call) -> Reply:
    """Answer every comment of the repository, oldest first."""
    pairs = [(issue, one) for issue in call.repository.issues.values() for one in issue.comments]
    pairs.sort(key=lambda pair: pair[1].id, reverse=call.query.get("direction") == "desc")
    return call.page(pairs, lambda pair: comment_json(call.world, call.repository, *pair))


@routes.add("POST", f"{ISSUE}/comments", Level.READ)
def create_comment(call: Call) -> Reply:
    """Comment. On a locked conversation only people with write access can."""
    issue, user = issue_of(call), call.user
    if issue.locked and call.level < Level.WRITE:
        raise Refusal(403, "Unable to create comment because issue is locked.")
    made = now()
    comment = Comment(id=call.world.next_id(), user=user, body=_body(call), created_at=made, updated_at=made)
    issue.comments.append(comment)
    issue.updated_at = made
    comment_event(call.world, call.repository, issue, comment, "created", user)
    return Reply(comment_json(call.world, call.repository, issue, comment), 201)


@routes.add("GET", COMMENT, Level.READ)
def get_comment(call: Call) -> Reply:
    """Answer one comment."""
    return Reply(comment_json(call.world, call.repository, *comment_of(call)))


@routes.add("PATCH", COMMENT, Level.READ)
def edit_comment(call: Call) -> Reply:
    """Edit one's own comment, or any with write access."""
    issue, comment = comment_of(call)
    need_author_or(call, Level.WRITE, comment.user)
    changes = {"body": {"from": comment.body}}
    comment.body = _body(call)
    comment.updated_at = comment.edited_at = now()
    comment_event(call.world, call.repository, issue, comment, "edited", call.user, changes=changes)
    return Reply(comment_json(call.world, call.repository, issue, comment))


@routes.add("DELETE", COMMENT, Level.READ)
def delete_comment(call: Call) -> Reply:
    """Delete one's own comment, or any with write access."""
    issue, comment = comment_of(call)
    need_author_or(call, Level.WRITE, comment.user)
    issue.comments.remove(comment)
    comment_event(call.world, call.repository, issue, comment, "deleted", call.user)
    return Reply(status=204)
