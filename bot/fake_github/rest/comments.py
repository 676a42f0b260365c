"""Comments on issues and pull requests."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiRequest, ApiResponse, Routes, invalid, not_found
from bot.fake_github.conversation import Comment, Issue
from bot.fake_github.events import comment_event
from bot.fake_github.rest.issues import ISSUE, ISSUES, issue_of, need_author_or
from bot.fake_github.serializers.issues import comment_json

routes = Routes()
COMMENT = f"{ISSUES}/comments/{{comment:int}}"
LONGEST = 65536


def comment_of(request: ApiRequest) -> tuple[Issue, Comment]:
    """Find the comment that the path names, with its issue."""
    for issue in request.repository.issues.values():
        for comment in issue.comments:
            if comment.id == request.number("comment"):
                return issue, comment
    raise not_found()


def _body(request: ApiRequest) -> str:
    body = request.text("body", "IssueComment")
    if len(body) > LONGEST:
        raise invalid("IssueComment", "body", "unprocessable", f"body is too long (maximum is {LONGEST} characters)")
    return body


@routes.add("GET", f"{ISSUE}/comments", Level.READ)
def list_comments(request: ApiRequest) -> ApiResponse:
    """Answer a conversation, oldest first."""
    issue, repository = issue_of(request), request.repository
    return request.page(issue.comments, lambda comment: comment_json(request.world, repository, issue, comment))


@routes.add("POST", f"{ISSUE}/comments", Level.READ)
def create_comment(request: ApiRequest) -> ApiResponse:
    """Comment on an issue or pull request."""
    issue, user, time = issue_of(request), request.user, now()
    comment = Comment(id=request.world.next_id(), user=user, body=_body(request), created_at=time, updated_at=time)
    issue.comments.append(comment)
    issue.updated_at = time
    comment_event(request.world, request.repository, issue, comment, "created", user)
    return ApiResponse(comment_json(request.world, request.repository, issue, comment), 201)


@routes.add("GET", COMMENT, Level.READ)
def get_comment(request: ApiRequest) -> ApiResponse:
    """Answer one comment."""
    return ApiResponse(comment_json(request.world, request.repository, *comment_of(request)))


@routes.add("PATCH", COMMENT, Level.READ)
def edit_comment(request: ApiRequest) -> ApiResponse:
    """Edit one's own comment, or any with write access."""
    issue, comment = comment_of(request)
    need_author_or(request, Level.WRITE, comment.user)
    changes = {"body": {"from": comment.body}}
    comment.body = _body(request)
    comment.updated_at = comment.edited_at = now()
    comment_event(request.world, request.repository, issue, comment, "edited", request.user, changes=changes)
    return ApiResponse(comment_json(request.world, request.repository, issue, comment))


@routes.add("DELETE", COMMENT, Level.READ)
def delete_comment(request: ApiRequest) -> ApiResponse:
    """Delete one's own comment, or any with write access."""
    issue, comment = comment_of(request)
    need_author_or(request, Level.WRITE, comment.user)
    issue.comments.remove(comment)
    comment_event(request.world, request.repository, issue, comment, "deleted", request.user)
    return ApiResponse(status=204)
