"""Who is who and who may what: accounts, collaborators, teams and limits."""

from __future__ import annotations

import time

from bot.fake_github.accounts import Level, Team, User
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.serializers.repositories import permissions_json, repository_json
from bot.fake_github.serializers.users import full_user_json, organization_json, team_full_json, user_json

routes = Routes()
REPO = "/repos/{owner}/{repo}"
_LEGACY = {"maintain": "write", "triage": "read"}
_ROLES = {"pull": Level.READ, "triage": Level.TRIAGE, "push": Level.WRITE, "maintain": Level.MAINTAIN}
_LIMIT = 5000


@routes.add("GET", "/user")
def get_own_account(call: Call) -> Reply:
    """Answer who the token stands for. An installation token stands for no account and is refused."""
    if call.user.app:
        raise Refusal(403, "Resource not accessible by integration")
    return Reply(full_user_json(call.world, call.user, private=True))


@routes.add("GET", "/users/{login}")
def get_account(call: Call) -> Reply:
    """Answer one account."""
    return Reply(full_user_json(call.world, _user_of(call, call.params["login"]), private=False))


@routes.add("GET", f"{REPO}/collaborators", Level.WRITE)
def list_collaborators(call: Call) -> Reply:
    """Answer the people with access of their own."""
    people = [(user, level) for login, level in call.repository.levels.items() if (user := call.world.user(login))]
    return call.page(people, lambda one: _collaborator(call, *one))


@routes.add("GET", f"{REPO}/collaborators/{{login}}", Level.READ)
def is_collaborator(call: Call) -> Reply:
    """Answer 204 for a collaborator, else 404."""
    if call.repository.levels.get(call.params["login"].lower(), Level.NONE) is Level.NONE:
        raise not_found()
    return Reply(status=204)


@routes.add("GET", f"{REPO}/collaborators/{{login}}/permission", Level.READ)
def get_permission(call: Call) -> Reply:
    """Answer a person's access: `permission` in GitHub's four old words, `role_name` exactly."""
    user = call.world.user(call.params["login"])
    if user is None:
        raise Refusal(404, f"{call.params['login']} is not a user")
    level = call.repository.level_of(user)
    role = level.name.lower()
    return Reply({"permission": _LEGACY.get(role, role), "role_name": role, "user": _collaborator(call, user, level)})


@routes.add("PUT", f"{REPO}/collaborators/{{login}}", Level.ADMIN)
def add_collaborator(call: Call) -> Reply:
    """Give a person access at once; there are no invitations here."""
    user = _user_of(call, call.params["login"])
    name = call.body.get("permission", "push")
    call.repository.levels[user.login.lower()] = _ROLES.get(name, Level.ADMIN)
    return Reply(status=204)


def _collaborator(call: Call, user: User, level: Level) -> dict[str, object]:
    return user_json(call.world, user) | {"role_name": level.name.lower(), "permissions": permissions_json(level)}


def _user_of(call: Call, login: str) -> User:
    user = call.world.user(login)
    if user is None:
        raise not_found()
    return user


# --- teams ------------------------------------------------------------------------------------------------------------

TEAM = "/orgs/{org}/teams/{slug}"


BY_ID = "/organizations/{org:int}/team/{slug:int}"


def _team_of(call: Call) -> Team:
    """Find a team by names, or by the numbers that stand in its own URL."""
    asked = (call.params["org"].lower(), call.params["slug"].lower())
    for names, team in call.world.teams.items():
        if asked in {names, (str(team.organization.id), str(team.id))} and call.token:
            return team
    raise not_found()


@routes.add("GET", "/orgs/{org}")
def get_organization(call: Call) -> Reply:
    """Answer one organization."""
    return Reply(organization_json(call.world, _user_of(call, call.params["org"])))


@routes.add("GET", f"{TEAM}/members")
@routes.add("GET", f"{BY_ID}/members")
def list_members(call: Call) -> Reply:
    """Answer a team's members."""
    return call.page(_team_of(call).members, lambda user: user_json(call.world, user))


@routes.add("GET", f"{TEAM}/memberships/{{login}}")
@routes.add("GET", f"{BY_ID}/memberships/{{login}}")
def get_membership(call: Call) -> Reply:
    """Answer a person's membership, or 404."""
    team, user = _team_of(call), _user_of(call, call.params["login"])
    if user not in team.members:
        raise not_found()
    url = f"{call.world.api}/organizations/{team.organization.id}/team/{team.id}/memberships/{user.login}"
    return Reply({"url": url, "role": "member", "state": "active"})


@routes.add("GET", TEAM)
@routes.add("GET", BY_ID)
def get_team(call: Call) -> Reply:
    """Answer one team."""
    return Reply(team_full_json(call.world, _team_of(call)))


@routes.add("GET", "/orgs/{org}/members/{login}")
def is_member(call: Call) -> Reply:
    """Answer 204 for somebody in any team of the organization, else 404."""
    org, login = call.params["org"].lower(), call.params["login"].lower()
    teams = [team for (owner, _), team in call.world.teams.items() if owner == org]
    if not any(user.login.lower() == login for team in teams for user in team.members):
        raise not_found()
    return Reply(status=204)


# --- limits -----------------------------------------------------------------------------------------------------------


@routes.add("GET", "/rate_limit")
def get_rate_limit(_call: Call) -> Reply:
    """Answer the limits, of which nothing is ever used up."""
    fresh = {"limit": _LIMIT, "used": 0, "remaining": _LIMIT, "reset": int(time.time()) + 3600}
    return Reply({"resources": {"core": fresh, "search": fresh, "graphql": fresh}, "rate": fresh})


@routes.add("GET", "/user/repos")
def list_own_repositories(call: Call) -> Reply:
    """Answer the repositories the caller may write to."""
    own = [one for one in call.world.repositories.values() if one.level_of(call.user) >= Level.WRITE]
    return call.page(own, lambda one: repository_json(call.world, one, call.user))
