"""The small project of `tests/pipeline/office.py`, with the stages at work on it instead of the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.conftest import history, office
from tests.pipeline.office import BOT, Office
from tests.stages.pipeline import Pipeline

__all__ = ["history", "office"]


@pytest.fixture
def pipeline(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return the stages, set up as a maintainer would."""
    made = Pipeline(office, tmp_path / "ci", office.fake_github.add_token(BOT), monkeypatch)
    made.write_config()
    return made
