"""The merged original of a companion, asked of both doors: it lends its commit's author and message."""

from __future__ import annotations

from bot.carried.load import CarriedPatch
from bot.errors import BackportError
from bot.model import Commit
from bot.workflow.workplace import Workplace


def find_merged(companion: CarriedPatch, at: Workplace) -> Commit | None:
    """Return the merge commit of a companion's original, or None where it is not merged here or not to be had.

    A companion is carried all the same: its change comes from rules, and only the credit from the commit.
    """
    original = companion.provenance.original
    if original.repository.casefold() != at.config.repository.casefold():
        return None
    try:
        merged = at.github.pull_request(original.pull_request).merge_commit
        if merged is None:
            return None
        at.mirror.fetch([merged])
        return at.mirror.commit(merged)
    except BackportError as error:
        at.progress(f"{companion.name}: its original cannot be read ({error.message})")
        return None
