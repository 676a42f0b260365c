"""What the bot tells the launcher: one line of JSON on its command line. It names paths and numbers, never a secret."""

from __future__ import annotations

import json
from typing import NamedTuple


class Plan(NamedTuple):
    """What a root holds. Every path is absolute and free of links, save the names of `links`, which are made.

    `hidden` are files and folders below what is visible that nobody is to read. `shared_memory` is in bytes. `pids` is
    the most processes and threads; 0 sets no such limit.
    """

    visible: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    shared_memory: int = 0
    pids: int = 0


class Order(NamedTuple):
    """How one process is run: where it stands, its limits by their names in `resource`, and its walls.

    `bot` is the process that it ends with. Without a `plan` it gets no walls. `farewell` is a command that is run where
    the bot ended first.
    """

    bot: int
    directory: str
    limits: tuple[tuple[str, int], ...] = ()
    network: bool = False
    plan: Plan | None = None
    farewell: tuple[str, ...] = ()


def to_text(order: Order) -> str:
    """Write an order down."""
    return json.dumps(order)


def from_text(text: str) -> Order:
    """Read what `to_text` wrote."""
    order = Order(*json.loads(text))
    return order if order.plan is None else order._replace(plan=Plan(*order.plan))
