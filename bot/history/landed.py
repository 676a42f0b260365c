"""Finds out whether a commit has landed on a branch, by the branch's own history.

Evidence, strongest first: the commit itself; a commit that names it and makes its change; an equal patch. An empty pick
is the next evidence, which a trial finds. Names, numbers and titles only say where to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.git.branch_only_commits import BranchHistory, BranchOnlyCommits
from bot.git.diff_text import commit_patches, normalize
from bot.git.log import LoggedCommit
from bot.git.repository import Repository
from bot.git.same_change import borne_out, undoes
from bot.git.trees import commit_paths
from bot.history.branch_replay import Replay
from bot.history.commit_graph import carriers
from bot.history.commit_names import CommitNames
from bot.history.message_references import numbers_in, own_number, parse_references
from bot.models import Sha

_SHORT = 12


@dataclass(frozen=True, slots=True)
class LandedCommit:
    """A commit that is or was on the branch. `commit` is its form there, or its revert, and `reason` says why."""

    commit: Sha
    reason: str


@dataclass(frozen=True, slots=True)
class LandingStatus:
    """The commits that `landed` on a branch, those that landed and were `reverted`, and those that a commit of the
    branch names as its source without making their change (`unfounded`, with that commit).
    """

    landed: Mapping[Sha, LandedCommit] = field(default_factory=dict)
    reverted: Mapping[Sha, LandedCommit] = field(default_factory=dict)
    unfounded: Mapping[Sha, Sha] = field(default_factory=dict)


def find_landed(
    repository: Repository,
    base_commit: Sha,
    commits: Sequence[Sha],
    histories: BranchOnlyCommits | None = None,
    leave_out: Sequence[str] = (),
) -> dict[Sha, LandedCommit]:
    """Return those of the commits that the branch at `base_commit` has; a commit that was reverted there does not
    count.

    With `histories` several branches that were announced there are read together. A pick without the files that a glob
    of `leave_out` matches counts as well.
    """
    return dict(find_landing_status(repository, base_commit, commits, histories, leave_out).landed)


def find_landing_status(
    repository: Repository,
    base_commit: Sha,
    commits: Sequence[Sha],
    histories: BranchOnlyCommits | None = None,
    leave_out: Sequence[str] = (),
) -> LandingStatus:
    """Return the landed, the reverted and the unfounded commits among `commits`; the arguments are `find_landed`'s."""
    if not commits:
        return LandingStatus()
    paths = {sha: frozenset(commit_paths(repository, repository.commit(sha))) for sha in commits}
    # An equal patch changes each of the paths, so commits that change one of them are enough to read.
    sample_paths = {sha: min(paths_of_commit) for sha, paths_of_commit in paths.items() if paths_of_commit}
    branch_commits = (histories or BranchOnlyCommits()).read(
        repository, base_commit, commits, sorted(set(sample_paths.values()))
    )
    ancestors = [sha for sha in commits if _is_in(repository, sha, base_commit, branch_commits, len(commits))]
    branch = _Branch(repository, branch_commits)
    by_name, unfounded = branch.find_named(commits, leave_out)
    replay = branch.replay(ancestors, by_name)
    remaining_commits = [sha for sha in commits if sha not in replay.present and sha in sample_paths]
    by_patch = {sha: branch.equal(sha, sample_paths[sha], paths[sha]) for sha in remaining_commits}
    # A landing found by its patch can precede a revert, so the commits are replayed once more.
    if any(by_patch.values()):
        replay = branch.replay(ancestors, by_name, by_patch)
    return LandingStatus(
        landed={sha: LandedCommit(entry.commit, entry.reason) for sha, entry in replay.present.items()},
        reverted={sha: LandedCommit(entry.commit, entry.reason) for sha, entry in replay.reverted.items()},
        unfounded={sha: commit for sha, commit in unfounded.items() if sha not in replay.present},
    )


def _is_in(repository: Repository, sha: Sha, tip: Sha, branch_commits: BranchHistory, number_asked: int) -> bool:
    if sha in branch_commits.shared_commits:
        return True
    # If a single original is on the branch, it is the first shared commit, so `shared` contains it.
    return number_asked > 1 and not repository.git.text("rev-list", "--max-count=1", sha, f"^{tip}")


CommitsByOriginal = Mapping[Sha, Iterable[Sha]]
"""Original → the branch's commits that make its change."""


