"""JSON for accounts, teams and Apps."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote

from bot.fake_github.accounts import App, Team, User
from bot.fake_github.api import Json
from bot.fake_github.github_state import World


def node_id(kind: str, number: int) -> str:
    """Return an opaque id such as GraphQL takes."""
    return f"{kind}_{base64.urlsafe_b64encode(f'{kind}:{number}'.encode()).decode().rstrip('=')}"


def stamp(date: datetime | None) -> str | None:
    """Write a time as GitHub does, in UTC."""
    return date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if date else None


def user_json(world: World, user: User) -> Json:
    """Return GitHub's `simple-user`."""
    api = f"{world.api}/users/{quote(user.login)}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("U", user.id),
        "avatar_url": f"{world.url}/-/avatar/{quote(user.login)}.svg",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.url}/{quote(user.login)}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": user.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def optional_user(world: World, user: User | None) -> Json | None:
    """Return GitHub's `nullable-simple-user`."""
    return user_json(world, user) if user else None


def full_user_json(world: World, user: User, *, private: bool) -> Json:
    """Return GitHub's `public-user`, or `private-user` for the account that asks about itself."""
    repositories = sum(repository.owner is user for repository in world.repositories.values())
    fields = user_json(world, user) | {
        "name": user.name,
        "company": None,
        "blog": "",
        "location": None,
        # What a bot commits with is no e-mail address (its brackets are not quoted), so GitHub shows none.
        "email": user.email if private and user.type != "Bot" else None,
        "hireable": None,
        "bio": None,
        "public_repos": repositories,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.created_at),
    }
    extra = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
    return fields | dict.fromkeys(extra, 0) | {"two_factor_authentication": False} if private else fields


def team_json(world: World, team: Team) -> Json:
    """Return GitHub's `team`."""
    url = f"{world.api}/organizations/{team.organization.id}/team/{team.id}"
    return {
        "id": team.id,
        "node_id": node_id("T", team.id),
        "name": team.slug,
        "slug": team.slug,
        "description": None,
        "privacy": "closed",
        "permission": "pull",
        "type": "organization",
        "organization_id": team.organization.id,
        "url": url,
        "html_url": f"{world.url}/orgs/{team.organization.login}/teams/{team.slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
    }


def app_json(world: World, app: App) -> Json:
    """Return GitHub's `integration`."""
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "client_id": f"Iv1.{app.id:016x}",
        "owner": user_json(world, app.owner),
        "name": app.name,
        "description": None,
        "external_url": app.external_url or world.url,
        "html_url": f"{world.url}/apps/{app.slug}",
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation_json(world: World, app: App, login: str) -> Json:
    """Return GitHub's `installation`, on an account."""
    account = world.ensure_user(login, "Organization")
    number = next(number for name, number in app.installations.items() if name.lower() == login.lower())
    url = f"{world.api}/app/installations/{number}"
    return {
        "id": number,
        "account": user_json(world, account),
        "repository_selection": "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": f"{world.url}/organizations/{account.login}/settings/installations/{number}",
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": dict(app.permissions),
        "events": list(app.events),
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }
