"""Plays the main job from end to end on real releases: from a comment on a GitHub on loopback to proven pull requests.

This module sets up the repository, the accounts and the webhook, and writes the comment. Everything between the comment
and the pull requests is the bot as it runs anywhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from github import Auth, Github

from bot.carried.detect import check
from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.config import Config, parse_config
from bot.demo.history import History, build
from bot.environment.signing import SigningKey
from bot.errors import BackportError
from bot.fake_github import FakeGitHub
from bot.git.trees import CommitTree
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.run_sync import open_missing
from bot.handlers.tracking_issues import write_tracking_issues
from bot.models import NotAffected, Progress, Sha, TargetOutcome, silent
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import open_repository_context
from bot.server.repositories import RepositorySource
from bot.server.service import Service, ServiceSettings, running_service
from bot.sync.types import State

REPOSITORY = "sgl-project/sglang"
PATCH = "sglang-24587"
MAINTAINER = "amd-maintainer"
BOT = "backport-bot[bot]"
# Three suite pairs on a slow machine; a run that takes longer than this hangs.
_PATIENCE = 1800.0


@dataclass(slots=True)
class DemoRun:
    """A running demo: the address of its pages, and the results of every request so far, oldest first."""

    url: str
    original: int
    branches: tuple[str, ...]
    maintainer: Github
    fake_github: FakeGitHub
    service: Service
    results: list[tuple[TargetOutcome, ...]]
    context: RepositoryContext
    directory: Path

    @property
    def page(self) -> str:
        """The address of the original pull request's page."""
        return f"{self.url}/{REPOSITORY}/pull/{self.original}"

    def heads(self) -> dict[int, str]:
        """Ask GitHub for every pull request's head commit."""
        pulls = self.maintainer.get_repo(REPOSITORY).get_pulls(state="all")
        return {pull.number: pull.head.sha for pull in pulls}

    def ask(self, comment: str) -> tuple[TargetOutcome, ...]:
        """Post a comment as the maintainer, wait for the bot, and return the outcomes.

        Raises:
            BackportError: the bot did not serve the request.
        """
        before = len(self.results)
        self.maintainer.get_repo(REPOSITORY).get_issue(self.original).create_comment(comment)
        self.fake_github.wait_for_deliveries(timeout=30)
        if not self.service.wait_until_idle(_PATIENCE) or len(self.results) == before:
            problems = "; ".join(self.service.deliveries.problems()) or f"no answer within {_PATIENCE:.0f} s"
            raise BackportError(f"The bot did not serve the comment: {problems}.", hint="Run again with --verbose.")
        return self.results[-1]

    def sync(self) -> tuple[TargetOutcome, ...]:
        """Run a scheduled sync, without a comment, and return the outcome of each branch.

        A branch that the survey finds not affected is not attempted; its ending says what shows it.
        """
        run = open_missing(self.context, self.directory)
        write_tracking_issues(run.survey, self.context)
        patch = self.context.patches[PATCH]
        endings: dict[str, TargetOutcome] = {result.target: result for result in run.results}
        for state in run.survey.branches:
            issues = [state for state in state.in_states(State.NOT_AFFECTED) if state.original.number == self.original]
            if issues and state.tip:
                report = check(CommitTree(self.context.mirror, state.tip), patch)
                endings[state.branch] = NotAffected(target=state.branch, check=report)
        return tuple(endings[branch] for branch in self.branches if branch in endings)

    def tracking_pages(self) -> tuple[str, ...]:
        """Return the addresses of the tracking issues, oldest first."""
        issues = self.maintainer.get_repo(REPOSITORY).get_issues(state="open", direction="asc")
        return tuple(issue.html_url for issue in issues if issue.title.startswith("Backports to "))


@contextmanager
def start_demo(directory: Path, *, device: str = "auto", progress: Progress = silent) -> Iterator[DemoRun]:
    """Build the repository, start GitHub on loopback and the bot's webhook service, and take all down afterwards."""
    patch = load_patches([bundled_patches()])[PATCH]
    history = build(directory / "sglang.git", patch, progress)
    with ExitStack() as stack:
        fake_github = stack.enter_context(FakeGitHub.start(directory / "github"))
        token = _furnish(fake_github, history, patch)
        signed_in = Auth.Token(token[MAINTAINER])
        maintainer = Github(auth=signed_in, base_url=fake_github.api_url, seconds_between_writes=0, lazy=True)
        stack.callback(maintainer.close)
        secret = secrets.token_hex(16)
        open_context = partial(
            open_repository_context,
            _config(device),
            ConnectionSettings(fake_github.api_url, directory),
            token[BOT],
            signing_key=SigningKey.derive(secret),
            progress=progress,
        )
        context = stack.enter_context(open_context())
        source = RepositorySource(open=lambda _served: open_context(), names=[REPOSITORY])
        settings = ServiceSettings(directory=directory, secrets=[secret], own_login=BOT, reads_github=False)
        results: list[tuple[TargetOutcome, ...]] = []
        service = stack.enter_context(running_service(source, settings, on_results=results.append))
        fake_github.add_webhook(REPOSITORY, service.url, secret, ["issue_comment"])
        number = patch.provenance.original.pull_request
        yield DemoRun(
            fake_github.url,
            number,
            history.branches,
            maintainer,
            fake_github,
            service,
            results,
            context=context,
            directory=directory,
        )


def _config(device: str) -> Config:
    return parse_config(f"repository: {REPOSITORY}\nbranches: [release/v*]\nprove: {{device: {device}}}\n")


def _furnish(fake_github: FakeGitHub, history: History, patch: CarriedPatch) -> dict[str, str]:
    """Make the accounts, the repository and the merged original; returns each account's token."""
    original = patch.provenance.original
    token = {
        MAINTAINER: fake_github.add_user(MAINTAINER),
        BOT: fake_github.add_user(BOT, type="Bot"),
        original.author: fake_github.add_user(original.author),
    }
    fake_github.create_repository(REPOSITORY, history.git_dir)
    fake_github.grant(REPOSITORY, MAINTAINER, "maintain")
    fake_github.grant(REPOSITORY, BOT, "write")
    fake_github.seed_pull_request(
        REPOSITORY,
        number=original.pull_request,
        title=original.title,
        body=patch.provenance.summary,
        author=original.author,
        head="fix-aiter-kv-indices",
        base="main",
        merged=True,
        merge_commit_sha=Sha(history.original),
        merged_by=MAINTAINER,
        labels=original.labels,
    )
    return token
