"""Reads in one request what publishing a target branch needs of GitHub: comments, review threads, and what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.models import Candidate, Comment, Details, ReviewThread, Sha, Target, TargetOutcome
from bot.pipeline.context import RepositoryContext
from bot.pipeline.pull_request_metadata import details_of
from bot.pipeline.request import BackportRequest
from bot.report.check_run import PROOF, target_check_name
from bot.report.conflict import CHECK


@dataclass(frozen=True, slots=True)
class BeforePublication:
    """The original's comments and its review threads that nobody resolved; and what a certain backport gets."""

    comments: tuple[Comment, ...]
    threads: tuple[ReviewThread, ...]
    details: Details


def read_before_publication(
    target: Target, result: Candidate | TargetOutcome | None, request: BackportRequest, context: RepositoryContext
) -> BeforePublication:
    """Read it as it is now. `context` is the target's repository."""
    opens = isinstance(result, Candidate) and not request.options.dry_run
    details = details_of(request, proven=True, context=context) if opens else Details()
    checks = [(request.original.head_sha, target_check_name(str(target)))]
    if context.home is not None:
        # Of the other repository nothing is read ahead.
        comments, threads = context.home.comments_and_threads(request.original.number, checks=checks, details=Details())
    else:
        checks += _of_candidate(result, context) if isinstance(result, Candidate) else ()
        comments, threads = context.github.comments_and_threads(request.original.number, checks=checks, details=details)
    return BeforePublication(comments, threads, details)


def _of_candidate(candidate: Candidate, context: RepositoryContext) -> Iterator[tuple[Sha, str]]:
    yield candidate.commit, PROOF
    if context.config.publish.on_conflict == "draft":
        yield candidate.commit, CHECK
