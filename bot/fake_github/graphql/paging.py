"""GraphQL connections: one page of a list, with a cursor, and GitHub's demand that a page has a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLResolveInfo

Item = TypeVar("Item")
Values = dict[str, Any]
Connection = Callable[..., Values]
_LARGEST_PAGE = 100


def rejection(kind: str, message: str) -> GraphQLError:
    """Return an error with GitHub's `type`."""
    return GraphQLError(message, extensions={"type": kind})


def connection(items: Sequence[Item], values_of: Callable[[Item], Values]) -> Connection:
    """Return the resolver of a connection over items."""

    def resolve(info: GraphQLResolveInfo[Any], first: int | None = None, after: str | None = None) -> Values:
        field = f"the `{info.field_name}` connection"
        if first is None:
            message = f"You must provide a `first` or `last` value to properly paginate {field}."
            raise rejection("MISSING_PAGINATION_BOUNDARIES", message)
        if not 0 <= first <= _LARGEST_PAGE:
            message = f"Requesting {first} records on {field} exceeds the `first` limit of {_LARGEST_PAGE} records."
            raise rejection("EXCESSIVE_PAGINATION", message)
        start = int(after or 0)
        stop = min(len(items), start + first)
        page = {"endCursor": str(stop) if stop > start else None, "hasNextPage": stop < len(items)}
        return {"nodes": [values_of(item) for item in items[start:stop]], "pageInfo": page}

    return resolve
