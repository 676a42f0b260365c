"""docs/reference.md is what the code says, and the code says all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from bot.config import Config
from bot.environment import credentials
from bot.environment.variables import FOREIGN, SECRETS, SETTINGS
from docs import reference

ROOT = Path(__file__).parents[1]


def test_the_page_is_current() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.render(), "run `make reference`"


def test_a_page_that_is_not_current_is_an_error_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "reference.md"
    stale.write_text(reference.FILE.read_text(encoding="utf-8").replace("| `labels` |", "| `label` |"))
    before = stale.read_text()
    monkeypatch.setattr(reference, "FILE", stale)
    assert reference.main(["--check"]) == 1
    assert stale.read_text() == before


def test_it_has_each_key_and_each_command() -> None:
    text = reference.render()
    assert all(f"`{key}`" in text or f"`{key}." in text for key in Config.model_fields)
    assert all(f"### `backport-bot {name}`" in text for name in COMMANDS)


def test_each_variable_that_the_program_reads_is_in_the_tables() -> None:
    sources = [*(ROOT / "bot").rglob("*.py"), *(ROOT / ".github/actions").rglob("*.yml")]
    named = {
        name
        for file in sources
        for name in re.findall(
            r"\b(?:BACKPORT_BOT(?:_[A-Z_]+)?|G(?:ITHUB|H)_[A-Z_]+)\b", file.read_text(encoding="utf-8")
        )
    }
    assert named - {*SECRETS, *SETTINGS, *FOREIGN} == set()
    assert {name for name in (*SECRETS, *SETTINGS) if name not in named} == set()


def test_the_secrets_of_the_table_are_those_that_are_removed() -> None:
    assert set(SECRETS) == set(credentials.SECRETS)
