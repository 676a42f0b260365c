"""Secrets after they were read: nowhere that a process of the same user, or a child, could find them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from bot.environment import credentials

TOKEN = "ghs_0123456789abcdef0123456789abcdef"
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def read_in_a_process(program: str, **environment: str) -> str:
    """Run a program that has these variables from its start, and return what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


@linux
def test_a_secret_that_was_read_is_gone_from_the_process_s_environment() -> None:
    said = read_in_a_process(
        """
        from bot.environment import credentials
        print(credentials.require_account("nothing was done"))
        print(open("/proc/self/environ").read())
        """,
        BACKPORT_BOT_TOKEN=TOKEN,
        GH_TOKEN=TOKEN,
        WIDGET="kept",
    )
    assert said.count(TOKEN) == 1  # what it printed itself
    assert "WIDGET=kept" in said


@linux
def test_an_app_s_number_is_looked_for_under_its_own_name_alone() -> None:
    said = read_in_a_process(
        """
        from bot.environment import credentials
        credentials.require_account("nothing was done")
        print(open("/proc/self/environ").read())
        """,
        BACKPORT_BOT_APP_ID="12",
        BACKPORT_BOT_PRIVATE_KEY="-----BEGIN KEY-----\nabc",
        WIDGET="12",
        GADGET="a12",
    )
    assert "WIDGET=12" in said
    assert "GADGET=a12" in said
    assert "BEGIN KEY" not in said
    assert "APP_ID=12" not in said


@linux
def test_children_inherit_none_and_nobody_reads_the_memory() -> None:
    said = read_in_a_process(
        """
        import ctypes, subprocess
        from bot.environment import credentials
        print(ctypes.CDLL(None).prctl(3), end=" ")  # PR_GET_DUMPABLE
        credentials.take(credentials.TOKEN)
        print(ctypes.CDLL(None).prctl(3))
        print(subprocess.run(["env"], capture_output=True, text=True).stdout)
        """,
        BACKPORT_BOT_TOKEN=TOKEN,
    )
    assert said.startswith("1 0\n")
    assert TOKEN not in said


@linux
def test_git_still_works_for_a_process_that_holds_a_secret() -> None:
    program = """
        import subprocess
        from bot.environment import credentials
        credentials.take(credentials.TOKEN)
        print(subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout)
        """
    assert "git version" in read_in_a_process(program, BACKPORT_BOT_TOKEN=TOKEN)


def test_what_is_dropped_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(credentials.TOKEN, TOKEN)
    credentials.drop(credentials.TOKEN)
    assert credentials.TOKEN not in os.environ
    assert not credentials.holds_secret()
    monkeypatch.setenv(credentials.TOKEN, TOKEN)
    assert credentials.take(credentials.TOKEN) == TOKEN
    assert credentials.holds_secret()
