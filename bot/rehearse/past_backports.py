"""Finds the past backports of a repository: which commit of the main line was landed on which branch, as which commit.

Asks git three questions for the repository and one for each branch, whatever the number of backports. A backport whose
original is not certain is left out and counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot.errors import GitError
from bot.git.repository import Repository
from bot.history.message_references import own_number
from bot.models import Sha
from bot.rehearse.named_originals import SourceReference, read_source_reference
from bot.text.release_branches import looks_like_release


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A past backport: `original` of the main line was landed on `branch` as `backport`, on top of `parent`.

    `date` is when the backport was committed, in seconds since the epoch. Only history before it counts as known.
    """

    date: int
    backport: Sha
    original: Sha
    parent: Sha
    branch: str
    rule: str


@dataclass(frozen=True, slots=True)
class PastBackports:
    """The pairs, newest first, and the number of backports that were left out, by reason."""

    pairs: tuple[Pair, ...]
    left_out: Mapping[str, int]
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _BranchCommit:
    """A commit that is on a branch and not on the main line."""

    sha: Sha
    parents: tuple[Sha, ...]
    date: int
    message: str

    @property
    def source(self) -> SourceReference | None:
        return read_source_reference(self.message)


def find_past_backports(repository: Repository, glob: str | None = None) -> PastBackports:
    """Find the backports on the branches that a glob matches, or on those that look like release branches.

    Raises:
        GitError: the repository has no main line, or the glob matches no branch.
    """
    tips = repository.local_branches()
    main = _main_line(repository, tips)
    branches = _choose(tips, main, glob)
    originals = _Originals.read(repository, tips[main])
    left_out: Counter[str] = Counter()
    pairs: list[Pair] = []
    read: set[Sha] = set()
    first_parents: set[Sha] = set()
    for branch in branches:
        commits = [commit for commit in _read_branch(repository, tips[branch], tips[main]) if commit.sha not in read]
        read |= {commit.sha for commit in commits}
        first_parents |= {commit.sha for commit in _first_parents(commits)}
        if backports := list(_backports(commits)):
            # One call for the branch: most backports are checked against it.
            main_only = set(repository.git.text("rev-list", tips[main], f"^{tips[branch]}").split())
            pairs += _pairs(branch, backports, originals, main_only, left_out)
    # A release branch that is merged back makes its commits part of the main line's history, but not originals.
    result = sorted((pair for pair in pairs if pair.original not in first_parents), reverse=True)
    left_out["names a commit of a release branch"] += len(pairs) - len(result)
    return PastBackports(tuple(result), {reason: count for reason, count in left_out.items() if count}, branches)


def _main_line(repository: Repository, tips: Mapping[str, Sha]) -> str:
    head = repository.git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    default = head.stdout.decode(errors="surrogateescape").strip()
    for name in (default, "main", "master", "devel", "trunk"):
        if name in tips:
            return name
    raise GitError(
        "There is no main line: HEAD names no branch, and there is no main, master, devel or trunk.",
        hint="Point HEAD at the main branch: git symbolic-ref HEAD refs/heads/NAME.",
    )


def _choose(tips: Mapping[str, Sha], main: str, glob: str | None) -> tuple[str, ...]:
    def matches(name: str) -> bool:
        if glob:
            return fnmatchcase(name, glob)
        return looks_like_release(name)

    branches = tuple(name for name in sorted(tips) if name != main and matches(name))
    if not branches:
        condition = f"matches {glob!r}" if glob else "looks like a release branch"
        examples = ", ".join(sorted(tips)[:5])
        raise GitError(
            f"No branch {condition}; there is nothing to rehearse.",
            hint=f"Name some with --branches. There are {examples}.",
        )
    return branches


def _read_branch(repository: Repository, tip: Sha, main: Sha) -> Iterator[_BranchCommit]:
    """Yield the commits that a branch got after it forked from the main line, oldest first."""
    # A release branch may have been merged back into the main line, so the fork is where their first parents part.
    options = ("rev-list", "--first-parent", "--exclude-first-parent-only", tip, f"^{main}")
    chain = repository.git.text(*options).split()
    forks = repository.commit(Sha(chain[-1])).parents[:1] if chain else (tip,)
    excludes = [f"^{fork}" for fork in forks]
    log = repository.git.run("log", "--reverse", "--topo-order", "--format=%H%n%P%n%ct%n%B%x00", tip, *excludes)
    for entry in log.decode(errors="surrogateescape").split("\0"):
        if len(lines := entry.lstrip("\n").split("\n", 3)) == 4:
            yield _BranchCommit(Sha(lines[0]), tuple(map(Sha, lines[1].split())), int(lines[2] or 0), lines[3])


