"""Reactions to issues, comments and review comments."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.conversation import Reaction
from bot.fake_github.rest.comments import COMMENT, comment_of
from bot.fake_github.rest.issues import ISSUE, issue_of
from bot.fake_github.rest.reviews import REVIEW_COMMENT, review_comment_of
from bot.fake_github.serializers.issues import REACTIONS, reaction_json

routes = Routes()


def _list(call: Call, reactions: list[Reaction]) -> Reply:
    wanted = call.query.get("content")
    shown = [one for one in reactions if wanted in {None, one.content}]
    return call.page(shown, lambda one: reaction_json(call.world, one))


def _create(call: Call, reactions: list[Reaction]) -> Reply:
    """React once: the same emoji of the same person answers 200 and the first one."""
    content, user = call.body.get("content"), call.user
    if content not in REACTIONS:
        raise Refusal(422, "Validation Failed", [{"resource": "Reaction", "code": "invalid", "field": "content"}])
    for one in reactions:
        if one.user is user and one.content == content:
            return Reply(reaction_json(call.world, one))
    made = Reaction(id=call.world.next_id(), user=user, content=content, created_at=now())
    reactions.append(made)
    return Reply(reaction_json(call.world, made), 201)


def _delete(call: Call, reactions: list[Reaction]) -> Reply:
    for one in reactions:
        if one.id == call.number("reaction"):
            if one.user is not call.user:
                call.need(Level.ADMIN)
            reactions.remove(one)
            return Reply(status=204)
    raise not_found()


@routes.add("GET", f"{ISSUE}/reactions", Level.READ)
def list_for_issue(call: Call) -> Reply:
    """Answer the reactions to an issue."""
    return _list(call, issue_of(call).reactions)


@routes.add("POST", f"{ISSUE}/reactions", Level.READ)
def create_for_issue(call: Call) -> Reply:
    """React to an issue."""
    return _create(call, issue_of(call).reactions)


@routes.add("DELETE", f"{ISSUE}/reactions/{{reaction:int}}", Level.READ)
def delete_for_issue(call: Call) -> Reply:
    """Take back a reaction to an issue."""
    return _delete(call, issue_of(call).reactions)


@routes.add("GET", f"{COMMENT}/reactions", Level.READ)
def list_for_comment(call: Call) -> Reply:
    """Answer the reactions to a comment."""
    return _list(call, comment_of(call)[1].reactions)


@routes.add("POST", f"{COMMENT}/reactions", Level.READ)
def create_for_comment(call: Call) -> Reply:
    """React to a comment."""
    return _create(call, comment_of(call)[1].reactions)


@routes.add("DELETE", f"{COMMENT}/reactions/{{reaction:int}}", Level.READ)
def delete_for_comment(call: Call) -> Reply:
    """Take back a reaction to a comment."""
    return _delete(call, comment_of(call)[1].reactions)


@routes.add("GET", f"{REVIEW_COMMENT}/reactions", Level.READ)
def list_for_review_comment(call: Call) -> Reply:
    """Answer the reactions to a review comment."""
    return _list(call, review_comment_of(call)[1].reactions)


@routes.add("POST", f"{REVIEW_COMMENT}/reactions", Level.READ)
def create_for_review_comment(call: Call) -> Reply:
    """React to a review comment."""
    return _create(call, review_comment_of(call)[1].reactions)
