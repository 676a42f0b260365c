"""A scheduled run: the survey, then the proven backport pull requests that it calls for, within the limits.

Owns which branches are looked at and brought here. What is missing is the survey's business, and what is attempted
the opening's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.carried.load import CarriedPatch
from bot.commands.targets import matching_branches
from bot.config import Config
from bot.errors import BackportError, FetchFailed
from bot.git.repository import Repository
from bot.git.untrusted_repository import refuse_shallow
from bot.handlers.schedule_opening import PullRequestOpener, chosen
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, TargetOutcome, silent
from bot.pick.strategy import PickCaches
from bot.pipeline.context import RepositoryContext
from bot.sync.survey import SyncContext, SyncReport, survey
from bot.text.markdown import count

_REMOTE_REF = "refs/remotes/origin/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """What was found, with what became of it, and how each attempt ended."""

    survey: SyncReport
    results: tuple[TargetOutcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalContext:
    """What a look without GitHub has at hand; `directory` keeps what is read from one time to the next."""

    directory: Path
    patches: Mapping[str, CarriedPatch]
    progress: Progress = silent


@contextmanager
def open_sync_context(context: RepositoryContext, directory: Path, only: str | None) -> Iterator[SyncContext]:
    """Bring the main branch and the stable branches here; `only` is a glob that narrows them down.

    Raises:
        FetchFailed: the remote could not be asked.
        BackportError: there is no branch to look at.
    """
    main = context.config.sync.main or context.github.default_branch
    tips, existing = _fetch(context, main, only)
    with HistoryStore(directory / "history.sqlite") as store:
        yield SyncContext(
            repository=context.mirror,
            store=store,
            config=context.config,
            main=main,
            tips=tips,
            existing=existing,
            patches=context.patches,
            caches=context.pick.caches,
            progress=context.progress,
        )


def _fetch(context: RepositoryContext, main: str, only: str | None) -> tuple[dict[str, Sha], Collection[str]]:
    try:
        return _fetch_once(context, main, only)
    except FetchFailed:
        # A branch may be deleted between the two questions; then the second time it is not asked for.
        return _fetch_once(context, main, only)


def _fetch_once(context: RepositoryContext, main: str, only: str | None) -> tuple[dict[str, Sha], Collection[str]]:
    there = context.mirror.branches()
    names = choose_branches(there, main, context.config, only)
    context.progress(f"Fetching {main} and {count(len(names), 'stable branch')}")
    context.mirror.fetch([f"+refs/heads/{name}:{_REMOTE_REF}{name}" for name in (main, *names)])
    tips = {name: context.mirror.resolve(f"{_REMOTE_REF}{name}") for name in (main, *names)}
    return {name: tip for name, tip in tips.items() if tip is not None}, there


def choose_branches(there: Mapping[str, Sha], main: str, config: Config, only: str | None) -> list[str]:
    """Return the stable branches that exist, newest first.

    Raises:
        BackportError: the main branch is not there, or no stable branch is.
    """
    if main not in there:
        raise BackportError(
            f"There is no branch `{main}` that originals could have been merged to, so nothing was looked at.",
            hint="Correct `sync.main` in backport.yaml.",
        )
    stable = [name for name in matching_branches(config.branches, there, config) if name != main]
    chosen = [name for name in stable if only is None or name in matching_branches([only], [name], config)]
    if not chosen:
        wanted = f"`{only}`" if only else ", ".join(f"`{pattern}`" for pattern in config.branches)
        known = ", ".join(f"`{name}`" for name in (stable or sorted(there))[:10])
        raise BackportError(
            f"No stable branch answers to {wanted}, so nothing was looked at.", hint=f"There is {known}."
        )
    return chosen


def survey_repository(context: RepositoryContext, directory: Path, only: str | None = None) -> SyncRun:
    """Find what is missing and what a run would do about it. Nothing is changed on GitHub."""
    with open_sync_context(context, directory, only) as sync_context:
        found = survey(sync_context, context.github)
        return _planned(sync_context, found)


def survey_clone(repository: Repository, config: Config, context: LocalContext, only: str | None = None) -> SyncRun:
    """Do the same by git alone, on a repository that is somebody else's: it is not written to.

    Raises:
        GitError: the history is cut off.
    """
    branches = repository.known_branches()
    main = config.sync.main or repository.default_branch()
    refuse_shallow(repository, "what the branches have cannot be told")
    names = choose_branches(branches, main, config, only)
    with HistoryStore(context.directory / "history.sqlite") as store:
        sync_context = SyncContext(
            repository=repository,
            store=store,
            config=config,
            main=main,
            tips={name: branches[name] for name in (main, *names)},
            existing=branches,
            patches=context.patches,
            caches=PickCaches.open(context.directory),
            progress=context.progress,
        )
        return _planned(sync_context, survey(sync_context))


def _planned(sync_context: SyncContext, found: SyncReport) -> SyncRun:
    return SyncRun(
        survey=replace(found, branches=tuple(chosen(state, sync_context, found) for state in found.branches))
    )


def open_missing(context: RepositoryContext, directory: Path, only: str | None = None) -> SyncRun:
    """Find what is missing and open the backport pull requests that the limits allow, proven as always."""
    with open_sync_context(context, directory, only) as sync_context:
        found = survey(sync_context, context.github)
        opening = PullRequestOpener(context, sync_context, found)
        branches = tuple(map(opening.attempted, found.branches))
        return SyncRun(survey=replace(found, branches=branches), results=tuple(opening.results))
