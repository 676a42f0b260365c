"""Who may run which command."""

from __future__ import annotations

import pytest

from bot.commands.parser import Command, parse_commands
from bot.commands.permissions import Requester, is_allowed, required_permission
from bot.config import Permission, Permissions


def command(line: str) -> Command:
    return parse_commands(line)[0]


@pytest.mark.parametrize(
    ("line", "level", "allowed"),
    [
        ("/backport a", None, False),
        ("/backport a", "read", False),
        ("/backport a", "triage", False),
        ("/backport a", "write", True),
        ("/backport a", "admin", True),
        ("/backport a --no-prove", "write", False),
        ("/backport a --no-prove", "maintain", True),
        ("/backport cancel", "read", False),
        ("/backport status", "read", True),
        ("/backport help", None, False),
    ],
)
def test_level_decides(line: str, level: str | None, allowed: bool) -> None:
    requester = Requester(login="x", level=Permission(level) if level else None)
    assert is_allowed(command(line), requester, Permissions()) is allowed


def test_listed_people_may_ask_without_a_level_but_not_skip_the_proof() -> None:
    permissions = Permissions(users=("@HaiShaw",), teams=("sgl-project/amd",))
    for requester in (
        Requester(login="haishaw", level=None),
        Requester(login="x", level=Permission.READ, teams=["AMD"]),
    ):
        assert is_allowed(command("/backport a"), requester, permissions)
        assert not is_allowed(command("/backport a --no-prove"), requester, permissions)


def test_skipping_the_proof_never_needs_less_than_the_backport_itself() -> None:
    permissions = Permissions(backport=Permission.ADMIN, no_prove=Permission.WRITE)
    assert required_permission(command("/backport a --no-prove"), permissions) is Permission.ADMIN
