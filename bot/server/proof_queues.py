"""Where the proof of a candidate waits: for a device of this machine, or for runners of some labels.

A proof waits outside of its branch's slot, so other picks of the branch go on. A queue of its own for each device of a
machine lets proofs on one device not wait for another. Of proofs elsewhere the service only waits for the end: those of
one repository for the same labels have a few places, so that a busy runner does not take the places of others.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from bot.config.devices import KINDS, kind_of
from bot.config.prove import ProveConfig
from bot.environment.cache_folder import cache_directory
from bot.environment.data_folder import private_file

LOCAL, REMOTE = "local-proofs", "remote-proofs"
QUEUES = {LOCAL: 1, **{f"{LOCAL}-{kind}": 1 for kind in KINDS}, REMOTE: 32}
"""The queues, each with how many of its proofs one process runs at the same time."""
_PLACES = 4
"""How many runs of a repository may wait for the same labels at one time."""


def proof_place(prove: ProveConfig) -> str:
    """Return where a proof waits: a queue, and behind a blank what it waits for there."""
    if prove.runner == "github-actions":
        labels = [device.labels or prove.actions.labels for device in prove.devices] or [prove.actions.labels]
        return f"{REMOTE} {json.dumps(sorted(set(labels)))}"
    kinds = _kinds(prove)
    return f"{LOCAL}-{kinds[0]}" if len(kinds) == 1 and kinds[0] in KINDS else LOCAL


def proof_queue(place: str) -> str:
    """Return the queue of a place."""
    return place.partition(" ")[0]


def proof_lock(place: str, repository: str, run: int) -> str | None:
    """Return the lock that a proof of this number shares with others for the same labels; None on this machine."""
    queue, _, labels = place.partition(" ")
    return json.dumps([queue, repository.casefold(), labels, run % _PLACES]) if labels else None


@contextmanager
def turn_on_device(prove: ProveConfig) -> Iterator[None]:
    """Wait until no other process of this account on this machine proves on the same device, and keep them waiting."""
    with ExitStack() as stack:
        if prove.runner == "local":
            for device in _devices(_kinds(prove)):
                folder = cache_directory()
                folder.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(private_file(folder / f"{device}.lock").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _kinds(prove: ProveConfig) -> list[str]:
    devices = [device.device or kind_of(device.name) or prove.device for device in prove.devices]
    return sorted(set(devices or [prove.device]))


def _devices(kinds: Collection[str]) -> list[str]:
    """Return the locks to take, always in the same order. `auto` may take any device."""
    devices = {"cpu" if kind == "cpu" else "gpu" for kind in kinds if kind != "auto"}
    return sorted(devices | ({"cpu", "gpu"} if "auto" in kinds else set()))
