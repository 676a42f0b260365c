"""The two pages on which a person registers a GitHub App from a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.fake_github.accounts import User
from bot.fake_github.app_registration import ManifestRefused, read_manifest, redirection, register
from bot.fake_github.github_state import World
from bot.fake_github.pages import views

# GitHub's page leads on to the address in the manifest, so its form may lead anywhere.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'",
    "Referrer-Policy": "no-referrer",
}


def routes(world: World) -> list[Route]:
    """Return the pages' routes, for a person's own account and for an organization's."""

    async def ask(request: Request) -> Response:
        return _answer(world, request, await _form(request), confirmed=False)

    async def confirm(request: Request) -> Response:
        return _answer(world, request, await _form(request), confirmed=True)

    prefixes = ("/settings/apps", "/organizations/{organization}/settings/apps")
    return [
        Route(f"{prefix}{path}", endpoint, methods=["POST"])
        for prefix in prefixes
        for path, endpoint in (("/new", ask), ("", confirm))
    ]


async def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


def _answer(world: World, request: Request, form: Mapping[str, str], *, confirmed: bool) -> Response:
    with world.lock:
        try:
            return _register(world, request, form) if confirmed else _ask(world, request, form)
        except ManifestRefused as error:
            return _page("missing.html", 422, missing=str(error), url=world.url)


def _ask(world: World, request: Request, form: Mapping[str, str]) -> Response:
    _owner(world, request)
    manifest = read_manifest(form.get("manifest", ""))
    action = request.url.path.removesuffix("/new")
    values = {"manifest": form["manifest"], "app_name": str(manifest.get("name", "")), "action": action}
    return _page("register_app.html", 200, state=request.query_params.get("state", ""), url=world.url, **values)


def _register(world: World, request: Request, form: Mapping[str, str]) -> Response:
    manifest = read_manifest(form.get("manifest", ""))
    code = register(world, _owner(world, request), form.get("name", ""), manifest)
    return RedirectResponse(redirection(manifest, code, form.get("state", "")), 302)


def _owner(world: World, request: Request) -> User:
    if world.visitor is None:
        raise ManifestRefused("page without a sign-in")
    organization = request.path_params.get("organization")
    owner = world.user(organization) if organization else world.visitor
    if owner is None:
        raise ManifestRefused(f"organization {organization}")
    return owner


def _page(template: str, status: int, **values: str) -> Response:
    return HTMLResponse(views.render(template, **values), status, headers=_HEADERS)