class _Branch:
    """A branch's own commits, oldest first, and the references in their messages."""

    def __init__(self, repository: Repository, branch_commits: BranchHistory) -> None:
        self._repository = repository
        self._commits = tuple(reversed(branch_commits.commits))
        self._claims = {commit.sha: parse_references(commit.message) for commit in self._commits}
        self._brought_in = _brought_in(self._commits)

    def find_named(
        self, originals: Iterable[Sha], leave_out: Sequence[str]
    ) -> tuple[dict[Sha, list[Sha]], dict[Sha, Sha]]:
        """Return the commits that name each original and make its change, and for each other named original one that
        names it.
        """
        numbers = {sha: own_number(self._repository.commit(sha).subject) for sha in originals}
        claims = [(commit.sha, sha) for commit in self._commits for sha in numbers if self._names(commit, sha, numbers)]
        # A number in a title says less: it also stands in what people write about a fix.
        hints = [
            (commit.sha, sha)
            for commit in self._commits
            for sha, number in numbers.items()
            if number in numbers_in(commit.subject)
        ]
        pairs = list(dict.fromkeys((*claims, *hints)))
        confirmed_pairs = borne_out(self._repository, pairs, leave_out=leave_out)
        by_name: dict[Sha, list[Sha]] = defaultdict(list)
        for commit, sha in pairs:
            if (commit, sha) in confirmed_pairs:
                by_name[sha].append(commit)
        return by_name, {sha: commit for commit, sha in claims if (commit, sha) not in confirmed_pairs}

    def _names(self, commit: LoggedCommit, original: Sha, numbers: Mapping[Sha, int | None]) -> bool:
        references = self._claims[commit.sha]
        by_hash = any(original.startswith(name) for name in (*references.sources, *references.hashes))
        return by_hash or numbers[original] in references.backports

    def equal(self, original: Sha, sample_path: str, paths: frozenset[str]) -> list[Sha]:
        """Return the commits that make the same change as an original in the same paths."""
        candidates = [commit.sha for commit in self._commits if sample_path in commit.paths and len(commit.parents) < 2]
        alike = [sha for sha in candidates if self._paths(sha) == paths]
        if not alike:
            return []
        # The paths are compared first, because a patch costs much more than a list of paths.
        texts = {sha: normalize(patch) for sha, patch in commit_patches(self._repository, [original, *alike]).items()}
        return [sha for sha in alike if texts[sha] == texts[original]]

    def _paths(self, sha: Sha) -> frozenset[str]:
        return frozenset(commit_paths(self._repository, self._repository.commit(sha)))

    def replay(
        self, ancestors: Iterable[Sha], by_name: CommitsByOriginal, by_patch: CommitsByOriginal | None = None
    ) -> Replay[Sha, Sha]:
        """Replay the commits, oldest first."""
        brings = defaultdict(list)
        for originals, reason in ((by_patch or {}, "makes the same change"), (by_name, "was cherry-picked from it")):
            for original, commits in originals.items():
                for sha in commits:
                    brings[sha].append((original, f"{sha[:_SHORT]} on the branch {reason}"))
        replay = Replay[Sha, Sha](
            lambda commit, target: undoes(self._repository, commit, target), lambda sha: sha[:_SHORT]
        )
        for sha in ancestors:
            replay.bring([sha], sha, "the commit itself is in the branch's history")
        names = CommitNames[Sha]()
        for sha in ancestors:
            names.add(sha, self._repository.commit(sha).subject, [sha])
        for commit in self._commits:
            references, arrivals = self._claims[commit.sha], self._arrivals(commit.sha)
            replay.take_back(arrivals, names.reverted_commits(references))
            for original, reason in brings[commit.sha]:
                replay.bring(arrivals, original, reason)
            sources = (original for original, _ in brings[commit.sha])
            names.add(commit.sha, commit.subject, (commit.sha, *references.sources, *sources))
        return replay

    def _arrivals(self, sha: Sha) -> list[Sha]:
        return list(dict.fromkeys((sha, self._brought_in.get(sha, sha))))


def _brought_in(commits: Sequence[LoggedCommit]) -> dict[Sha, Sha]:
    """Return, for each commit that a merge of the branch brought, that merge; `commits` are oldest first."""
    parents = {commit.sha: commit.parents for commit in commits}
    chain = []
    tip = commits[-1].sha if commits else None
    while tip in parents:
        chain.append(tip)
        tip = next(iter(parents[tip]), None)
    return carriers(chain, parents.__getitem__, parents)
