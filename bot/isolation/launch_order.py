"""The order from the bot to the launcher: one line of JSON on its command line. It has paths and numbers, no secret."""

from __future__ import annotations

import json
from typing import NamedTuple


class Plan(NamedTuple):
    """The content of a root. Each path is absolute and without links, except for the names of `links`, which are made.

    `masked` are files and folders below a visible path that the process must not read. `shared_memory` is in bytes.
    `pids` is the largest number of processes and threads; 0 sets no limit.
    """

    visible: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    shared_memory: int = 0
    pids: int = 0


class Order(NamedTuple):
    """How to run one process: its working directory, its limits by their names in `resource`, and its root.

    `bot` is the bot's process id: the process ends with it. Without a `plan` the process is not isolated. `farewell` is
    a command to run if the bot ended first.
    """

    bot: int
    directory: str
    limits: tuple[tuple[str, int], ...] = ()
    network: bool = False
    plan: Plan | None = None
    farewell: tuple[str, ...] = ()


def to_text(order: Order) -> str:
    """Return an order as JSON."""
    return json.dumps(order)


def from_text(text: str) -> Order:
    """Read an order that `to_text` returned."""
    order = Order(*json.loads(text))
    return order if order.plan is None else order._replace(plan=Plan(*order.plan))
