"""What a requester may switch on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportOptions:
    """What a requester may switch on a `/backport` line."""

    dry_run: bool = False
    draft: bool = False
    with_companions: bool = False
    with_prerequisites: bool = False
    prove: bool = True
    redo: bool = False
