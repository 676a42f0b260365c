"""A request → the backport it means: the original, how it was merged, and the commits to pick.

Owns the choice between what GitHub says was merged and what the requester names.
"""

from __future__ import annotations

from bot.model import MergeMethod, PullRequest, Sha
from bot.report import answers
from bot.workflow.asking import Request
from bot.workflow.companions import merged_originals
from bot.workflow.workplace import Backport, Workplace


def read_backport(request: Request, original: PullRequest, at: Workplace) -> Backport:
    """Find the commits to pick.

    Raises:
        RequestRejected: they cannot be told for certain, or are not on the default branch.
    """
    named = request.command.commits
    method, commits = _named_commits(named, at) if named else at.github.merged_commits(original)
    patch, options = at.patch_for(original), request.command.options
    return Backport(
        original=original,
        merge_method=method,
        commits=commits,
        options=options,
        requester=request.asked.requester,
        patch=patch,
        named=named,
        comment_id=request.asked.comment_id,
        labelled_at=request.asked.labelled_at,
        companion_originals=merged_originals(patch, at) if patch and options.with_companions else {},
    )


def _named_commits(names: tuple[str, ...], at: Workplace) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the commits in the order of the default branch's history, whatever the order they were named in."""
    branch = at.github.default_branch
    tip = at.mirror.branches()[branch]
    at.mirror.fetch([tip])
    found = {_on_branch(name, branch, tip, at): None for name in names}
    # A commit has more history than each of its ancestors.
    ordered = sorted(found, key=lambda sha: int(at.mirror.git.text("rev-list", "--count", sha)))
    if len(ordered) > 1:
        return MergeMethod.REBASE, tuple(ordered)
    merge = len(at.mirror.commit(ordered[0]).parents) > 1
    return MergeMethod.MERGE if merge else MergeMethod.SQUASH, tuple(ordered)


def _on_branch(name: str, branch: str, tip: Sha, at: Workplace) -> Sha:
    # Of a commit that no branch of ours has, nobody reviewed anything: a fork's commits can be had by name, too.
    sha = at.mirror.resolve(name)
    if sha is None or not sha.startswith(name) or not at.mirror.is_ancestor(sha, tip):
        raise answers.unknown_commit(name, branch)
    return sha
