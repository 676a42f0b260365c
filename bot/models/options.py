"""The options of a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportOptions:
    """The options that a requester may give on a `/backport` line."""

    dry_run: bool = False
    draft: bool = False
    with_companions: bool = False
    with_prerequisites: bool = False
    prove: bool = True
    redo: bool = False
