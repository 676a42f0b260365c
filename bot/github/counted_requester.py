"""A requester of PyGithub that counts what it asks, and waits for its turn before it changes something."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from github.Requester import Requester

from bot.github.http_retry import Gate

Pace = Callable[[bool], None]
"""Waits until a request that changes something may be sent; gets whether it makes a text that people are told of."""

_TEXTS = re.compile(r"/(?:comments|issues|pulls|reviews)$")


class CountedRequester(Requester):
    """See above. Without a `pace` PyGithub's own pauses count, which are between the requests of one client.

    A request passes the `gate` after its turn has come, which may take minutes.
    """

    def __init__(self, gate: Gate, pace: Pace | None = None, **options: Any) -> None:  # noqa: ANN401 - PyGithub's
        super().__init__(**options)
        self._gate, self._pace = gate, pace
        self.sent = 0

    def requestJson(self, verb: str, url: str, *arguments: Any, **named: Any) -> tuple[int, dict[str, Any], str]:  # noqa: ANN401, N802
        """See `Requester`: every request for JSON comes through here."""
        if self._pace is not None and verb not in ("GET", "HEAD"):
            self._pace(verb == "POST" and _TEXTS.search(url) is not None)
        self._gate.check()
        self.sent += 1
        return super().requestJson(verb, url, *arguments, **named)
