"""A request → the backport it means: the original, how it was merged, and the commits to pick.

Owns the choice between what GitHub says was merged and what the requester names.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.models import MergeMethod, PullRequest, Sha
from bot.pipeline.companion_originals import merged_originals
from bot.pipeline.context import Backport, Workplace
from bot.pipeline.merged_commits import merged_commits
from bot.pipeline.replies import Request
from bot.pipeline.reverted_original import taken_back
from bot.report import replies


def read_backport(request: Request, original: PullRequest, at: Workplace) -> Backport:
    """Find the commits to pick.

    Raises:
        RequestRejected: they cannot be told for certain, or are on neither the default branch nor the original's base.
        NotYetKnown: GitHub has not caught up with the merge.
    """
    named = request.command.commits
    method, commits = _named_commits(named, original, at) if named else merged_commits(original, at)
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
        undone=taken_back(original, commits, at),
        companion_originals=merged_originals(patch, at) if patch and options.with_companions else {},
    )


def _named_commits(names: tuple[str, ...], original: PullRequest, at: Workplace) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the commits in the order of their branch's history, whatever the order they were named in."""
    existing = at.mirror.branches()
    # An original may have been merged into a stable branch, and its commits are nowhere else then.
    branches = [name for name in dict.fromkeys((at.github.default_branch, original.base)) if name in existing]
    at.mirror.fetch([existing[name] for name in branches])
    found = {_on_branch(name, {branch: existing[branch] for branch in branches}, at): None for name in names}
    # A commit has more history than each of its ancestors.
    ordered = sorted(found, key=lambda sha: int(at.mirror.git.text("rev-list", "--count", sha)))
    if len(ordered) > 1:
        return MergeMethod.REBASE, tuple(ordered)
    merge = len(at.mirror.commit(ordered[0]).parents) > 1
    return MergeMethod.MERGE if merge else MergeMethod.SQUASH, tuple(ordered)


def _on_branch(name: str, tips: Mapping[str, Sha], at: Workplace) -> Sha:
    # Of a commit that no branch of ours has, nobody reviewed anything: a fork's commits can be had by name, too.
    sha = at.mirror.resolve(name)
    if sha is None or not sha.startswith(name) or not any(at.mirror.is_ancestor(sha, tip) for tip in tips.values()):
        raise replies.unknown_commit(name, " or ".join(tips))
    return sha
