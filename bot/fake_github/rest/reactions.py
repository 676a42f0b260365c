"""Reactions to comments."""

from __future__ import annotations

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import ApiRequest, ApiResponse, Routes, invalid, not_found
from bot.fake_github.conversation import Reaction
from bot.fake_github.rest.comments import COMMENT, comment_of
from bot.fake_github.serializers.issues import REACTIONS, reaction_json

routes = Routes()


@routes.add("GET", f"{COMMENT}/reactions", Level.READ)
def list_reactions(request: ApiRequest) -> ApiResponse:
    """Answer the reactions to a comment."""
    content = request.query.get("content")
    reactions = [reaction for reaction in comment_of(request)[1].reactions if content in {None, reaction.content}]
    return request.page(reactions, lambda reaction: reaction_json(request.world, reaction))


@routes.add("POST", f"{COMMENT}/reactions", Level.READ)
def create_reaction(request: ApiRequest) -> ApiResponse:
    """React once: the same emoji of the same person answers 200 and the first one."""
    content, user, reactions = request.body.get("content"), request.user, comment_of(request)[1].reactions
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    for reaction in reactions:
        if reaction.user is user and reaction.content == content:
            return ApiResponse(reaction_json(request.world, reaction))
    reactions.append(Reaction(id=request.world.next_id(), user=user, content=content, created_at=now()))
    return ApiResponse(reaction_json(request.world, reactions[-1]), 201)


@routes.add("DELETE", f"{COMMENT}/reactions/{{reaction:int}}", Level.READ)
def delete_reaction(request: ApiRequest) -> ApiResponse:
    """Take back a reaction to a comment."""
    reactions = comment_of(request)[1].reactions
    for reaction in reactions:
        if reaction.id == request.number("reaction"):
            if reaction.user is not request.user:
                request.need(Level.ADMIN)
            reactions.remove(reaction)
            return ApiResponse(status=204)
    raise not_found()
