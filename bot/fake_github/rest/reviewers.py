"""Requests to review a pull request."""

from __future__ import annotations

from bot.fake_github.accounts import Level, Team, User
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes
from bot.fake_github.conversation import Issue
from bot.fake_github.events import pull_request_event
from bot.fake_github.rest.pulls import PULL, pull_of_request
from bot.fake_github.serializers.pulls import pull_json
from bot.fake_github.serializers.users import user_json

routes = Routes()


@routes.add("POST", f"{PULL}/requested_reviewers", Level.WRITE)
def request_reviewers(request: ApiRequest) -> ApiResponse:
    """Ask people and teams. Refuses the author and people without access, as GitHub does."""
    issue, pull = pull_of_request(request)
    users = [_reviewer(request, issue, login) for login in request.body.get("reviewers", [])]
    teams = [_team(request, slug) for slug in request.body.get("team_reviewers", [])]
    for user in users:
        if user not in pull.requested_reviewers:
            pull.requested_reviewers.append(user)
            details = {"requested_reviewer": user_json(request.world, user)}
            pull_request_event(request.world, request.repository, issue, "review_requested", request.user, **details)
    pull.requested_teams += [team for team in teams if team not in pull.requested_teams]
    return ApiResponse(pull_json(request.world, request.repository, issue), 201)


def _reviewer(request: ApiRequest, issue: Issue, login: str) -> User:
    user, repository = request.world.user(login), request.repository
    if user is issue.user:
        raise ApiError(422, "Review cannot be requested from pull request author.")
    if user is None or not (user is repository.owner or repository.levels.get(login.lower())):
        kind = "collaborators" if user else "users"
        raise ApiError(
            422,
            f"Reviews may only be requested from {kind}. One or more of the users or teams you "
            f"specified is not a {kind.removesuffix('s')} of the {repository.full_name} repository.",
        )
    return user


def _team(request: ApiRequest, slug: str) -> Team:
    team = request.world.teams.get((request.repository.owner.login.lower(), slug.lower()))
    if team is None:
        raise ApiError(422, "Could not resolve to a node with the global id of the team.")
    return team
