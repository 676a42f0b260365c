"""Shows on the original how far each target branch of a request is: in one comment, and in check runs."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable

from bot.errors import TEMPORARY, GitHubError
from bot.models import Failed, TargetOutcome
from bot.pipeline.branch_naming import name_for_recipe
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest
from bot.pipeline.request_storage import Place, answer_marker, keep
from bot.pipeline.unexpected_errors import failed_outcome
from bot.report.check_run import render_target_check
from bot.report.outcomes import describe
from bot.report.status_comment import (
    NO_COMPANIONS,
    NO_PATCH_FOR_COMPANIONS,
    Phase,
    StatusView,
    TargetProgress,
    render_status,
)
from bot.text.markers import RecordState, write_branch_states

log = logging.getLogger(__name__)

_LONGEST = 64_000
"""Characters that leave room for the command that is kept; GitHub takes 65,536."""


class StatusComment:
    """One comment, edited whenever a target branch begins or ends.

    A comment that cannot be written is logged and stops nothing; the next edit brings it up to date. Until the last
    branch has ended it keeps the request's command, so that a crash loses no request.
    """

    def __init__(self, request: BackportRequest, targets: tuple[str, ...], context: RepositoryContext) -> None:
        self._place = Place(request.original.number, request.key)
        self._request = request
        self._context = context
        self._targets: dict[str, TargetProgress | TargetOutcome] = {
            target: TargetProgress(target) for target in targets
        }
        # Asked for at every edit of the comment, and each answer takes questions to GitHub.
        self._name_branch = functools.cache(lambda target: name_for_recipe(target, request.original, context))

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the target branches in the comment's order."""
        return tuple(self._targets)

    @property
    def results(self) -> tuple[TargetOutcome, ...]:
        """The outcomes of the target branches that have ended, in the comment's order."""
        return tuple(target for target in self._targets.values() if not isinstance(target, TargetProgress))

    @property
    def under_way(self) -> bool:
        """Whether a target branch has not ended."""
        return any(isinstance(target, TargetProgress) for target in self._targets.values())

    def begin(self, target: str, detail: str = "") -> None:
        """Show that a target branch is being worked on; `detail` is one line about it."""
        self._targets[target] = TargetProgress(target, Phase.PROVING, detail)
        self._write()

    def end(self, *results: TargetOutcome) -> None:
        """Show the endings of target branches, in the comment and as check runs on the original.

        An ending that cannot be rendered is replaced by one that says so: the comment must not stay under way.
        """
        self._targets.update({result.target: result for result in results})
        try:
            self._write()
            for result in results:
                self._write_check(result)
        except TEMPORARY:
            raise
        except Exception as error:
            self._targets.update({result.target: self._failure(result.target, error) for result in results})
            self._write()

    def show(self, states: Iterable[TargetProgress | TargetOutcome], ended: Iterable[TargetOutcome]) -> None:
        """Show how far each target branch is, as a store has it; `ended` are endings that were not shown before."""
        self._targets.update({state.target: state for state in states})
        self.end(*ended)

    def end_rest(self, error: Exception) -> None:
        """End the target branches that have not ended: an error stopped the work on all of them."""
        for name in [target.target for target in self._targets.values() if isinstance(target, TargetProgress)]:
            self.end(self._failure(name, error))

    def _failure(self, target: str, error: Exception) -> Failed:
        return failed_outcome(target, error, retry=str(self._request.command_for(target)))

    def _write_check(self, result: TargetOutcome) -> None:
        if self._context.config.publish.check_runs and not self._request.options.dry_run:
            template = self._context.config.templates.check_run
            self._context.github.write_check_run(
                self._request.original.head_sha, render_target_check(result, template=template)
            )

    def _write(self) -> None:
        view = StatusView(
            marker=answer_marker(self._place, self._context),
            original=self._request.original,
            requester=self._request.requester,
            targets=tuple(self._targets.values()),
            commits=self._request.commits,
            merge_method=self._request.merge_method,
            name_branch=self._name_branch,
            options=self._request.options,
            requested_commits=self._request.named_commits,
            note="\n\n".join(filter(None, (self._request.undone, self._note()))),
        )
        body = render_status(view, template=self._context.config.templates.status)
        annotated_body = write_branch_states(body, {target.target: _state(target) for target in self._targets.values()})
        # `/backport status` can do without these markers; people cannot do without the text.
        body = annotated_body if len(annotated_body) <= _LONGEST else body
        if self._request.command and self.under_way:
            body = keep(
                body, RecordState.STARTED, self._request.command, self._request.requester, self._place, self._context
            )
        try:
            self._context.github.write_comment(
                self._request.original.number, body, marker=answer_marker(self._place, self._context)
            )
        # The comment only shows progress. A branch is not stopped for it, and the next edit has it all.
        except GitHubError as error:
            if self._context.retries_later and isinstance(error, TEMPORARY):
                raise
            log.warning("%s", error)

    def _note(self) -> str:
        """Name the options that can have no effect on any branch of this request."""
        if not self._request.options.with_companions:
            return ""
        patch = self._context.pick.patch_for(self._request.original)
        if patch is None:
            return NO_PATCH_FOR_COMPANIONS
        return "" if patch.companions else NO_COMPANIONS


def _state(target: TargetProgress | TargetOutcome) -> str:
    if isinstance(target, TargetProgress):
        return f"⏳ {target.phase.value}"
    ending = describe(target)
    return f"{ending.icon} {ending.state}"
