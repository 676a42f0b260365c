"""Finds the commit of a published version of the bot, so that a workflow can name what nobody can change."""

from __future__ import annotations

import re

from bot.errors import GitError
from bot.git.process import Git

_SECONDS = 60


def commit_of_tag(url: str, tag: str) -> str:
    """Return the commit that a tag of a repository has now; git asks the server, without any account.

    Raises:
        GitError: the server does not answer, or has no such tag.
    """
    git = Git()
    # The commit of an annotated tag is listed under `TAG^{}`: https://git-scm.com/docs/git-ls-remote
    result = git.attempt("ls-remote", "--", url, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}", seconds=_SECONDS)
    if result.code:
        raise git.error(result, f"The tags of {url} could not be read, so no file was written", hint=_HINT)
    lines = [line.partition("\t") for line in result.stdout.decode(errors="replace").splitlines()]
    commits = {ref: commit for commit, _, ref in lines}
    commit = commits.get(f"refs/tags/{tag}^{{}}") or commits.get(f"refs/tags/{tag}", "")
    if not re.fullmatch("[0-9a-f]{40}", commit):
        raise GitError(f"{url} has no tag {tag}, so no file was written.", hint=_HINT)
    return commit


_HINT = "Look at the releases there, and name one with --ref, e.g. --ref v1.2.0, or leave out --pin."
