"""A conflict as a draft pull request, whose check stays red until a person has resolved its markers.

A pull request of the bot with markers in it is always a draft with a red check. Files are read as git objects, so no
untrusted code runs.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.commands.targets import own_branches
from bot.errors import TEMPORARY, FetchFailed, GitHubError, NotOpened
from bot.models import Candidate, Conflicted, PullRequest, Sha, TargetPlan
from bot.pick import ladder
from bot.pick.conflict_commit import ConflictMarkerCommit, find_markers
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_pull_request import push_and_open, replaceable_tip, take_back
from bot.pipeline.publish import check_rights
from bot.pipeline.pull_request_metadata import details_of
from bot.pipeline.request import BackportRequest
from bot.pipeline.target_repository import remote_of
from bot.report.conflict import render_conflict_body, render_conflict_check, render_sent_back
from bot.report.original_description import DescriptionQuote
from bot.report.pull_request import render_title
from bot.text.logins import is_shared, same_login
from bot.text.markers import is_conflict, parse_pull_request_marker, status_marker

log = logging.getLogger(__name__)


def offer_draft(
    outcome: Conflicted, plan: TargetPlan, request: BackportRequest, context: RepositoryContext
) -> Conflicted:
    """Open a draft that holds the conflict, if the configuration wants one and the conflict can be marked.

    If GitHub refuses the draft, the branch is put back and the outcome says why.

    Raises:
        PushRejected: the backport branch holds a commit that the bot did not make; nothing was pushed.
        PushForbidden: the repository does not take the push.
    """
    if context.config.publish.on_conflict != "draft" or request.options.dry_run:
        return outcome
    candidate = _mark(plan, context)
    if candidate is None:
        return outcome
    check_rights(candidate, may_push_workflows=context.github.may_push_workflows())
    before = replaceable_tip(plan, context)
    try:
        draft = _open_draft(outcome, candidate, plan, request, context)
    except NotOpened as error:
        take_back(candidate.commit, plan, before, context)
        return replace(outcome, note=f"{error.__cause__} So there is no draft of it.")
    context.github.add_details(draft, details_of(request, proven=False, context=context))
    markers = find_markers(context.mirror, candidate.base_commit, candidate.commit, plan.commits[-1])
    context.github.write_check_run(candidate.commit, render_conflict_check(markers))
    context.progress(f"{plan.branch}: #{draft.number} opened with the conflict in it")
    return replace(outcome, draft=draft)


def _open_draft(
    outcome: Conflicted, candidate: Candidate, plan: TargetPlan, request: BackportRequest, context: RepositoryContext
) -> PullRequest:
    body = render_conflict_body(
        request.original,
        plan,
        outcome.conflict,
        candidate,
        repository=context.config.repository,
        requester=request.requester,
        remote=remote_of(context),
        draft_note=context.config.publish.draft_note or "",
        description=DescriptionQuote(context.config.publish.description, at_home=context.home is None),
        template=context.config.templates.conflict,
    )
    title = render_title(request.original, plan.branch, template=context.config.title)
    return push_and_open(candidate.commit, plan, context, title=title, body=body, draft=True)


def recheck(number: int, context: RepositoryContext) -> None:
    """Check the markers of one of the bot's pull requests again, after a push or after a person marked it ready.

    While markers are left, its check is red and it is a draft. Once none is left, a red check turns green.
    """
    pull = context.github.pull_request(number)
    if pull.state != "open" or not _is_ours(pull, context):
        return
    base = context.mirror.branches().get(pull.base)
    context.mirror.fetch([pull.head_sha, *([base] if base else [])])
    start = context.mirror.merge_base(base, pull.head_sha) if base else None
    markers = find_markers(context.mirror, start, pull.head_sha, _original_of(pull, context)) if start else ()
    # A branch rule may require the check, and waits without end for one that is never written.
    if markers or is_conflict(pull.body) or context.config.publish.on_conflict == "draft":
        context.github.write_check_run(pull.head_sha, render_conflict_check(markers))
    if markers and not pull.draft:
        marker = status_marker("conflict-markers")
        body = render_sent_back(markers, is_draft=_turn_into_draft(pull, context))
        context.github.write_comment(number, f"{marker}\n{body}", marker=marker)


def _turn_into_draft(pull: PullRequest, context: RepositoryContext) -> bool:
    """Make a pull request a draft; return whether GitHub did it. Not every plan has drafts."""
    try:
        context.github.update_pull_request(pull, title=pull.title, body=pull.body, draft=True)
    except TEMPORARY:
        raise
    except GitHubError as error:
        log.warning("%s", error)
        return False
    return True


def _mark(plan: TargetPlan, context: RepositoryContext) -> Candidate | None:
    candidate = ladder.pick(
        context.mirror,
        plan,
        patches={},
        committer=context.pick.committer(),
        leave_out=context.config.pick.leave_out,
        strategies=(ConflictMarkerCommit(),),
    )
    return candidate if isinstance(candidate, Candidate) else None


def _original_of(pull: PullRequest, context: RepositoryContext) -> Sha | None:
    """Fetch the original's commit that a backport's body names; None if it cannot be fetched."""
    key = parse_pull_request_marker(pull.body)
    if key is None:
        return None
    try:
        context.mirror.fetch([key.commit])
    except FetchFailed as error:
        log.warning("%s", error)
        return None
    return key.commit if context.mirror.kind(key.commit) == "commit" else None


def _is_ours(pull: PullRequest, context: RepositoryContext) -> bool:
    if not same_login(pull.author, context.github.login) or parse_pull_request_marker(pull.body) is None:
        return False
    # Other workflows open pull requests in the name of a shared account, and may copy a text with a marker in it.
    return not is_shared(context.github.login) or bool(
        own_branches([pull.head], context.mirror.branches(), context.config)
    )
