"""The small project of `tests/pipeline/office.py`, seen by a bot that does not wait for an answer that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from tests.github.lost_answers import give_up_early
from tests.pipeline.conftest import history, office
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, with_pick

__all__ = ["history", "office"]


@pytest.fixture
def hasty(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Return the project with the bot at work."""
    give_up_early(office.fake_github, monkeypatch)
    office.fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    token = office.fake_github.add_token(BOT)
    client = GitHubClient(REPOSITORY, token=token, api_url=office.fake_github.api_url, longest_wait=5)
    with open_mirror(client.clone_url, tmp_path / "hasty.git", token=token) as mirror:
        yield replace(office, context=replace(with_pick(office.context, mirror=mirror), github=client))
    client.close()
