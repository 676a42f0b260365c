"""A conflict as a draft pull request, and the watch over its markers until a person has resolved them.

Owns that no pull request of ours holds markers without being a draft with a red check. Runs nobody's code: files are
read as objects.
"""

from __future__ import annotations

from bot.model import Candidate, Conflicted, PullRequest, Signature, TargetPlan
from bot.pick import ladder
from bot.pick.marked import MarkedPick, find_markers
from bot.report.conflict import render_conflict_body, render_conflict_check, render_sent_back
from bot.report.markers import is_conflict, parse_pull_request_marker, status_marker
from bot.report.pull_request import render_title
from bot.workflow.details import details_of
from bot.workflow.elsewhere import remote_of
from bot.workflow.publish import check_rights, replaceable_tip
from bot.workflow.workplace import Backport, Workplace


def offer_draft(ended: Conflicted, plan: TargetPlan, backport: Backport, at: Workplace) -> Conflicted:
    """Open a draft that holds the conflict, where the configuration wants one and the conflict can be marked.

    Raises:
        PushRejected: the backport branch holds a commit that the bot did not make; nothing was pushed.
        PushForbidden: the token may not push the files that it changes.
    """
    if at.config.publish.on_conflict != "draft" or backport.options.dry_run:
        return ended
    marked = _mark(plan, at)
    if marked is None:
        return ended
    check_rights(marked, at)
    at.mirror.push(marked.commit, plan.backport_branch, expected=replaceable_tip(plan, at))
    opened = at.github.open_pull_request(
        title=render_title(backport.original, plan.branch, template=at.config.title),
        body=render_conflict_body(
            backport.original,
            plan,
            ended.conflict,
            marked,
            repository=at.config.repository,
            requester=backport.requester,
            remote=remote_of(at),
            template=at.config.templates.conflict,
        ),
        head=plan.backport_branch,
        base=plan.branch,
        draft=True,
    )
    at.github.add_details(opened.number, details_of(backport, certain=False, at=at))
    left = find_markers(at.mirror, marked.base_commit, marked.commit)
    at.github.write_check_run(marked.commit, render_conflict_check(left))
    at.progress(f"{plan.branch}: #{opened.number} opened with the conflict in it")
    return Conflicted(branch=ended.branch, conflict=ended.conflict, draft=opened)


def recheck(number: int, at: Workplace) -> None:
    """Look at a pull request of ours again after a push or after somebody marked it ready.

    While markers are left its check is red and it is a draft; once none is left, a check that was red turns green.
    """
    pull = at.github.pull_request(number)
    if pull.state != "open" or not _is_ours(pull, at):
        return
    base = at.mirror.branches().get(pull.base)
    at.mirror.fetch([pull.head_sha, *([base] if base else [])])
    start = at.mirror.merge_base(base, pull.head_sha) if base else None
    left = find_markers(at.mirror, start, pull.head_sha) if start else ()
    if left or is_conflict(pull.body) or at.config.publish.on_conflict == "draft":
        at.github.write_check_run(pull.head_sha, render_conflict_check(left))
    if left and not pull.draft:
        at.github.update_pull_request(pull, title=pull.title, body=pull.body, draft=True)
        marker = status_marker("conflict-markers")
        at.github.write_comment(number, f"{marker}\n{render_sent_back(left)}", marker=marker)


def _mark(plan: TargetPlan, at: Workplace) -> Candidate | None:
    signature = Signature(at.config.committer.name, at.config.committer.email, at.now())
    made = ladder.pick(at.mirror, plan, patches={}, committer=signature, ladder=(MarkedPick(),))
    return made if isinstance(made, Candidate) else None


def _is_ours(pull: PullRequest, at: Workplace) -> bool:
    return pull.author.casefold() == at.github.login.casefold() and parse_pull_request_marker(pull.body) is not None
