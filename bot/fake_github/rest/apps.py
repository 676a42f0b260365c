"""GitHub Apps: their own view of themselves, their installations, and the tokens of these."""

from __future__ import annotations

import secrets
from datetime import timedelta

from bot.fake_github.accounts import App, now
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, Routes, not_found
from bot.fake_github.app_registration import exchange
from bot.fake_github.serializers.hooks import app_config_json, delivery_json
from bot.fake_github.serializers.repositories import repository_json
from bot.fake_github.serializers.users import app_json, installation_json, stamp

routes = Routes()
_LIFETIME = timedelta(hours=1)


def _app(request: ApiRequest) -> App:
    if request.app is None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return request.app


@routes.add("GET", "/app")
def get_app(request: ApiRequest) -> ApiResponse:
    """Answer the App that asks."""
    return ApiResponse(app_json(request.world, _app(request)))


@routes.add("GET", "/app/hook/config")
def get_hook_config(request: ApiRequest) -> ApiResponse:
    """Answer where the App's events are sent."""
    return ApiResponse(app_config_json(_app(request)))


@routes.add("GET", "/app/hook/deliveries")
def list_hook_deliveries(request: ApiRequest) -> ApiResponse:
    """Answer what was sent to the App, the newest first. GitHub pages by a cursor here; all fit on one page."""
    app = _app(request)
    ended = [
        delivery for delivery in request.world.outbox.deliveries() if delivery.done and delivery.hook.app_id == app.id
    ]
    return ApiResponse([delivery_json(number, delivery) for number, delivery in reversed(list(enumerate(ended, 1)))])


@routes.add("POST", "/app-manifests/{code}/conversions")
def convert_manifest(request: ApiRequest) -> ApiResponse:
    """Give an App's secrets to who has the code of its registration. The code is the credential, and works once."""
    registration = exchange(request.world, request.params["code"])
    if registration is None:
        raise not_found()
    app = registration.app
    secret = {"client_secret": secrets.token_hex(20), "webhook_secret": app.webhook_secret or None}
    return ApiResponse(app_json(request.world, app) | secret | {"pem": registration.private_key}, 201)


@routes.add("GET", "/repos/{owner}/{repo}/installation")
def get_repository_installation(request: ApiRequest) -> ApiResponse:
    """Answer the App's installation on a repository."""
    app, name = _app(request), f"{request.params['owner']}/{request.params['repo']}".lower()
    if name not in {repository.lower() for repository in app.repositories}:
        raise not_found()
    return ApiResponse(installation_json(request.world, app, request.params["owner"]))


@routes.add("GET", "/app/installations")
def list_installations(request: ApiRequest) -> ApiResponse:
    """Answer where the App is installed."""
    app = _app(request)
    return request.page(app.installations, lambda login: installation_json(request.world, app, login))


@routes.add("GET", "/installation/repositories")
def list_installation_repositories(request: ApiRequest) -> ApiResponse:
    """Answer the repositories that the token of an installation reaches."""
    token = request.token
    if token is None or token.repositories is None or not token.user.app:
        raise ApiError(403, "You must authenticate with an installation access token in order to list repositories")
    reached = [request.world.repositories[name] for name in token.repositories if name in request.world.repositories]
    return request.page(
        reached, lambda repository: repository_json(request.world, repository, request.user), "repositories"
    )


@routes.add("POST", "/app/installations/{installation:int}/access_tokens")
def create_installation_token(request: ApiRequest) -> ApiResponse:
    """Make a token that lives one hour and may do all that the App may."""
    app = _app(request)
    login = app.account_of(request.number("installation"))
    if login is None:
        raise not_found()
    secret = request.world.issue_token(
        request.world.ensure_user(f"{app.slug}[bot]", "Bot"),
        workflows=app.permissions.get("workflows") == "write",
        repositories=tuple(name.lower() for name in app.repositories_of(login)),
        lifetime=_LIFETIME,
    )
    body = {"token": secret, "expires_at": stamp(now() + _LIFETIME), "permissions": dict(app.permissions)}
    return ApiResponse(body | {"repository_selection": "selected"}, 201)
