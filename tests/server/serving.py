"""Runs the service beside an office, as `serve` does: each job has a context of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.git.mirror import open_mirror
from bot.github.client import GitHubClient
from bot.pipeline.context import RepositoryContext
from bot.server.pages.settings import NO_PAGES, PagesSettings
from bot.server.patience import OnResults
from bot.server.repositories import RepositorySource
from bot.server.service import Service, ServiceSettings, running_service
from tests.pipeline.office import BOT, REPOSITORY, Office

SECRET = "It's a Secret to Everybody"


@contextmanager
def another(context: RepositoryContext) -> Iterator[RepositoryContext]:
    """Open the repository of a context once more, on the same mirror."""
    assert isinstance(context.github, GitHubClient)
    with (
        context.github.for_another_thread() as github,
        open_mirror(github.clone_url, context.mirror.git.directory, token=github.token) as mirror,
    ):
        yield replace(context, github=github, pick=replace(context.pick, mirror=mirror))


@contextmanager
def serving(
    office: Office,
    directory: Path,
    database_url: str,
    *,
    on_results: OnResults = lambda _results: None,
    reads_github: bool = False,
    pages: PagesSettings = NO_PAGES,
) -> Iterator[Service]:
    """Serve the office's repository; the block fails if a delivery did."""
    directory.mkdir(exist_ok=True)
    settings = ServiceSettings(
        directory=directory,
        secrets=[SECRET],
        own_login=BOT,
        database=database_url,
        reads_github=reads_github,
        pages=pages,
    )
    source = RepositorySource(open=lambda _served: another(office.context), names=[REPOSITORY])
    with running_service(source, settings, on_results=on_results) as service:
        yield service
        assert service.deliveries.problems() == ()
