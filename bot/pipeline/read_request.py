"""Turns a command into a request: the original, how it was merged, and the commits to pick.

The commits are those that GitHub says were merged, unless the requester names others.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.models import MergeMethod, PullRequest, Sha
from bot.pipeline.command_context import CommandContext
from bot.pipeline.companion_originals import merged_originals
from bot.pipeline.context import RepositoryContext
from bot.pipeline.merged_commits import merged_commits
from bot.pipeline.request import BackportRequest
from bot.pipeline.reverted_original import taken_back
from bot.report import replies


def read_request(command: CommandContext, original: PullRequest, context: RepositoryContext) -> BackportRequest:
    """Find the commits to pick.

    Raises:
        RequestRejected: they are not certain, or are on neither the default branch nor the original's base.
        NotYetKnown: GitHub has not caught up with the merge.
    """
    named_commits, options, source = command.command.commits, command.command.options, command.source
    method, commits = (
        _named_commits(named_commits, original, context) if named_commits else merged_commits(original, context)
    )
    patch = context.pick.patch_for(original)
    return BackportRequest(
        key=source.key,
        command=str(command.command),
        requester=source.requester,
        labelled_at=source.labelled_at,
        original=original,
        merge_method=method,
        commits=commits,
        options=options,
        companion_originals=merged_originals(patch, context) if patch and options.with_companions else {},
        undone=taken_back(original, commits, context),
    )


def _named_commits(
    names: tuple[str, ...], original: PullRequest, context: RepositoryContext
) -> tuple[MergeMethod, tuple[Sha, ...]]:
    """Return the commits in the order of their branch's history, whatever the order they were named in."""
    tips_by_name = context.mirror.branches()
    # An original may have been merged into a stable branch, and its commits are nowhere else then.
    branches = [name for name in dict.fromkeys((context.github.default_branch, original.base)) if name in tips_by_name]
    context.mirror.fetch([tips_by_name[name] for name in branches])
    commits = {_on_branch(name, {branch: tips_by_name[branch] for branch in branches}, context): None for name in names}
    # A commit has more history than each of its ancestors.
    commits_in_order = sorted(commits, key=lambda sha: int(context.mirror.git.text("rev-list", "--count", sha)))
    if len(commits_in_order) > 1:
        return MergeMethod.REBASE, tuple(commits_in_order)
    merge = len(context.mirror.commit(commits_in_order[0]).parents) > 1
    return MergeMethod.MERGE if merge else MergeMethod.SQUASH, tuple(commits_in_order)


def _on_branch(name: str, tips: Mapping[str, Sha], context: RepositoryContext) -> Sha:
    # Of a commit that no branch of ours has, nobody reviewed anything: a fork's commits can be had by name, too.
    sha = context.mirror.resolve(name)
    if (
        sha is None
        or not sha.startswith(name)
        or not any(context.mirror.is_ancestor(sha, tip) for tip in tips.values())
    ):
        raise replies.unknown_commit(name, " or ".join(tips))
    return sha
