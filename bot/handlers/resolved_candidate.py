"""Takes what a person resolved in a worktree as the candidate of its target branch."""

from __future__ import annotations

from bot.analysis.findings import collect_findings
from bot.environment.temporary_folders import scratch_folder
from bot.errors import RequestRejected
from bot.git.bundle import take_bundle
from bot.git.repository import Repository
from bot.git.worktree import Worktree
from bot.handlers.local_resolution import ABORT, CONTINUE, Resolution
from bot.models import Candidate, Fidelity, Method, Sha, StrategyResult, Target, TargetPlan
from bot.pick.conflict_commit import find_markers
from bot.pick.context import PickContext
from bot.pick.rewrite_commits import rewrite
from bot.text.closing_keywords import neutralize_keywords


def candidate_of(
    worktree: Worktree, resolution: Resolution, plan: TargetPlan, login: str, context: PickContext
) -> Candidate | None:
    """Return what the person committed as the candidate of a plan; None for the plan of another branch.

    Their commits stay theirs. Only words that would close issues are made harmless.

    Raises:
        RequestRejected: the branch moved, nothing was committed, or conflict markers are left. Nothing was pushed.
    """
    if plan.branch != Target.parse(resolution.target).branch:
        return None
    commits = worktree.commits_since(plan.base_commit)
    mirror = context.mirror
    if not commits:
        # So that the command which the error names has what it needs.
        worktree.fetch(mirror.connection.url, [plan.base_commit], mirror.connection.authorization())
        raise _nothing_on_top(worktree, resolution, plan)
    with scratch_folder("backport-resolved-") as scratch:
        worktree.write_bundle(plan.base_commit, scratch / "bundle")
        take_bundle(mirror, scratch / "bundle", plan.base_commit, commits[-1])
    _refuse_markers(mirror, plan, commits[-1])
    return _harmless(mirror, _candidate(plan, commits, login, mirror))


def _nothing_on_top(worktree: Worktree, resolution: Resolution, plan: TargetPlan) -> RequestRejected:
    if plan.base_commit == resolution.base:
        return RequestRejected(
            f"{worktree.directory} has no commit on top of `{plan.branch}`, so nothing was proven or opened.",
            hint=f"Commit the resolution, or give it up by `{ABORT}`.",
        )
    return RequestRejected(
        f"`{plan.branch}` moved to {plan.base_commit[:12]} since the conflict was written, so nothing was opened.",
        hint=f"In {worktree.directory} run `git rebase --onto {plan.base_commit} {resolution.base}`. "
        f"Then `{CONTINUE}`.",
    )


def _refuse_markers(mirror: Repository, plan: TargetPlan, tip: Sha) -> None:
    markers = find_markers(mirror, plan.base_commit, tip, plan.commits[-1])
    if markers:
        places = ", ".join(f"{place.file}:{place.line}" for place in markers[:5])
        raise RequestRejected(
            f"Conflict markers are left in {places}, so nothing was proven or opened.",
            hint=f"Take them out, `git commit --all --amend --no-edit`, then `{CONTINUE}`.",
        )


def _candidate(plan: TargetPlan, commits: tuple[Sha, ...], login: str, mirror: Repository) -> Candidate:
    files = mirror.changed_paths(plan.base_commit, commits[-1])
    tree, target, theirs = (mirror.commit(sha).tree for sha in (commits[-1], plan.base_commit, plan.commits[-1]))
    return Candidate(
        branch=plan.branch,
        base_commit=plan.base_commit,
        commit=commits[-1],
        commits=commits,
        method=Method.RESOLVED,
        fidelity=Fidelity.ADAPTED,
        files=files,
        rungs=(
            StrategyResult("cherry-pick", won=False, detail="it conflicts"),
            StrategyResult("by hand", won=True, detail=f"{login} resolved it in a clone of their own"),
        ),
        findings=collect_findings(mirror, tree, target=target, theirs=theirs, paths=files),
    )


def _harmless(mirror: Repository, candidate: Candidate) -> Candidate:
    if all(neutralize_keywords(message := mirror.commit(sha).message) == message for sha in candidate.commits):
        return candidate
    return rewrite(
        mirror,
        candidate,
        lambda commit, parent: mirror.writer.write_commit(
            commit.tree, (parent,), neutralize_keywords(commit.message), commit.author, commit.committer
        ),
    )
