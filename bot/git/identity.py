"""Whether a commit has landed on a branch already, by what the branch's own history says.

Owns the first steps of the identity ladder: the commit itself, a trailer that names it, a patch that equals it. An
empty pick, the step after these, is seen by the trial. Numbers and words in titles are no identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.git.message import picked_from, reverted
from bot.git.patch import commit_patches, normalized
from bot.git.repository import Repository
from bot.git.tree import commit_paths
from bot.model import Commit, Sha


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that is on the branch; `commit` is its form there and `how` what showed it."""

    commit: Sha
    how: str


def find_landed(repository: Repository, base_commit: Sha, commits: Sequence[Sha]) -> dict[Sha, Landed]:
    """Return which of these commits the branch at `base_commit` has; one that was reverted there is not had."""
    if not commits:
        return {}
    itself = "the commit itself is in the branch's history"
    own = {sha: Landed(sha, itself) for sha in commits if _is_in(repository, sha, base_commit)}
    asked = [sha for sha in commits if sha not in own]
    if not asked:
        return own
    telling = _telling_commits(repository, base_commit, asked)
    gone = _reverted_for_good(telling)
    found = own | dict(_by_trailer(telling, asked, gone))
    for sha in asked:
        equal = None if sha in found else _by_patch(repository, base_commit, sha, gone)
        if equal is not None:
            found[sha] = Landed(equal, f"{equal[:12]} on the branch makes the same change")
    return found


def _is_in(repository: Repository, sha: Sha, tip: Sha) -> bool:
    # `merge-base --is-ancestor` says the same, but walks 20 times as far where there is no commit-graph.
    return not repository.git.text("rev-list", "--max-count=1", sha, f"^{tip}")


def _telling_commits(repository: Repository, base_commit: Sha, commits: Sequence[Sha]) -> tuple[Commit, ...]:
    """Return the branch's own commits whose message names one of these commits or a revert, children before parents."""
    words = [f"--grep={sha}" for sha in commits] + ["--grep=This reverts commit"]
    excluded = [f"^{sha}" for sha in commits]
    listed = repository.git.text("rev-list", "--topo-order", "--fixed-strings", *words, base_commit, *excluded).split()
    return tuple(repository.commit(Sha(sha)) for sha in listed)


def _reverted_for_good(telling: Sequence[Commit]) -> set[str]:
    """Name what reverts took away, newest first: a revert that was itself reverted took nothing away."""
    gone: set[str] = set()
    for commit in telling:
        if not _is_gone(commit.sha, gone):
            gone.update(reverted(commit.message))
    return gone


def _by_trailer(telling: Sequence[Commit], asked: Sequence[Sha], gone: set[str]) -> Iterator[tuple[Sha, Landed]]:
    for commit in telling:
        for named in picked_from(commit.message):
            original = next((sha for sha in asked if sha.startswith(named)), None)
            if original is not None and not _is_gone(commit.sha, gone):
                yield original, Landed(commit.sha, f"{commit.sha[:12]} on the branch was cherry-picked from it")


def _by_patch(repository: Repository, base_commit: Sha, original: Sha, gone: set[str]) -> Sha | None:
    paths = frozenset(commit_paths(repository, repository.commit(original)))
    if not paths:
        return None
    # An equal patch touches every one of the paths, so one of them is enough to find it.
    listed = repository.git.text("rev-list", base_commit, f"^{original}", "--", f":(top,literal){min(paths)}").split()
    alike = [Sha(sha) for sha in listed if frozenset(commit_paths(repository, repository.commit(Sha(sha)))) == paths]
    if not alike:
        return None
    texts = {sha: normalized(patch) for sha, patch in commit_patches(repository, [original, *alike]).items()}
    return next((sha for sha in alike if texts[sha] == texts[original] and not _is_gone(sha, gone)), None)


def _is_gone(sha: Sha, gone: set[str]) -> bool:
    return any(sha.startswith(name) for name in gone)
