"""Parses the body of a webhook delivery, and first refuses any body that GitHub would not send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# GitHub's own limit: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap
LARGEST_BODY = 25 * 1024 * 1024
# GitHub's payloads are at most 10 deep. Python's own limit depends on how deep the caller is.
_DEEPEST = 100


def parse_payload(body: bytes) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: it is no JSON object in UTF-8, or one that readers disagree on: NaN, a name twice, half a surrogate
            pair, a number of thousands of digits, or hundreds of levels.
    """
    try:
        text = body.decode("utf-8")
        payload = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(payload, dict):
        raise ValueError("no JSON object")
    _check_values(payload)
    return payload


def repository_id(payload: Mapping[str, Any]) -> int | None:
    """Return GitHub's number of the repository that a delivery is about; None if it names none."""
    repository = payload.get("repository")
    number = repository.get("id") if isinstance(repository, Mapping) else None
    return number if isinstance(number, int) and abs(number) < 1 << 63 else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name that occurs twice in one object")
    return members


def _check_values(payload: object) -> None:
    """Look at every value, level by level and not by recursion."""
    level: list[object] = [payload]
    for _depth in range(_DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise ValueError("nested too deep")


def _inside(value: object) -> list[object]:
    if isinstance(value, str):
        value.encode("utf-8")  # half a surrogate pair has no UTF-8; UnicodeEncodeError is a ValueError
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ValueError("a number beyond all bounds")
    elif isinstance(value, dict):
        return [*value, *value.values()]
    elif isinstance(value, list):
        return value
    return []
