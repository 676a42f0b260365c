"""Whether a commit has landed on a branch already, by what the branch's own history says.

Owns the first steps of the identity ladder: the commit itself, a trailer that names it, a patch that equals it. An
empty pick, the step after these, is seen by the trial. Numbers and words in titles are no identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.git.log import LoggedCommit
from bot.git.message import picked_from, reverted
from bot.git.own_history import OwnHistories, OwnHistory
from bot.git.patch import commit_patches, normalized
from bot.git.repository import Repository
from bot.git.tree import commit_paths
from bot.model import Sha


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that is on the branch; `commit` is its form there and `how` what showed it."""

    commit: Sha
    how: str


def find_landed(
    repository: Repository, base_commit: Sha, commits: Sequence[Sha], histories: OwnHistories | None = None
) -> dict[Sha, Landed]:
    """Return which of these commits the branch at `base_commit` has; one that was reverted there is not had.

    With `histories` several branches that were announced there are read together.
    """
    if not commits:
        return {}
    paths = {sha: frozenset(commit_paths(repository, repository.commit(sha))) for sha in commits}
    # An equal patch touches every one of the paths, so one of them is enough to find it.
    told = {sha: min(each) for sha, each in paths.items() if each}
    listed = sorted(set(told.values()))
    own = (histories or OwnHistories()).read(repository, base_commit, commits, listed)
    itself = "the commit itself is in the branch's history"
    found = {sha: Landed(sha, itself) for sha in commits if _is_in(repository, sha, base_commit, own, len(commits))}
    asked = [sha for sha in commits if sha not in found]
    named, gone = _read_messages(own.commits, asked)
    found |= named
    for sha in asked:
        equal = None
        if sha not in found and sha in told:
            touching = [each.sha for each in own.commits if told[sha] in each.paths and len(each.parents) < 2]
            equal = _by_patch(repository, touching, sha, paths[sha], gone)
        if equal is not None:
            found[sha] = Landed(equal, f"{equal[:12]} on the branch makes the same change")
    return found


def _is_in(repository: Repository, sha: Sha, tip: Sha, own: OwnHistory, asked: int) -> bool:
    if sha in own.shared:
        return True
    # Of a single original the first commit that the branch shares is it, if it is there at all.
    return asked > 1 and not repository.git.text("rev-list", "--max-count=1", sha, f"^{tip}")


def _read_messages(telling: Iterable[LoggedCommit], asked: Sequence[Sha]) -> tuple[dict[Sha, Landed], dict[str, Sha]]:
    """Return what trailers name, and what reverts took away, by the name in their message with the newest of them.

    A revert counts against what is older. It may have been made on the branch, or on main and picked from there with
    main's names in it; and what was reverted in turn, under whichever name, took nothing away.
    """
    found: dict[Sha, Landed] = {}
    gone: dict[str, Sha] = {}
    for commit in telling:
        sources = [_full(name, asked) for name in picked_from(commit.message)]
        if any(_taken_by(name, gone) for name in (commit.sha, *sources)):
            continue
        how = f"{commit.sha[:12]} on the branch was cherry-picked from it"
        found.update({sha: Landed(commit.sha, how) for sha in asked if sha in sources})
        for name in reverted(commit.message):
            gone.setdefault(name, commit.sha)
    return found, gone


def _full(name: str, asked: Sequence[Sha]) -> str:
    return next((sha for sha in asked if sha.startswith(name)), name)


def _taken_by(sha: str, gone: Mapping[str, Sha]) -> Sha | None:
    return next((revert for name, revert in gone.items() if sha.startswith(name)), None)


def _by_patch(
    repository: Repository, touching: Sequence[Sha], original: Sha, paths: frozenset[str], gone: Mapping[str, Sha]
) -> Sha | None:
    alike = [sha for sha in touching if frozenset(commit_paths(repository, repository.commit(sha))) == paths]
    if not alike:
        return None
    texts = {sha: normalized(patch) for sha, patch in commit_patches(repository, [original, *alike]).items()}
    same = (sha for sha in alike if texts[sha] == texts[original])
    return next((sha for sha in same if not _is_gone(repository, sha, original, gone)), None)


def _is_gone(repository: Repository, sha: Sha, original: Sha, gone: Mapping[str, Sha]) -> bool:
    """Say whether a commit that makes the original's change was reverted, by its own name or by the original's."""
    if _taken_by(sha, gone):
        return True
    revert = _taken_by(original, gone)
    return revert is not None and repository.is_ancestor(sha, revert)
