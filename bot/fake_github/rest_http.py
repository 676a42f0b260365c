"""From an HTTP request to an endpoint of `rest` and back.

Owns reading requests, choosing the endpoint, the access check and turning refusals into answers. Runs endpoints one at
a time under the world's lock, in a worker thread, because they wait for git.
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
from bot.fake_github.api import Call, Refusal, Reply, not_found
from bot.fake_github.authentication import identify
from bot.fake_github.git_store import GitRefused
from bot.fake_github.rest import TABLE
from bot.fake_github.state import Repository
from bot.fake_github.world import World

PREFIX = "/api/v3"


async def answer(world: World, request: Request) -> Response:
    """Answer one REST request."""
    raw = await request.body()
    return await run_in_threadpool(_answer, world, request, raw)


def _answer(world: World, request: Request, raw: bytes) -> Response:
    with world.lock:
        try:
            reply = _dispatch(world, request, raw)
        except Refusal as refusal:
            reply = Reply(refusal.body, refusal.status, refusal.headers)
        except GitRefused as refused:
            reply = Reply(Refusal(422, f"git refused: {refused}").body, 422)
    return response_of(reply)


def response_of(reply: Reply) -> Response:
    """Write an answer with GitHub's headers."""
    headers = {"X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Limit": "5000"}
    headers |= {"X-RateLimit-Remaining": "4999", "X-RateLimit-Resource": "core", **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers)
    text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), reply.status, headers, "application/json; charset=utf-8")


def _dispatch(world: World, request: Request, raw: bytes) -> Reply:
    token, app = identify(world, request.headers.get("authorization"))
    request.state.login = token.user.login if token else None
    path = request.scope["raw_path"].decode().removeprefix(PREFIX)
    for route in TABLE:
        fit = route.pattern.fullmatch(path)
        if fit and route.method == request.method:
            call = Call(
                world=world,
                method=request.method,
                path=path,
                params={name: unquote(text) for name, text in fit.groupdict().items()},
                query=dict(request.query_params),
                headers=request.headers,
                data=_json(raw),
                token=token,
                app=app,
            )
            _admit(call, route.level)
            reply = route.endpoint(call)
            return replace(reply, headers={**_scopes(token), **reply.headers})
    raise not_found()


def _scopes(token: Token | None) -> dict[str, str]:
    """Name a classic token's scopes, as GitHub does with every answer; other tokens have none to name."""
    if token is None or token.user.app is not None:
        return {}
    return {"X-OAuth-Scopes": "repo, workflow" if token.workflows else "repo"}


def _admit(call: Call, level: Level) -> None:
    """Find the repository of the path and check the access that the endpoint needs. Writing always needs a token."""
    if call.method not in {"GET", "HEAD"} and call.token is None and call.app is None:
        raise Refusal(401, "Requires authentication")
    if "repo" not in call.params or level is Level.NONE:
        return
    call.found = _repository_of(call)
    call.need(level)
    if call.found.archived and call.method not in {"GET", "HEAD"}:
        raise Refusal(403, "Repository was archived so is read-only.")


def _repository_of(call: Call) -> Repository:
    owner, name = call.params["owner"], call.params["repo"]
    repository = call.world.repository(owner, name)
    moved = call.world.moved_from(owner, name)
    if moved is not None:
        place = call.path.replace(f"/repos/{owner}/{name}", f"{call.world.api}/repos/{moved.full_name}", 1)
        raise Refusal(301 if call.method == "GET" else 307, "Moved Permanently", headers={"Location": place})
    if repository is None or call.level_on(repository) is Level.NONE:
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
        raise Refusal(400, "Problems parsing JSON") from None
