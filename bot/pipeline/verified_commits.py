"""Lets GitHub write and sign the candidate's commits ("Verified"), if the configuration asks for it.

The bot becomes the commit's author, and a trailer credits the original author. The result is fetched into the mirror,
so what is proven and pushed is exactly what GitHub signed.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.errors import GitError
from bot.git.commit_message import with_trailer
from bot.git.objects import SUBMODULE, Entry
from bot.git.trees import find_entry
from bot.models import Candidate, Commit, Sha
from bot.pick.rewrite_commits import rewrite
from bot.pipeline.context import RepositoryContext


def signed_by_github(candidate: Candidate, context: RepositoryContext) -> Candidate:
    """Return the candidate with GitHub's commits in place of ours; unchanged if the configuration does not ask for it.

    GitHub removes stored commits that no branch comes to refer to.

    Raises:
        GitHubError: GitHub did not store a commit.
        FetchFailed: it stored the commit, but does not serve it by its name.
    """
    if not context.config.commit.verified:
        return candidate
    rewritten = rewrite(context.mirror, candidate, lambda commit, parent: _write(commit, parent, context))
    context.progress(f"{candidate.branch}: written and signed by GitHub as {rewritten.commit[:12]}")
    return rewritten


def is_by_bot(commit: Commit, context: RepositoryContext) -> bool:
    """Return whether GitHub wrote a commit in the name of the bot's account, and no one changed it since."""
    noreply_address = f"{context.github.login}@users.noreply.github.com".casefold()
    author, committer = commit.author.email.casefold(), commit.committer.email.casefold()
    return author.rpartition("+")[2] == noreply_address and committer in (author, "noreply@github.com")


def _write(commit: Commit, parent: Sha, context: RepositoryContext) -> Sha:
    before = context.mirror.commit(parent).tree
    paths = context.mirror.changed_paths(before, commit.tree)
    _refuse_other_bytes(paths)
    changes = {path: find_entry(context.mirror, commit.tree, path) for path in paths}
    tree = context.github.upload_tree(before, changes, _blobs(changes, context))
    # What was picked must be what is pushed, also if GitHub stores a path or a mode in another way.
    if tree != commit.tree:
        raise GitError(
            f"GitHub stored the files of {commit.sha[:12]} as another tree, so nothing was pushed.",
            hint="Set `commit.verified: false` for this repository.",
        )
    # GitHub signs only commits whose author is the account of the token.
    author = commit.author
    message = with_trailer(commit.message, "Co-authored-by", f"{author.name} <{author.email}>")
    commit_sha = context.github.write_signed(tree, parent, message)
    context.heads.fetch([commit_sha])
    return commit_sha


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
    entries = [entry for entry in changes.values() if entry is not None and entry.mode != SUBMODULE]
    return {entry.sha: context.mirror.read_blob(entry.sha) for entry in entries}
