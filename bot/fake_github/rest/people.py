"""Accounts, people's access to a repository, and membership of teams."""

from __future__ import annotations

from bot.fake_github.accounts import Level, User
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, not_found
from bot.fake_github.serializers.repositories import permissions_json
from bot.fake_github.serializers.users import full_user_json, user_json

routes = Routes()
_OLD_WORDS = {"maintain": "write", "triage": "read"}


@routes.add("GET", "/user")
def get_own_account(request: ApiRequest) -> ApiResponse:
    """Answer who the token stands for. An installation token stands for no account and is refused."""
    if request.user.app:
        raise ApiError(403, "Resource not accessible by integration")
    return ApiResponse(full_user_json(request.world, request.user, private=True))


@routes.add("GET", "/users/{login}")
def get_account(request: ApiRequest) -> ApiResponse:
    """Answer one account."""
    return ApiResponse(full_user_json(request.world, _user_of(request), private=False))


@routes.add("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", Level.READ)
def get_permission(request: ApiRequest) -> ApiResponse:
    """Answer a person's access: `permission` in GitHub's four old words, `role_name` exactly."""
    user = request.world.user(request.params["login"])
    if user is None:
        raise ApiError(404, f"{request.params['login']} is not a user")
    level = request.repository.level_of(user)
    role = level.name.lower()
    collaborator = user_json(request.world, user) | {"role_name": role, "permissions": permissions_json(level)}
    return ApiResponse({"permission": _OLD_WORDS.get(role, role), "role_name": role, "user": collaborator})


@routes.add("GET", "/orgs/{org}/teams/{slug}/memberships/{login}")
def get_membership(request: ApiRequest) -> ApiResponse:
    """Answer a person's membership of a team, or 404."""
    team = request.world.teams.get((request.params["org"].lower(), request.params["slug"].lower()))
    user = _user_of(request)
    if team is None or request.token is None or user not in team.members:
        raise not_found()
    url = f"{request.world.api}/organizations/{team.organization.id}/team/{team.id}/memberships/{user.login}"
    return ApiResponse({"url": url, "role": "member", "state": "active"})


def _user_of(request: ApiRequest) -> User:
    user = request.world.user(request.params["login"])
    if user is None:
        raise not_found()
    return user
