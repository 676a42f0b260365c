"""Event files that no CI wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import RunFolderError
from bot.handlers.ci_event import read_event


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"a":' * 100_000, b"[" * 100_000, b"9" * 5000])
def test_an_event_file_that_holds_no_event_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    with pytest.raises(RunFolderError, match=r"event\.json"):
        read_event("issue_comment", file)
