"""The GraphQL endpoint. It answers a query with GitHub's `data` and `errors`, and with 200 even if the query fails."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLFormattedError, GraphQLSchema, build_schema, graphql_sync
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.fake_github.accounts import Level
from bot.fake_github.api import ApiError, ApiResponse
from bot.fake_github.authentication import identify
from bot.fake_github.github_state import World
from bot.fake_github.graphql.mutations import Mutations
from bot.fake_github.graphql.nodes import Nodes
from bot.fake_github.graphql.paging import Values, rejection
from bot.fake_github.graphql.values import Viewer, actor
from bot.fake_github.rest_http import read_json, response_of

SDL = files("bot.fake_github.graphql").joinpath("schema.graphql").read_text()
_UNKNOWN_FIELD = re.compile(r"Cannot query field '(?P<field>\w+)' on type '(?P<type>\w+)'")


@cache
def schema_without(fields: frozenset[str]) -> GraphQLSchema:
    """Return the schema of a server that lacks these fields (`Type.field`), as an older GitHub Enterprise Server."""
    schema = build_schema(SDL)
    for name in fields:
        kind, _, field = name.partition(".")
        del schema.type_map[kind].fields[field]  # type: ignore[attr-defined]
    return schema


async def answer(world: World, request: Request) -> Response:
    """Answer one GraphQL request."""
    raw = await request.body()
    return await run_in_threadpool(_answer, world, request, raw)


def _answer(world: World, request: Request, raw: bytes) -> Response:
    try:
        with world.lock:
            token, _ = identify(world, request.headers.get("authorization"))
            if token is None:
                raise ApiError(401, "This endpoint requires you to be authenticated.")
            request.state.login = token.user.login
            return response_of(ApiResponse(_execute(Nodes(world, token), read_json(raw))))
    except ApiError as error:
        return response_of(ApiResponse(error.body, error.status))
    except ValueError:
        return response_of(ApiResponse(ApiError(400, "Problems parsing JSON").body, 400))


def _execute(nodes: Nodes, request: dict[str, Any]) -> Values:
    query, variables = str(request.get("query") or ""), request.get("variables") or {}
    root = {
        "repository": lambda _info, owner, name, **_: _repository(nodes, owner, name),
        "node": lambda _info, id: _node(nodes, id),  # noqa: A006 - GraphQL's own name for it
        "user": lambda _info, login: _user(nodes, login),
    } | Mutations(nodes).table()
    return _body(graphql_sync(schema_without(nodes.world.missing_fields), query, root, variable_values=variables))


def _body(result: ExecutionResult) -> Values:
    body: Values = {"data": result.data} if result.data is not None or not result.errors else {}
    if result.errors:
        body["errors"] = [_error_json(error) for error in result.errors]
    return body


def _error_json(error: GraphQLError) -> GraphQLFormattedError | Values:
    """Put `type` where GitHub has it: beside the message. A field that the schema lacks is told in GitHub's words."""
    fields: Values = dict(error.formatted)
    unknown = _UNKNOWN_FIELD.match(error.message)
    if unknown:
        kind, field = unknown["type"], unknown["field"]
        code = {"code": "undefinedField", "typeName": kind, "fieldName": field}
        return fields | {"message": f"Field '{field}' doesn't exist on type '{kind}'", "extensions": code}
    kind = fields.pop("extensions", {}).get("type")
    return {"type": kind, **fields} if kind else fields


def _repository(nodes: Nodes, owner: str, name: str) -> Values:
    repository = nodes.world.repository(owner, name) or nodes.world.successor(owner, name)
    if repository is None or nodes.level(repository) < Level.READ:
        raise rejection("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return Viewer(nodes.world, nodes.token.user).repository(repository)


def _user(nodes: Nodes, login: str) -> Values:
    user = nodes.world.user(login)
    if user is None or user.type != "User":
        raise rejection("NOT_FOUND", f"Could not resolve to a User with the login of '{login}'.")
    return actor(user)


def _node(nodes: Nodes, node: str) -> Values:
    viewer = Viewer(nodes.world, nodes.token.user)
    if nodes.kind(node) == "IC":
        return viewer.comment(nodes.comment(node))
    return viewer.pull_request(*nodes.pull(node))
