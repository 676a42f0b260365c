"""What is printed gives no orders to the CI runner that reads it, nor to a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.environment.safe_output import neutral, to_json
from bot.text.sanitize import UNPRINTABLE

ROOT = Path(__file__).parents[2]
ORDERS = [
    "::set-output name=seal::forged",
    "  \t::add-mask::e",
    "\u00a0::add-path::/tmp",
    "text\n::set-env name=PATH::/tmp",
    "text\r::set-env name=PATH::/tmp",
    "text\x0b::stop-commands::x",
    "text ##[set-env name=PATH]/tmp",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[message]",
    "\x1b[2J\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x07here\x1b]8;;\x07",
    "\x9b2J",
    "\u202eleft",
]
WORDS = st.sampled_from([*ORDERS, "::", ":", "#", "##", "[", "\n", "\r", " ", "\x1b", "a"])


def obeyed(line: str) -> bool:
    """Look for commands as the runner does: https://github.com/actions/runner, ActionCommand.cs."""
    return line.lstrip().startswith("::") or "##[" in line or "##vso[" in line


@pytest.mark.parametrize("order", ORDERS)
def test_no_line_is_an_order(order: str) -> None:
    output_text = neutral(order, terminal=False)
    assert not any(obeyed(line) for line in output_text.splitlines())
    assert not UNPRINTABLE.search(output_text)


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(WORDS, max_size=8).map("".join))
def test_no_text_is_an_order_however_it_is_put_together(text: str) -> None:
    output_text = neutral(text, terminal=False)
    assert not any(obeyed(line) for line in output_text.split("\n"))
    assert "\x1b" not in output_text


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(WORDS | st.text(max_size=5), max_size=8).map("".join))
def test_json_says_what_it_said_and_is_left_as_it_is(text: str) -> None:
    output_text = to_json({text: [text]}, indent=2)
    assert json.loads(output_text) == {text: [text]}
    assert neutral(output_text, terminal=False) == output_text
    assert not any(obeyed(line) for line in output_text.split("\n"))


def test_plain_text_is_left_as_it_is() -> None:
    text = "release/1.2: t::test_a[x] → ok\n\t## Heading\nC++ a::b é 🎉\n"
    assert neutral(text, terminal=False) == neutral(text, terminal=True) == text


def test_a_terminal_keeps_its_colours_and_obeys_nothing_else() -> None:
    assert neutral("\x1b[31mred\x1b[0m\r", terminal=True) == "\x1b[31mred\x1b[0m\r"
    assert "\x1b" not in neutral("\x1b]0;title\x07\x1b(0\x1bc", terminal=True)


PATCH = "::error::x\nsecond ##[group]y \x1b[2J"


def test_all_that_a_command_prints_passes_there() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bot", "check", str(ROOT), "--patch", PATCH],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 2
    assert "carried patch" in result.stderr
    assert not any(obeyed(line) for line in (result.stdout + result.stderr).splitlines())
    assert "\x1b" not in result.stderr


SCRIPT = """
import logging, sys, rich.console, typer
from bot.environment.safe_output import neutral_output
with neutral_output():
    logging.basicConfig()
    logging.warning("log\\n::a::b")
    print("::a::b"); print("::a::b", file=sys.stderr)
    typer.echo("::a::b"); typer.echo("::a::b", err=True)
    rich.console.Console().print("::a::b", markup=False)
    sys.stdout.writelines(["::a::b\\n"])
    raise SystemExit("::a::b")
"""


def test_however_it_is_printed_it_passes_there() -> None:
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=ROOT, check=False)
    output_text = (result.stdout + result.stderr).splitlines()
    assert sum("a::b" in line for line in output_text) == 8
    assert [line for line in output_text[:-1] if obeyed(line)] == []


def test_a_terminal_is_recognised_behind_it() -> None:
    reading, writing = pty.openpty()
    script = "import rich.console\nfrom bot.environment.safe_output import neutral_output\n"
    script += "with neutral_output(): rich.console.Console().print('[red]red[/red]')\n"
    environment = os.environ | {"TERM": "xterm", "COLORTERM": "truecolor"}
    subprocess.run([sys.executable, "-c", script], stdout=writing, cwd=ROOT, env=environment, check=True)
    os.close(writing)
    assert b"\x1b[31mred" in os.read(reading, 1000)
    os.close(reading)
