"""The candidate's commits as GitHub writes and signs them ("Verified"), where the configuration wants that.

Owns whose they are: the commit's author becomes the bot, and the original author is credited in a trailer. The result
is brought into the mirror, so that what is proven and pushed is exactly what GitHub signed.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import GitError
from bot.git.commit_message import with_trailer
from bot.git.objects import Entry
from bot.git.trees import find_entry
from bot.models import Candidate, Commit, Sha
from bot.pick.rewrite_commits import rewrite
from bot.pipeline.context import RepositoryContext


def signed_by_github(candidate: Candidate, context: RepositoryContext) -> Candidate:
    """Return the candidate with GitHub's commits in place of ours; the candidate as it is where nobody asked for that.

    What GitHub stored and nobody comes to refer to, it forgets by itself.

    Raises:
        GitHubError: GitHub did not store a commit.
        FetchFailed: it did, and the commit cannot be had by its name.
    """
    if not context.config.commit.verified:
        return candidate
    made = rewrite(context.mirror, candidate, lambda commit, parent: _write(commit, parent, context))
    context.progress(f"{candidate.branch}: written and signed by GitHub as {made.commit[:12]}")
    return made


def is_by_bot(commit: Commit, context: RepositoryContext) -> bool:
    """Say whether GitHub wrote a commit in the name of the bot's own account, and nobody has changed it since."""
    own = f"{context.github.login}@users.noreply.github.com".casefold()
    author, committer = commit.author.email.casefold(), commit.committer.email.casefold()
    return author.rpartition("+")[2] == own and committer in (author, "noreply@github.com")


def _write(commit: Commit, parent: Sha, context: RepositoryContext) -> Sha:
    before = context.mirror.commit(parent).tree
    paths = context.mirror.changed_paths(before, commit.tree)
    _refuse_other_bytes(paths)
    changes = {path: find_entry(context.mirror, commit.tree, path) for path in paths}
    tree = context.github.upload_tree(before, changes, _blobs(changes, context))
    if tree != commit.tree:
        raise GitError(
            f"GitHub stored the files of {commit.sha[:12]} as another tree, so nothing was pushed.",
            hint="Set `commit.verified: false` for this repository.",
        )
    author = commit.author
    message = with_trailer(commit.message, "Co-authored-by", f"{author.name} <{author.email}>")
    made = context.github.write_signed(tree, parent, message)
    context.mirror.fetch([made])
    return made


def _refuse_other_bytes(paths: Iterable[str]) -> None:
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise GitError(
                f"The name {path!a} is no UTF-8, so GitHub cannot write the commit and nothing was pushed.",
                hint="Set `commit.verified: false` for this repository, or finish this backport by hand.",
            ) from None


def _blobs(changes: dict[str, Entry | None], context: RepositoryContext) -> dict[Sha, bytes]:
    entries = [entry for entry in changes.values() if entry is not None and context.mirror.kind(entry.sha) == "blob"]
    return {entry.sha: context.mirror.read_blob(entry.sha) for entry in entries}
