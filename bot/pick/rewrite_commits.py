"""Rewrites a candidate's commits with the same trees: to sign them off, or to let GitHub write them.

It runs before the proof, because the pushed commit must be the proven one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.git.commit_message import with_trailer
from bot.git.repository import Repository
from bot.models import Candidate, Commit, Sha, Signature

Write = Callable[[Commit, Sha], Sha]
"""Writes a copy of a commit on top of another parent and returns its name."""


def rewrite(repository: Repository, candidate: Candidate, write: Write) -> Candidate:
    """Return the candidate with every commit rewritten, oldest first."""
    new_names: dict[Sha, Sha] = {}
    tip = candidate.base_commit
    for sha in candidate.commits:
        # A rewritten parent changes the name of every commit above it.
        tip = new_names[sha] = write(repository.commit(sha), tip)
    return replace(
        candidate,
        commit=tip,
        commits=tuple(new_names.values()),
        companions=tuple(replace(companion, commit=new_names[companion.commit]) for companion in candidate.companions),
    )


def sign_off(repository: Repository, candidate: Candidate, committer: Signature) -> Candidate:
    """Add the committer's Signed-off-by (the Developer Certificate of Origin) to every commit that lacks it."""

    def write(commit: Commit, parent: Sha) -> Sha:
        message = with_trailer(commit.message, "Signed-off-by", f"{committer.name} <{committer.email}>")
        return repository.writer.write_commit(commit.tree, (parent,), message, commit.author, committer)

    return rewrite(repository, candidate, write)
