"""The GraphQL endpoint: a query in, GitHub's `data` and `errors` out.

Owns the schema and the answer's form. GitHub answers 200 also where a query fails.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLFormattedError, build_schema, graphql_sync
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.fake_github.accounts import Level, now
from bot.fake_github.api import Refusal, Reply
from bot.fake_github.authentication import identify
from bot.fake_github.graphql import values
from bot.fake_github.graphql.mutations import Mutations
from bot.fake_github.graphql.nodes import Nodes, decoded, unknown
from bot.fake_github.graphql.paging import Values, refused
from bot.fake_github.rest_http import read_json, response_of
from bot.fake_github.serializers.users import stamp
from bot.fake_github.world import World

SDL = files("bot.fake_github.graphql").joinpath("schema.graphql").read_text()
_SCHEMA = build_schema(SDL)


async def answer(world: World, request: Request) -> Response:
    """Answer one GraphQL request."""
    raw = await request.body()
    return await run_in_threadpool(_answer, world, request, raw)


def _answer(world: World, request: Request, raw: bytes) -> Response:
    try:
        with world.lock:
            token, _ = identify(world, request.headers.get("authorization"))
            if token is None:
                raise Refusal(401, "This endpoint requires you to be authenticated.")
            request.state.login = token.user.login
            return response_of(_execute(Nodes(world, token), read_json(raw)))
    except Refusal as refusal:
        return response_of(Reply(refusal.body, refusal.status))
    except ValueError:
        return response_of(Reply(Refusal(400, "Problems parsing JSON").body, 400))


def _execute(nodes: Nodes, asked: dict[str, Any]) -> Reply:
    query, variables = str(asked.get("query") or ""), asked.get("variables") or {}
    root = _query(nodes) | Mutations(nodes).table()
    result = graphql_sync(_SCHEMA, query, root, variable_values=variables, operation_name=asked.get("operationName"))
    return Reply(_body(result))


def _body(result: ExecutionResult) -> Values:
    body: Values = {"data": result.data} if result.data is not None or not result.errors else {}
    if result.errors:
        body["errors"] = [_error_json(error) for error in result.errors]
    return body


def _error_json(error: GraphQLError) -> GraphQLFormattedError | Values:
    """Put `type` where GitHub has it: beside the message."""
    shape: Values = dict(error.formatted)
    kind = shape.pop("extensions", {}).get("type")
    return {"type": kind, **shape} if kind else shape


def _query(nodes: Nodes) -> Values:
    world = nodes.world
    limit = {"cost": 1, "limit": 5000, "remaining": 4999, "resetAt": stamp(now())}
    return {
        # Whatever the account is, GitHub's schema calls the viewer a User.
        "viewer": values.actor(world, nodes.token.user) | {"__typename": "User", "login": nodes.token.user.login},
        "rateLimit": lambda _info, **_: limit,
        "repository": lambda _info, owner, name: _repository(nodes, owner, name),
        "node": lambda _info, id: _node(nodes, id),  # noqa: A006 - GraphQL's own name for it
    }


def _repository(nodes: Nodes, owner: str, name: str) -> Values:
    found = nodes.world.repository(owner, name)
    if found is None or nodes.level(found) < Level.READ:
        raise refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return values.repository(nodes.world, found)


def _node(nodes: Nodes, node: str) -> Values:
    world, kind = nodes.world, decoded(node)[0]
    if kind == "PR":
        return values.pull_request(world, *nodes.pull(node))
    if kind == "PRRT":
        return values.thread(world, *nodes.thread(node))
    if kind == "IC":
        return values.comment(world, *nodes.comment(node))
    if kind == "R":
        return values.repository(world, nodes.repository(node))
    raise unknown(node)
