"""A merged pull request → the commits that it left on its base branch.

git is asked first, then GitHub's record of which commit came by which pull request. Right after a merge GitHub may name
no merge commit, not have it in git yet, or have no record of it. Then it is asked again; the request is not dropped.
"""

from __future__ import annotations

import time

from bot.errors import FetchFailed, GitError, NotYetKnown, PullRequestNotMerged, RequestRejected
from bot.git.connection import is_corrupt, is_denied
from bot.git.merge_method import PullRequestMerge, read_merge
from bot.models import PullRequest, Sha
from bot.pipeline.context import RepositoryContext


def merged_commits(original: PullRequest, context: RepositoryContext) -> PullRequestMerge:
    """Return the merge method and the commits to pick, oldest first; their objects are in the mirror.

    Raises:
        PullRequestNotMerged: it is open or closed.
        NotYetKnown: GitHub does not name the merge commit, or does not have it, after all pauses of `context.pauses`.
        RequestRejected: it was merged by hand, and its own commits cannot be found; or its merge commit cannot be
            fetched, and will not be later.
    """
    if not original.merged:
        raise PullRequestNotMerged(
            f"#{original.number} is not merged, so there is nothing to backport yet.",
            hint="Merge it, then ask again.",
        )
    for pause in context.pauses:
        try:
            return _read(original, context)
        except NotYetKnown as error:
            context.progress(f"#{original.number}: {error.message} Asking again in {pause:.0f} s.")
            time.sleep(pause)
        original = context.originals.pull_request(original.number)
    return _read(original, context)


def _read(original: PullRequest, context: RepositoryContext) -> PullRequestMerge:
    if original.merge_commit is None:
        raise _early(original, "GitHub says that it is merged, but does not name its merge commit yet.")
    try:
        context.mirror.fetch([original.merge_commit])
    except FetchFailed as error:
        raise _unfetchable(original, original.merge_commit, error) from error
    return _told_by_git(original, original.merge_commit, context) or context.originals.merged_commits(original)


def _told_by_git(original: PullRequest, merge: Sha, context: RepositoryContext) -> PullRequestMerge | None:
    def is_foreign(commit: Sha) -> bool:
        came_by = context.originals.pull_requests_of(commit)
        return bool(came_by) and original.number not in came_by

    try:
        context.mirror.fetch([original.head_sha])
        context.mirror.compare(merge, original.head_sha)
        return read_merge(
            context.mirror, merge, original.head_sha, mainline=context.config.pick.mainline, is_foreign=is_foreign
        )
    except GitError as error:
        # The head may be gone, as where a fork's history was removed: then GitHub's record is all there is.
        context.progress(f"#{original.number}: {error.message}")
        return None


def _unfetchable(original: PullRequest, commit: Sha, error: FetchFailed) -> RequestRejected | NotYetKnown:
    fact = f"#{original.number} cannot be backported: its merge commit {commit[:12]} cannot be fetched"
    if is_corrupt(error.stderr):
        return RequestRejected(
            f"{fact}, as the server's repository lacks objects of its history. Nothing was started.",
            hint="`git fsck` in the server's repository names them. Push them there, then ask again.",
        )
    if is_denied(error.stderr):
        return RequestRejected(
            f"{fact}, as the server refuses the bot's token. Nothing was started.",
            hint="Give the token the right to read the repository's contents; `backport-bot doctor` checks it.",
        )
    return _early(original, f"Its merge commit {commit[:12]} cannot be fetched yet.")


def _early(original: PullRequest, fact: str) -> NotYetKnown:
    return NotYetKnown(
        f"#{original.number} is not ready to be backported: {fact} Nothing was started.",
        hint="Ask again in a few minutes, or add its commits to the command: `--commits SHA…`.",
    )