@dataclass(slots=True)
class _Originals:
    """The commits of the main line, by the start of their names and by pull request."""

    by_start: dict[str, list[Sha]] = field(default_factory=lambda: defaultdict(list))
    by_number: dict[int, list[Sha]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, repository: Repository, main: Sha) -> _Originals:
        originals = cls()
        # The main line may have any name as an ancestor, but only its first parents bear pull request numbers.
        for sha in repository.git.text("rev-list", main).split():
            originals.by_start[sha[:7]].append(Sha(sha))
        log = repository.git.run("log", "--first-parent", "--format=%H %s", main).decode(errors="surrogateescape")
        for line in log.splitlines():
            sha, _, title = line.partition(" ")
            number = own_number(title)
            if number is not None:
                originals.by_number[number].append(Sha(sha))
        return originals

    def find(self, source: SourceReference) -> set[Sha]:
        """Return the commits of the main line that a message names."""
        by_name = {sha for name in source.commits for sha in self.by_start.get(name[:7], ()) if sha.startswith(name)}
        return by_name | {sha for number in source.numbers for sha in self.by_number.get(number, ())}


def _pairs(
    branch: str,
    backports: Sequence[tuple[_BranchCommit, SourceReference]],
    originals: _Originals,
    main_only: set[str],
    left_out: Counter[str],
) -> Iterator[Pair]:
    for commit, source in backports:
        sources = originals.find(source)
        reason = _reason_against(commit, source, sources, main_only)
        if reason:
            left_out[reason] += 1
        else:
            yield Pair(commit.date, commit.sha, next(iter(sources)), commit.parents[0], branch, source.rule)


def _reason_against(commit: _BranchCommit, source: SourceReference, sources: set[Sha], main_only: set[str]) -> str:
    # A pick of a pick names both; only one of them is on the main line.
    if len(source.numbers) > 1 or len(sources) > 1:
        return "names several originals"
    if not sources:
        return "names no commit of the main line"
    if not commit.parents:
        return "has no parent"
    return "" if sources <= main_only else "the original itself is on the branch"


def _backports(commits: Sequence[_BranchCommit]) -> Iterator[tuple[_BranchCommit, SourceReference]]:
    """Yield the commits whose message says that they are backports; a merge and its commits count once.

    A commit that names a commit is the most precise. A merge counts for its commits if these only name pull requests.
    """
    sources = {commit.sha: source for commit in commits if (source := commit.source) is not None}
    inner = _commits_by_merge(commits)
    merge_of = {sha: merge for merge, shas in inner.items() for sha in shas}
    for commit in commits:
        source = sources.get(commit.sha)
        if source is None:
            continue
        precise = any(sources[sha].rule == "commit" for sha in inner.get(commit.sha, ()) if sha in sources)
        if source.rule == "commit" or not (precise or merge_of.get(commit.sha) in sources):
            yield commit, source


def _commits_by_merge(commits: Sequence[_BranchCommit]) -> dict[Sha, set[Sha]]:
    """Return, for each merge on the branch's first-parent chain, the commits that it brought in."""
    by_sha = {commit.sha: commit for commit in commits}
    line = _first_parents(commits)
    members = {commit.sha for commit in line}
    by_merge: dict[Sha, set[Sha]] = {}
    for merge in reversed(line):  # oldest first: a commit belongs to the first merge that brought it in
        shas: set[Sha] = set()
        stack = [*merge.parents[1:]]
        while stack:
            sha = stack.pop()
            if sha in by_sha and sha not in members:
                members.add(sha)
                shas.add(sha)
                stack += by_sha[sha].parents
        if shas:
            by_merge[merge.sha] = shas
    return by_merge


def _first_parents(commits: Sequence[_BranchCommit]) -> list[_BranchCommit]:
    """Return the branch's first-parent chain, newest first."""
    by_sha = {commit.sha: commit for commit in commits}
    line: list[_BranchCommit] = []
    tip = commits[-1] if commits else None
    while tip is not None:
        line.append(tip)
        tip = by_sha.get(tip.parents[0]) if tip.parents else None
    return line
