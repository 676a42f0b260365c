"""Evidence that a commit of a branch is an original of the main branch in another form.

Evidence, strongest first: a merge brought the commit itself; it names its source; the patches are equal; it names a
number or has the same title. A name, a number or a title only says where to look: the commit must make the change too.
Each commit is examined once for all branches. Patches are compared only if their sets of paths are equal.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.git.diff_text import normalize, readable_patches
from bot.git.repository import Repository
from bot.history.commit_graph import Commits, IndexedCommit, Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.mainline import Mainline
from bot.history.message_references import numbers_in
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent

SourceMatch = tuple[Position, str]
"""A commit of the main branch and the sentence that says why it is the source."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A commit of the main branch that a commit of a branch names, and the words for it with and without its change."""

    main: Position
    words_if_confirmed: str
    words_if_not: str

    @classmethod
    def from_words(cls, main: Position, words: str) -> _Claim:
        return cls(main, f"{words}, and makes its change", f"{words}, but makes another change")


_CHUNK = 400
_AT_ONCE = 2
_ASIDE = re.compile(
    r"\(cherry picked from [^()]*\)|\(#\d+\)|#\d+|\[[^\[\]]*\]|\b(?:auto(?:mated|matic)?|manual)\b"
    r"|\b(?:back-?port|cherry-?pick)(?:ed|ing)?\b(?: of| from)?(?: prs?)?(?: on branch \S+)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_LONGEST_TITLE = 1000


class LandingEvidence:
    """The sources of each commit of the stable branches. Call `gather` first."""

    def __init__(
        self,
        repository: Repository,
        store: HistoryStore,
        commits: Commits,
        main: Mainline,
        references: ConfirmedReferences,
    ) -> None:
        self._repository = repository
        self._references = references
        self._store = store
        self._commits = commits
        self._main = main
        self._shown: dict[Position, list[SourceMatch]] = {}
        self._unconfirmed: dict[Position, list[SourceMatch]] = defaultdict(list)

    def of(self, position: Position) -> Sequence[SourceMatch]:
        """Return the commits of the main branch that this commit contains, with reasons."""
        return self._shown.get(position, ())

    def unconfirmed(self, position: Position) -> Sequence[SourceMatch]:
        """Return the commits of the main branch that this commit names although it makes another change."""
        return self._unconfirmed.get(position, ())

    def gather(self, positions: Set[Position], progress: Progress = silent) -> None:
        """Examine the stable branches' own commits.

        Raises:
            GitError: an object that is needed is missing.
        """
        for position in positions & self._main.brought_by.keys():
            self._shown[position] = [(position, "the commit itself reached the branch by a merge")]
        remaining_positions = [
            branch_commit
            for branch_commit in sorted(positions)
            if branch_commit not in self._shown and self._commits[branch_commit].paths_digest
        ]
        self._check_claims(
            {branch_commit: list(self._named_originals(branch_commit)) for branch_commit in remaining_positions}
        )
        remaining_positions = [
            branch_commit for branch_commit in remaining_positions if branch_commit not in self._shown
        ]
        self._by_patch(remaining_positions, progress)
        remaining_positions = [
            branch_commit for branch_commit in remaining_positions if branch_commit not in self._shown
        ]
        # A cherry-pick keeps the author date, even if its message and its patch were changed.
        same_date = self._by_author_date(remaining_positions)
        self._check_claims(
            {branch_commit: list(self._suspects(branch_commit, same_date)) for branch_commit in remaining_positions}
        )

    def _check_claims(self, claims: Mapping[Position, Sequence[_Claim]]) -> None:
        pairs = {(position, claim.main) for position, own_claims in claims.items() for claim in own_claims}
        confirmed_pairs = self._references.with_same_change(pairs)
        for position, own_claims in claims.items():
            if matches := [
                (claim.main, claim.words_if_confirmed)
                for claim in own_claims
                if (position, claim.main) in confirmed_pairs
            ]:
                self._shown[position] = matches
            # A revert names the commit that it takes back.
            elif not self._is_revert(position):
                self._unconfirmed[position] += [(claim.main, claim.words_if_not) for claim in own_claims]

    def _is_revert(self, position: Position) -> bool:
        references = self._commits[position].references
        return bool(references.reverts or references.reverts_numbers)

    def _named_originals(self, position: Position) -> Iterator[_Claim]:
        commit = f"{self._commits[position].sha[:12]} on the branch"
        words_if_confirmed = f"{commit} was cherry-picked from it"
        words_if_not = f"{commit} names it as its source, but makes another change"
        return (_Claim(main, words_if_confirmed, words_if_not) for main in self._sources(position, frozenset()))

    def _sources(self, position: Position, visited_positions: frozenset[Position]) -> Sequence[Position]:
        """Follow the named sources to commits of the main branch, through a backport of a backport too."""
        sources: list[Position] = []
        for name in self._commits[position].references.sources:
            source = self._commits.find(name)
            if source is None or source in visited_positions or source == position:
                continue
            sources += (
                [source] if source in self._main.brought_by else self._sources(source, visited_positions | {position})
            )
        return list(dict.fromkeys(sources))

    # --- equal patches ------------------------------------------------------------------------------------------------

    def _by_patch(self, positions: Sequence[Position], progress: Progress) -> None:
        paths_digests = {self._commits[position].paths_digest for position in positions}
        mains_by_paths = defaultdict(list)
        for position in self._main.brought_by:
            if (paths_digest := self._commits[position].paths_digest) in paths_digests:
                mains_by_paths[paths_digest].append(position)
        candidates = [position for position in positions if self._commits[position].paths_digest in mains_by_paths]
        mains = {main for equal_commits in mains_by_paths.values() for main in equal_commits}
        digests = self._digests({*candidates, *mains}, progress)
        for position in candidates:
            digest = digests.get(position)
            equal_commits = [
                main
                for main in mains_by_paths[self._commits[position].paths_digest]
                if digest and digests.get(main) == digest
            ]
            if equal_commits:
                reason = f"{self._commits[position].sha[:12]} on the branch makes the same change"
                self._shown[position] = [(main, reason) for main in equal_commits]

    def _digests(self, positions: Set[Position], progress: Progress) -> dict[Position, bytes]:
        shas = {self._commits[position].sha: position for position in positions}
        digests = self._store.digests(shas)
        unread = sorted(shas.keys() - digests.keys())
        chunks = [unread[begin : begin + _CHUNK] for begin in range(0, len(unread), _CHUNK)]
        # git computes the next patches while these are hashed.
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            for count, new_digests in enumerate(readers.map(self._digests_of, chunks)):
                progress(f"{len(unread) - count * _CHUNK} patches left to compare")
                self._store.keep_digests(new_digests)
                digests |= new_digests
        return {shas[sha]: digest for sha, digest in digests.items()}

    def _digests_of(self, commits: Sequence[Sha]) -> dict[Sha, bytes]:
        patches = readable_patches(self._repository, commits)
        digests = {sha: hashlib.sha256(normalize(patch)).digest() for sha, patch in patches.items()}
        # A patch that cannot be read, as in a partial clone, equals none. Its empty digest is stored, so that it is not
        # tried again.
        return dict.fromkeys(commits, b"") | digests

    # --- what people write --------------------------------------------------------------------------------------------

    def _suspects(
        self, position: Position, same_moment: Mapping[tuple[str, int], Sequence[Position]]
    ) -> Iterator[_Claim]:
        commit = self._commits[position]
        short = commit.sha[:12]
        for number in commit.references.backports:
            if (main := self._main.numbers.get(number)) is not None:
                yield _Claim.from_words(main, f"{short} on the branch says it is the backport of #{number}")
        for name in commit.references.hashes:
            if (source := self._commits.find(name)) is not None and source in self._main.brought_by:
                yield _Claim.from_words(source, f"{short} on the branch names {name[:12]} as its source")
        for number in numbers_in(commit.subject):
            main = self._main.numbers.get(number)
            if main is not None and _same_title(commit, self._commits[main]):
                yield _Claim.from_words(main, f"{short} on the branch has the title and number of #{number}")
        for main in same_moment.get((commit.author, commit.author_date), ()):
            if _same_title(commit, self._commits[main]):
                yield _Claim.from_words(main, f"{short} on the branch has its commit author, author date and title")

    def _by_author_date(self, positions: Iterable[Position]) -> Mapping[tuple[str, int], Sequence[Position]]:
        authors_and_dates = {
            (self._commits[position].author, self._commits[position].author_date) for position in positions
        }
        result = defaultdict(list)
        for position in self._main.brought_by:
            commit = self._commits[position]
            if (commit.author, commit.author_date) in authors_and_dates:
                result[commit.author, commit.author_date].append(position)
        return result


def _same_title(commit: IndexedCommit, original: IndexedCommit) -> bool:
    """Return True if a commit's title contains the whole title of an original."""
    return bool(title := _title_words(original.subject)) and f" {title} " in f" {_title_words(commit.subject)} "


def _title_words(subject: str) -> str:
    """Return a title's words without the additions of a backport."""
    return " ".join(_WORD.findall(_ASIDE.sub(" ", subject[:_LONGEST_TITLE]).casefold()))
