"""The command line as a whole: every command is there, and brings no more with it than it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from bot.cli import COMMANDS, app


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert f"Usage: root {command}" in result.output


def test_the_help_tells_of_every_command() -> None:
    lines = CliRunner().invoke(app, ["--help"]).output.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in lines if line] == list(COMMANDS)


def test_a_mistyped_command_is_answered_with_the_one_that_is_meant() -> None:
    result = CliRunner().invoke(app, ["pruve"])
    assert result.exit_code == 2
    assert "prove" in result.output


def test_a_proof_starts_without_what_only_github_and_the_stages_need() -> None:
    loaded_text = (
        "import sys; from bot.cli import app; app(['prove', '--help'], standalone_mode=False); print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", loaded_text], capture_output=True, text=True, check=True)
    assert {"github", "bot.pick", "bot.handlers"}.isdisjoint(result.stdout.split())
