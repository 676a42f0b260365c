"""Past backports of a repository: which commit of the main line was brought where, by which commit.

Owns the search. Asks git three questions for the repository and one for each branch, whatever the number of backports.
What cannot be told for certain is left out and counted, never guessed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bot.errors import GitError
from bot.git.repository import Repository
from bot.history.message_references import own_number
from bot.models import Sha
from bot.rehearse.backports import Naming, read_naming

# A version with a dot or an x in it, or a word for release branches with any number.
_RELEASE = re.compile(
    r"""
    (?:[\w-]+[/_-])? v?\d+(?:[._-]\d+)*[._-](?:\d+|x)
  | (?:[\w.]+[/_-])? (?:v|rel|release|releases|stable|maint|maintenance|support|branch|lts)[/_-]?v?\d[\w.]*
  | v?\d[\d._-]*-(?:stable|maint|lts)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A branch of one pull request: what stands on it is not landed, and is what the release branch gets a little later.
_OF_ONE_PICK = re.compile(r"(?:^|[/_-])(?:back-?ports?|cherry-?picks?|reverts?)[/_-]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A past backport: `original` of the main line was landed on `branch` as `backport`, on top of `parent`.

    `date` is when the backport was committed, in seconds since the epoch: what is known before it counts as known.
    """

    date: int
    backport: Sha
    original: Sha
    parent: Sha
    branch: str
    rule: str


@dataclass(frozen=True, slots=True)
class Mined:
    """The pairs, newest first, and how many backports were left out for which reason."""

    pairs: tuple[Pair, ...]
    left_out: Mapping[str, int]
    branches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A commit that is on a branch and not on the main line."""

    sha: Sha
    parents: tuple[Sha, ...]
    date: int
    message: str

    @property
    def naming(self) -> Naming | None:
        return read_naming(self.message)


def mine(repository: Repository, glob: str | None = None) -> Mined:
    """Find the backports on the branches that a glob names, or on those that look like release branches.

    Raises:
        GitError: the repository has no main line, or no branch answers to the glob.
    """
    tips = repository.known_branches()
    main = _main_line(repository, tips)
    branches = _choose(tips, main, glob)
    originals = _Originals.read(repository, tips[main])
    left_out: Counter[str] = Counter()
    pairs: list[Pair] = []
    seen: set[Sha] = set()
    own: set[Sha] = set()
    for branch in branches:
        told = [each for each in _tell(repository, tips[branch], tips[main]) if each.sha not in seen]
        seen |= {each.sha for each in told}
        own |= {each.sha for each in _line(told)}
        if telling := list(_telling(told)):
            absent = set(repository.git.text("rev-list", tips[main], f"^{tips[branch]}").split())
            pairs += _pairs(branch, telling, originals, absent, left_out)
    # A release branch that is merged back makes its own commits part of the main line's history, not originals.
    kept = sorted((pair for pair in pairs if pair.original not in own), reverse=True)
    left_out["names a commit of a release branch"] += len(pairs) - len(kept)
    return Mined(tuple(kept), {reason: count for reason, count in left_out.items() if count}, branches)


def _main_line(repository: Repository, tips: Mapping[str, Sha]) -> str:
    done = repository.git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    pointed = done.stdout.decode(errors="surrogateescape").strip()
    for name in (pointed, "main", "master", "devel", "trunk"):
        if name in tips:
            return name
    raise GitError(
        "There is no main line: HEAD names no branch, and there is no main, master, devel or trunk.",
        hint="Point HEAD at the main branch: git symbolic-ref HEAD refs/heads/NAME.",
    )


def _choose(tips: Mapping[str, Sha], main: str, glob: str | None) -> tuple[str, ...]:
    def wanted(name: str) -> bool:
        if glob:
            return fnmatchcase(name, glob)
        return _RELEASE.fullmatch(name) is not None and not _OF_ONE_PICK.search(name)

    chosen = tuple(name for name in sorted(tips) if name != main and wanted(name))
    if not chosen:
        looked_for = f"matches {glob!r}" if glob else "looks like a release branch"
        near = ", ".join(sorted(tips)[:5])
        raise GitError(
            f"No branch {looked_for}; there is nothing to rehearse.",
            hint=f"Name some with --branches. There are {near}.",
        )
    return chosen


def _tell(repository: Repository, tip: Sha, main: Sha) -> Iterator[_Told]:
    """Yield the commits that a branch got after it forked from the main line, oldest first."""
    # A release branch may have been merged back into the main line, so the fork is where their first parents part.
    own = ("rev-list", "--first-parent", "--exclude-first-parent-only", tip, f"^{main}")
    chain = repository.git.text(*own).split()
    forks = repository.commit(Sha(chain[-1])).parents[:1] if chain else (tip,)
    excluded = [f"^{fork}" for fork in forks]
    listed = repository.git.run("log", "--reverse", "--topo-order", "--format=%H%n%P%n%ct%n%B%x00", tip, *excluded)
    for entry in listed.decode(errors="surrogateescape").split("\0"):
        if len(lines := entry.lstrip("\n").split("\n", 3)) == 4:
            yield _Told(Sha(lines[0]), tuple(map(Sha, lines[1].split())), int(lines[2] or 0), lines[3])


@dataclass(slots=True)
class _Originals:
    """What the main line has: its commits by the start of their names, and by pull request."""

    by_start: dict[str, list[Sha]] = field(default_factory=lambda: defaultdict(list))
    by_number: dict[int, list[Sha]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, repository: Repository, main: Sha) -> _Originals:
        found = cls()
        for sha in repository.git.text("rev-list", main).split():
            found.by_start[sha[:7]].append(Sha(sha))
        listed = repository.git.run("log", "--first-parent", "--format=%H %s", main).decode(errors="surrogateescape")
        for line in listed.splitlines():
            sha, _, title = line.partition(" ")
            number = own_number(title)
            if number is not None:
                found.by_number[number].append(Sha(sha))
        return found

    def named(self, naming: Naming) -> set[Sha]:
        """Return the commits of the main line that a message means."""
        by_name = {sha for name in naming.commits for sha in self.by_start.get(name[:7], ()) if sha.startswith(name)}
        return by_name | {sha for number in naming.numbers for sha in self.by_number.get(number, ())}


def _pairs(
    branch: str,
    telling: Sequence[tuple[_Told, Naming]],
    originals: _Originals,
    absent: set[str],
    left_out: Counter[str],
) -> Iterator[Pair]:
    for each, naming in telling:
        named = originals.named(naming)
        reason = _reason_against(each, naming, named, absent)
        if reason:
            left_out[reason] += 1
        else:
            yield Pair(each.date, each.sha, next(iter(named)), each.parents[0], branch, naming.rule)


def _reason_against(each: _Told, naming: Naming, named: set[Sha], absent: set[str]) -> str:
    # A pick of a pick names both; only one of them is on the main line.
    if len(naming.numbers) > 1 or len(named) > 1:
        return "names several originals"
    if not named:
        return "names no commit of the main line"
    if not each.parents:
        return "has no parent"
    return "" if named <= absent else "the original itself is on the branch"


def _telling(told: Sequence[_Told]) -> Iterator[tuple[_Told, Naming]]:
    """Yield the commits that say they are backports; what a merge and its own commits both say counts once.

    Commits that name commits are the closest word; a merge stands for its commits where these only name pull requests.
    """
    namings = {each.sha: naming for each in told if (naming := each.naming) is not None}
    inner = _merged_in(told)
    merged_by = {sha: merge for merge, commits in inner.items() for sha in commits}
    for each in told:
        naming = namings.get(each.sha)
        if naming is None:
            continue
        closer = any(namings[sha].rule == "commit" for sha in inner.get(each.sha, ()) if sha in namings)
        if naming.rule == "commit" or not (closer or merged_by.get(each.sha) in namings):
            yield each, naming


def _merged_in(told: Sequence[_Told]) -> dict[Sha, set[Sha]]:
    """Return, for each merge that the branch itself made, the commits that it brought in."""
    known = {each.sha: each for each in told}
    line = _line(told)
    owned = {each.sha for each in line}
    found: dict[Sha, set[Sha]] = {}
    for merge in reversed(line):  # oldest first: what an older merge brought in is not brought in again
        brought: set[Sha] = set()
        stack = [*merge.parents[1:]]
        while stack:
            sha = stack.pop()
            if sha in known and sha not in owned:
                owned.add(sha)
                brought.add(sha)
                stack += known[sha].parents
        if brought:
            found[merge.sha] = brought
    return found


def _line(told: Sequence[_Told]) -> list[_Told]:
    """Return the commits that the branch itself got, newest first: what was merged in is left out."""
    known = {each.sha: each for each in told}
    line: list[_Told] = []
    tip = told[-1] if told else None
    while tip is not None:
        line.append(tip)
        tip = known.get(tip.parents[0]) if tip.parents else None
    return line
