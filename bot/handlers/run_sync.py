"""Runs a sync: surveys the stable branches and opens the proven backport pull requests that the limits allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.commands.targets import matching_branches
from bot.config import Config
from bot.errors import BackportError, FetchFailed
from bot.git.untrusted_repository import refuse_shallow
from bot.handlers.sync_openings import PullRequestOpener, plan_openings
from bot.history.store import HistoryStore
from bot.models import Sha, TargetOutcome
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.sync.survey import SyncContext, SyncReport, survey
from bot.text.markdown import count

_REMOTE_REF = "refs/remotes/origin/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """A run: its survey, brought up to date by its attempts, and the outcome of each attempt."""

    survey: SyncReport
    results: tuple[TargetOutcome, ...] = ()


@contextmanager
def open_sync_context(context: RepositoryContext, directory: Path, pattern: str | None) -> Iterator[SyncContext]:
    """Fetch the main branch and the stable branches, or those that the glob `pattern` matches.

    Raises:
        FetchFailed: the remote does not answer.
        BackportError: there is no branch to survey.
    """
    main = context.config.sync.main or context.github.default_branch
    tips, branches = _fetch(context, main, pattern)
    with HistoryStore(directory / "history.sqlite") as store:
        yield SyncContext(pick=context.pick, store=store, main=main, tips=tips, all_branches=branches)


def _fetch(context: RepositoryContext, main: str, pattern: str | None) -> tuple[dict[str, Sha], Collection[str]]:
    try:
        return _fetch_once(context, main, pattern)
    except FetchFailed:
        # A branch may be deleted after it was listed; the second list does not have it.
        return _fetch_once(context, main, pattern)


def _fetch_once(context: RepositoryContext, main: str, pattern: str | None) -> tuple[dict[str, Sha], Collection[str]]:
    branches = context.mirror.branches()
    names = choose_branches(branches, main, context.config, pattern)
    context.progress(f"Fetching {main} and {count(len(names), 'stable branch')}")
    context.mirror.fetch([f"+refs/heads/{name}:{_REMOTE_REF}{name}" for name in (main, *names)])
    tips = {name: context.mirror.resolve(f"{_REMOTE_REF}{name}") for name in (main, *names)}
    return {name: tip for name, tip in tips.items() if tip is not None}, branches


def choose_branches(branches: Mapping[str, Sha], main: str, config: Config, pattern: str | None) -> list[str]:
    """Return the stable ones of these branches, newest first.

    Raises:
        BackportError: the main branch is not among them, or no stable branch is.
    """
    if main not in branches:
        raise BackportError(
            f"There is no branch `{main}` that originals could have been merged to, so nothing was looked at.",
            hint="Correct `sync.main` in backport.yaml.",
        )
    stable = [name for name in matching_branches(config.branches, branches, config) if name != main]
    names = [name for name in stable if pattern is None or name in matching_branches([pattern], [name], config)]
    if not names:
        patterns = f"`{pattern}`" if pattern else ", ".join(f"`{pattern}`" for pattern in config.branches)
        examples = ", ".join(f"`{name}`" for name in (stable or sorted(branches))[:10])
        raise BackportError(
            f"No stable branch answers to {patterns}, so nothing was looked at.", hint=f"There is {examples}."
        )
    return names


def survey_repository(context: RepositoryContext, directory: Path, pattern: str | None = None) -> SyncRun:
    """Find what is missing and what a run would do about it. Nothing is changed on GitHub."""
    with open_sync_context(context, directory, pattern) as sync_context:
        return _plan_run(sync_context, survey(sync_context, context.github))


def survey_clone(context: PickContext, directory: Path, pattern: str | None = None) -> SyncRun:
    """Find the same by git alone, in a clone that is not written to; `directory` keeps the index of its history.

    Raises:
        GitError: the history is cut off.
        BackportError: there is no branch to survey.
    """
    branches = context.mirror.local_branches()
    main = context.config.sync.main or context.mirror.default_branch()
    refuse_shallow(context.mirror, "the contents of the branches are unknown")
    names = choose_branches(branches, main, context.config, pattern)
    tips = {name: branches[name] for name in (main, *names)}
    with HistoryStore(directory / "history.sqlite") as store:
        sync_context = SyncContext(pick=context, store=store, main=main, tips=tips, all_branches=branches)
        return _plan_run(sync_context, survey(sync_context))


def _plan_run(context: SyncContext, report: SyncReport) -> SyncRun:
    branches = tuple(plan_openings(branch, context, report) for branch in report.branches)
    return SyncRun(survey=replace(report, branches=branches))


def open_missing(context: RepositoryContext, directory: Path, pattern: str | None = None) -> SyncRun:
    """Find what is missing and open the backport pull requests that the limits allow, proven as always."""
    with open_sync_context(context, directory, pattern) as sync_context:
        report = survey(sync_context, context.github)
        opener = PullRequestOpener(context, sync_context, report)
        branches = tuple(map(opener.open_on, report.branches))
        return SyncRun(survey=replace(report, branches=branches), results=tuple(opener.results))
