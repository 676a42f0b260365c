"""The small project of `tests/pipeline/office.py`, seen by a bot that does not wait long for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.git import connection
from bot.git.environment import SETTINGS
from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from tests.pipeline.conftest import history, office
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, with_pick

__all__ = ["history", "office"]


@pytest.fixture
def hasty(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Return the project with the bot at work; an answer is waited for one second."""
    monkeypatch.setattr(connection, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr("bot.git.process.SETTINGS", (*SETTINGS, "-c", "http.lowSpeedTime=1"))
    office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    token = office.fake_github.add_token(BOT)
    client = GitHubClient(REPOSITORY, token=token, api_url=office.fake_github.api_url, timeout=1, longest_wait=5)
    with open_mirror(client.clone_url, tmp_path / "hasty.git", token=token) as mirror:
        yield replace(office, context=replace(with_pick(office.context, mirror=mirror), github=client))
    client.close()
