"""GraphQL connections: one page of a list, with cursors, and GitHub's demand that a page has a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLResolveInfo

Item = TypeVar("Item")
Values = dict[str, Any]
Connection = Callable[..., Values]
MOST = 100


def refused(kind: str, message: str) -> GraphQLError:
    """Return an error with GitHub's `type`."""
    return GraphQLError(message, extensions={"type": kind})


def connection(items: Sequence[Item], shape: Callable[[Item], Values]) -> Connection:
    """Return the resolver of a connection over items."""

    def resolve(
        info: GraphQLResolveInfo[Any],
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Values:
        size = first if first is not None else last
        field = info.field_name
        if size is None:
            message = f"You must provide a `first` or `last` value to properly paginate the `{field}` connection."
            raise refused("MISSING_PAGINATION_BOUNDARIES", message)
        if not 0 <= size <= MOST:
            message = (
                f"Requesting {size} records on the `{field}` connection exceeds the `first` limit of {MOST} records."
            )
            raise refused("EXCESSIVE_PAGINATION", message)
        start, stop = int(after or 0), int(before) - 1 if before else len(items)
        start, stop = (start, min(stop, start + size)) if first is not None else (max(start, stop - size), stop)
        shown = [shape(item) for item in items[start:stop]]
        page = {
            "startCursor": str(start + 1) if shown else None,
            "endCursor": str(stop) if shown else None,
            "hasNextPage": stop < len(items),
            "hasPreviousPage": start > 0,
        }
        return {"nodes": shown, "totalCount": len(items), "pageInfo": page}

    return resolve
