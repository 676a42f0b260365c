"""The proven candidate's branch and pull request; each is found before it is made."""

from __future__ import annotations

from bot.commands.parser import Command
from bot.errors import PushForbidden
from bot.history.landed import find_landing_status
from bot.models import (
    AlreadyApplied,
    Candidate,
    Certainty,
    Failed,
    Opened,
    PullRequest,
    TargetOutcome,
    TargetPlan,
    Verdict,
)
from bot.pipeline.branch_naming import find_pull_requests
from bot.pipeline.context import Backport, RepositoryContext
from bot.pipeline.open_pull_request import push_and_open
from bot.pipeline.patch_notes import patch_notes
from bot.pipeline.pull_request_metadata import details_of, difference, open_questions
from bot.pipeline.repositories import remote_of
from bot.report.check_run import render_proof_check
from bot.report.conflict import render_conflict_check
from bot.report.pull_request import render_body, render_title

_WORKFLOWS = ".github/workflows/"


def find_backport(
    branch: str, original: PullRequest, asked: Command, context: RepositoryContext
) -> TargetOutcome | None:
    """Return how the target branch stands by the pull requests that exist, or None where there is none to respect."""
    existing = find_pull_requests(branch, original, context)
    merged = next((each for each in existing if each.merged), None)
    if merged is not None and _is_there(merged, branch, context):
        return AlreadyApplied(branch=branch, how=f"#{merged.number} is merged", commit=merged.merge_commit)
    # What came before a backport that was reverted is over with it.
    existing = existing[: existing.index(merged)] if merged is not None else existing
    if asked.options.redo or not existing:
        return None
    standing = next((each for each in existing if each.state == "open"), None)
    if standing is not None:
        return Opened(branch=branch, pull_request=standing, created=False)
    return _closed(branch, existing[0], asked.onto(context.target(branch), redo=True))


def _is_there(merged: PullRequest, branch: str, context: RepositoryContext) -> bool:
    """Say whether what a backport pull request brought is still on the branch, and not reverted since."""
    tip = context.mirror.branches().get(branch)
    if tip is None or merged.merge_commit is None:
        return True
    context.mirror.fetch([tip, merged.merge_commit])
    return merged.merge_commit not in find_landing_status(context.mirror, tip, [merged.merge_commit]).reverted


def _closed(branch: str, pull_request: PullRequest, again: Command) -> Failed:
    return Failed(
        branch=branch,
        message=f"#{pull_request.number} was closed without being merged, so it was not opened again.",
        hint=f"To have it made anew, comment `{again}`.",
    )


def check_rights(candidate: Candidate, context: RepositoryContext) -> None:
    """Find out before the proof what GitHub would only say to the push.

    Raises:
        PushForbidden: the candidate changes workflow files and the token is known to lack that right.
    """
    files = [path for path in candidate.files if path.startswith(_WORKFLOWS)]
    if files and not context.github.may_push_workflows():
        raise PushForbidden(
            f"The backport changes `{files[0]}`, and this token may not push workflow files, so nothing was pushed.",
            hint="Give the token the `workflow` scope (a GitHub App: `Workflows: write`), then ask again.",
        )


def open_backport(
    plan: TargetPlan, candidate: Candidate, verdict: Verdict | None, backport: Backport, context: RepositoryContext
) -> Opened:
    """Push the very commit that was tested and open its pull request.

    Raises:
        PushRejected: the backport branch holds a commit that the bot did not make; nothing was pushed.
        PushForbidden: see `check_rights`; or the repository does not take the push.
        NotOpened: the branch is pushed, and GitHub refused the pull request.
    """
    check_rights(candidate, context)
    draft = backport.options.draft or not _is_certain(candidate, verdict)
    opened = push_and_open(
        candidate.commit,
        plan,
        context,
        without_drafts=context.config.publish.drafts == "preferred",
        title=render_title(backport.original, plan.branch, template=context.config.title),
        body=render_body(
            backport.original,
            candidate,
            verdict,
            repository=context.config.repository,
            requester=backport.requester,
            remote=remote_of(context),
            plan=plan,
            undone=backport.undone,
            notes=patch_notes(backport.patch, candidate, context) if backport.patch else None,
            threads=open_questions(backport.original, context),
            range_diff=difference(plan, candidate, context),
            template=context.config.templates.pull_request,
        ),
        draft=draft,
    )
    notes = context.github.add_details(opened.number, details_of(backport, certain=not draft, context=context))
    if draft and not opened.draft:
        notes = ("It is no draft, as the plan of this repository has none: do not merge it unreviewed.", *notes)
    if context.config.publish.check_runs:
        context.github.write_check_run(
            candidate.commit, render_proof_check(verdict, template=context.config.templates.check_run)
        )
    if context.config.publish.on_conflict == "draft":
        # Where the branch requires this check, a backport without a conflict must have it as well.
        context.github.write_check_run(candidate.commit, render_conflict_check(()))
    context.progress(f"{plan.branch}: #{opened.number} opened")
    return Opened(branch=plan.branch, pull_request=opened, candidate=candidate, verdict=verdict, notes=notes)


def _is_certain(candidate: Candidate, verdict: Verdict | None) -> bool:
    """Only what is both proven and made without a guess may be merged as it is."""
    return verdict is not None and verdict.proven and candidate.certainty is Certainty.CERTAIN
