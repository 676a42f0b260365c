"""From an HTTP request to an endpoint of `rest` and back.

Reads the request, chooses the endpoint, checks the access and turns errors into answers. Endpoints run one at a time
under the world's lock, in a worker thread, because they wait for git.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.fake_github.accounts import Level, Token
from bot.fake_github.api import ApiError, ApiRequest, ApiResponse, not_found
from bot.fake_github.authentication import identify
from bot.fake_github.git_store import GitRejected
from bot.fake_github.github_state import World
from bot.fake_github.repository_records import Repository
from bot.fake_github.rest import TABLE

PREFIX = "/api/v3"


async def answer(world: World, request: Request) -> Response:
    """Answer one REST request."""
    raw = await request.body()
    return await run_in_threadpool(_answer, world, request, raw)


def _answer(world: World, request: Request, raw: bytes) -> Response:
    with world.lock:
        try:
            response = _dispatch(world, request, raw)
        except ApiError as error:
            response = ApiResponse(error.body, error.status, error.headers)
        except GitRejected as error:
            response = ApiResponse(ApiError(422, f"git refused: {error}").body, 422)
    return response_of(response)


def response_of(response: ApiResponse) -> Response:
    """Write an answer with GitHub's headers."""
    headers = {"X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Limit": "5000"}
    headers |= {"X-RateLimit-Remaining": "4999", "X-RateLimit-Resource": "core", **response.headers}
    if response.body is None:
        return Response(status_code=response.status, headers=headers)
    text = json.dumps(response.body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), response.status, headers, "application/json; charset=utf-8")


def _dispatch(world: World, request: Request, raw: bytes) -> ApiResponse:
    token, app = identify(world, request.headers.get("authorization"))
    request.state.login = token.user.login if token else None
    path = request.scope["raw_path"].decode().removeprefix(PREFIX)
    for route in TABLE:
        match = route.pattern.fullmatch(path)
        if match and route.method == request.method:
            api_request = ApiRequest(
                world=world,
                method=request.method,
                path=path,
                params={name: unquote(text) for name, text in match.groupdict().items()},
                query=dict(request.query_params),
                data=_json(raw),
                token=token,
                app=app,
            )
            _admit(api_request, route.level)
            response = route.endpoint(api_request)
            return replace(response, headers={**_scopes(token), **response.headers})
    raise not_found()


def _scopes(token: Token | None) -> dict[str, str]:
    """Name a classic token's scopes, as GitHub does with every answer; other tokens have none to name."""
    if token is None or token.user.app is not None or token.fine_grained:
        return {}
    return {"X-OAuth-Scopes": "repo, workflow" if token.workflows else "repo"}


def _admit(request: ApiRequest, level: Level) -> None:
    """Find the repository of the path and check the access that the endpoint needs. Writing always needs a token."""
    public = request.path.startswith("/app-manifests/")  # the code in the path is the credential
    if request.method != "GET" and request.token is None and request.app is None and not public:
        raise ApiError(401, "Requires authentication")
    if "repo" not in request.params or level is Level.NONE:
        return
    request.target = _repository_of(request)
    request.need(level)
    if request.target.archived and request.method != "GET":
        raise ApiError(403, "Repository was archived so is read-only.")


def _repository_of(request: ApiRequest) -> Repository:
    owner, name = request.params["owner"], request.params["repo"]
    repository, successor = request.world.repository(owner, name), request.world.successor(owner, name)
    if successor is not None:
        old, new = f"/repos/{owner}/{name}", f"{request.world.api}/repos/{successor.full_name}"
        status = 301 if request.method == "GET" else 307
        raise ApiError(status, "Moved Permanently", headers={"Location": request.path.replace(old, new, 1)})
    if repository is None or request.level_on(repository) is Level.NONE:
        raise not_found()
    return repository


def read_json(raw: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON; raises ValueError for what is none, and for a lone surrogate, which is no text."""
    data = json.loads(raw)
    json.dumps(data, ensure_ascii=False).encode()
    return data


def _json(raw: bytes) -> object:
    if not raw.strip():
        return {}
    try:
        return read_json(raw)
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None
