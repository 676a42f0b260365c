"""The small project of `tests/workflow/office.py`, with the stages at work on it instead of the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stages.pipeline import Pipeline
from tests.workflow.conftest import history, office
from tests.workflow.office import BOT, Office

__all__ = ["history", "office"]


@pytest.fixture
def pipeline(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return the stages, set up as a maintainer would."""
    made = Pipeline(office, tmp_path / "ci", office.sandbox.add_token(BOT), monkeypatch)
    made.write_config()
    return made
