"""What was asked: a request and what its line switches on."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class BackportRequest:
    """One person's wish to have one merged pull request on some target branches."""

    repository: str
    pull_request: int
    requester: str
    targets: tuple[str, ...]
    options: BackportOptions = BackportOptions()
    comment_id: int | None = None
