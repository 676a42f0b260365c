"""The last step: open a pull request for a candidate, unless one is open already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from bot.config.prove import Required
from bot.errors import PushForbidden
from bot.models import (
    Candidate,
    Certainty,
    Moved,
    NotProven,
    Opened,
    TargetOutcome,
    TargetPlan,
    Verdict,
    VerdictOutcome,
    WouldOpen,
)
from bot.pipeline.branch_checks import branch_checks
from bot.pipeline.carried_patch_notes import patch_notes
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_pull_request import push_and_open
from bot.pipeline.prove import has_tests
from bot.pipeline.pull_request_metadata import difference
from bot.pipeline.read_before_publication import BeforePublication
from bot.pipeline.request import BackportRequest
from bot.pipeline.target_repository import remote_of
from bot.report.branch_checks import render_checks
from bot.report.check_run import render_proof_check
from bot.report.conflict import render_conflict_check
from bot.report.original_description import DescriptionQuote
from bot.report.pull_request import render_body, render_title

# A push that changes these files needs a right of its own:
# https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
_WORKFLOWS = ".github/workflows/"
_OPENED_NORMALLY = (VerdictOutcome.PROVEN, VerdictOutcome.NO_TESTS)
_CONTRADICTION = (
    "The machine of the proof reports that there are no tests, but there is a suite for this change. So its report is "
    "not believed."
)


def check_rights(candidate: Candidate, *, may_push_workflows: bool) -> None:
    """Check before the proof what GitHub would otherwise refuse only at the push.

    `may_push_workflows` is false if the token that will push is known to lack that right.

    Raises:
        PushForbidden: the candidate changes workflow files, and the token may not push them.
    """
    files = [path for path in candidate.files if path.startswith(_WORKFLOWS)]
    if files and not may_push_workflows:
        raise PushForbidden(
            f"The backport changes `{files[0]}`, and this token may not push workflow files, so nothing was pushed.",
            hint="Give the bot a token with the `workflow` scope or a GitHub App with `Workflows: write` (the token of "
            "a workflow run cannot have that right), then ask again. Or leave these files out of all backports: "
            "`pick: {leave_out: [.github/**]}`.",
        )


def publish_candidate(
    plan: TargetPlan,
    candidate: Candidate,
    verdict: Verdict | None,
    request: BackportRequest,
    context: RepositoryContext,
    before: BeforePublication,
) -> TargetOutcome | Moved:
    """Open what may be opened. `verdict` is None if the requester was allowed to skip the proof."""
    patch = context.pick.patch_for(request.original)
    if verdict is not None and verdict.outcome is VerdictOutcome.NO_TESTS and has_tests(candidate, patch, context.pick):
        verdict = replace(verdict, outcome=VerdictOutcome.INCONCLUSIVE, reason=_CONTRADICTION)
    if verdict is not None and not _may_open(verdict, context.config.prove.required):
        return NotProven(target=plan.branch, candidate=candidate, verdict=verdict)
    if request.options.dry_run:
        return WouldOpen(target=plan.branch, candidate=candidate, verdict=verdict)
    branches = context.mirror.branches()
    # The verdict holds only for the commit that the candidate was tested on. What a crash left pushed is finished.
    if branches.get(plan.branch) != plan.base_commit and branches.get(plan.backport_branch) != candidate.commit:
        return Moved()
    return _open(plan, candidate, verdict, request, context, before)


def _open(
    plan: TargetPlan,
    candidate: Candidate,
    verdict: Verdict | None,
    request: BackportRequest,
    context: RepositoryContext,
    before: BeforePublication,
) -> Opened:
    """Push the very commit that was tested and open its pull request.

    Raises:
        PushRejected: the backport branch holds a commit that the bot did not make; nothing was pushed.
        PushForbidden: see `check_rights`; or the repository does not take the push.
        NotOpened: the branch is pushed, and GitHub refused the pull request.
    """
    check_rights(candidate, may_push_workflows=context.github.may_push_workflows())
    patch = context.pick.patch_for(request.original)
    # GitHub does not merge a draft, so a person has to decide about a guess.
    draft = request.options.draft or not _is_certain(candidate, verdict)
    pull_request = push_and_open(
        candidate.commit,
        plan,
        context,
        without_drafts=context.config.publish.drafts == "preferred",
        title=render_title(request.original, plan.branch, template=context.config.title),
        body=render_body(
            request.original,
            candidate,
            verdict,
            repository=context.config.repository,
            requester=request.requester,
            remote=remote_of(context),
            plan=plan,
            undone=request.undone,
            notes=patch_notes(patch, candidate, context) if patch else None,
            threads=before.threads,
            range_diff=difference(plan, candidate, context),
            checks=_checks(candidate, verdict, context, draft=draft),
            description=DescriptionQuote(context.config.publish.description, at_home=context.home is None),
            template=context.config.templates.pull_request,
            files=_resolved_files(candidate, context),
            web_url=context.github.clone_url.removesuffix(".git"),
        ),
        draft=draft,
    )
    # What no test has seen is for a person to merge, though it is no draft.
    is_proven = not draft and verdict is not None and verdict.proven
    details = before.details if is_proven else replace(before.details, merge=None)
    notes = context.github.add_details(pull_request, details)
    if draft and not pull_request.draft:
        notes = ("It is no draft, as the plan of this repository has none: do not merge it unreviewed.", *notes)
    if context.config.publish.check_runs:
        context.github.write_check_run(
            candidate.commit, render_proof_check(verdict, template=context.config.templates.check_run)
        )
    if context.config.publish.on_conflict == "draft":
        # Where the branch requires this check, a backport without a conflict must have it as well.
        context.github.write_check_run(candidate.commit, render_conflict_check(()))
    context.progress(f"{plan.branch}: #{pull_request.number} opened")
    return Opened(target=plan.branch, pull_request=pull_request, candidate=candidate, verdict=verdict, notes=notes)


def _resolved_files(candidate: Candidate, context: RepositoryContext) -> Mapping[str, bytes | None]:
    paths = list(dict.fromkeys(part.path for part in candidate.resolutions))
    return dict(zip(paths, context.mirror.read_all((candidate.commit, path) for path in paths), strict=True))


def _checks(candidate: Candidate, verdict: Verdict | None, context: RepositoryContext, *, draft: bool) -> list[str]:
    return render_checks(
        branch_checks(candidate, context),
        branch=candidate.branch,
        proven=verdict is not None and verdict.proven,
        draft=draft,
        draft_note=context.config.publish.draft_note or "",
    )


def _may_open(verdict: Verdict, required: Required) -> bool:
    match required:
        case Required.ALWAYS:
            return verdict.proven
        case Required.WHEN_TESTS:
            return verdict.outcome in _OPENED_NORMALLY
        case Required.NEVER:
            return True
        case _:
            assert_never(required)


def _is_certain(candidate: Candidate, verdict: Verdict | None) -> bool:
    """Only what was made without a guess, and is proven or has no tests, may be merged as it is."""
    return verdict is not None and verdict.outcome in _OPENED_NORMALLY and candidate.certainty is Certainty.CERTAIN
