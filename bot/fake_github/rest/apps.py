"""GitHub Apps: their own view of themselves, and the tokens of their installation."""

from __future__ import annotations

from datetime import timedelta

from bot.fake_github.accounts import App, now
from bot.fake_github.api import Call, Refusal, Reply, Routes, not_found
from bot.fake_github.serializers.repositories import repository_json
from bot.fake_github.serializers.users import app_json, installation_json, stamp

routes = Routes()
_LIFETIME = timedelta(hours=1)


def _app(call: Call) -> App:
    if call.app is None:
        raise Refusal(401, "A JSON web token could not be decoded")
    return call.app


def _installation(call: Call) -> App:
    app = _app(call)
    if app.installation_id != call.number("installation"):
        raise not_found()
    return app


@routes.add("GET", "/app")
def get_app(call: Call) -> Reply:
    """Answer the App that asks."""
    return Reply(app_json(call.world, _app(call)))


@routes.add("GET", "/app/installations")
def list_installations(call: Call) -> Reply:
    """Answer where the App is installed."""
    return call.page([_app(call)], lambda app: installation_json(call.world, app))


@routes.add("GET", "/app/installations/{installation:int}")
def get_installation(call: Call) -> Reply:
    """Answer one installation."""
    return Reply(installation_json(call.world, _installation(call)))


@routes.add("GET", "/repos/{owner}/{repo}/installation")
def get_repository_installation(call: Call) -> Reply:
    """Answer the App's installation on a repository."""
    app = _app(call)
    if f"{call.params['owner']}/{call.params['repo']}".lower() not in {name.lower() for name in app.repositories}:
        raise not_found()
    return Reply(installation_json(call.world, app))


@routes.add("POST", "/app/installations/{installation:int}/access_tokens")
def create_installation_token(call: Call) -> Reply:
    """Make a token that lives one hour. `permissions` and `repositories` can only narrow what the App has."""
    app = _installation(call)
    wanted = dict(call.body.get("permissions") or app.permissions)
    if not wanted.items() <= app.permissions.items():
        raise Refusal(422, "The permissions requested are not granted to this installation.")
    names = call.body.get("repositories")
    narrowed = [one for one in app.repositories if names is None or one.partition("/")[2] in names]
    secret = call.world.issue_token(
        call.world.ensure_user(f"{app.slug}[bot]", "Bot"),
        workflows=wanted.get("workflows") == "write",
        repositories=tuple(name.lower() for name in narrowed),
        lifetime=_LIFETIME,
    )
    shape = {"token": secret, "expires_at": stamp(now() + _LIFETIME), "permissions": wanted}
    return Reply(shape | {"repository_selection": "selected"}, 201)


@routes.add("GET", "/installation/repositories")
def list_installation_repositories(call: Call) -> Reply:
    """Answer the repositories that an installation token reaches."""
    if call.user.app is None:
        raise Refusal(403, "You must authenticate with an installation access token in order to list repositories.")
    reached = (call.token.repositories if call.token else None) or ()
    known = [call.world.repositories[name] for name in reached if name in call.world.repositories]
    return call.page(known, lambda one: repository_json(call.world, one, call.user), "repositories")
