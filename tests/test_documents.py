"""docs/security.md names what holds each of its rows: the test or the module has to be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = re.findall(r"`([^`\n]+)`", (ROOT / "docs/security.md").read_text(encoding="utf-8"))


def test_every_path_that_the_threat_table_names_is_there() -> None:
    paths = [name for name in NAMES if name.startswith(("bot/", "tests/", "patches/", "requirements/"))]
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_test_that_the_threat_table_names_is_there() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    functions = [name for name in NAMES if name.startswith("test_")]
    assert len(functions) > 15
    assert [name for name in functions if f"def {name}" not in sources] == []
