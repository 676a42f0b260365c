"""What shows that a commit of a branch is an original of the main branch in another form.

Owns the kinds of evidence, strongest first. A name, a number or a title says where to look, and counts where the commit
makes the change. Each commit is asked once for all branches, and patches are only compared for equality where the sets
of paths are equal.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor

from bot.git.diff_text import normalized, readable_patches
from bot.git.repository import Repository
from bot.history.commits import Commits, IndexedCommit, Position
from bot.history.confirmed_references import ConfirmedReferences
from bot.history.mainline import Mainline
from bot.history.message_references import numbers_in
from bot.history.store import HistoryStore
from bot.models import Progress, Sha, silent

SourceMatch = tuple[Position, str]
"""A commit of the main branch and the sentence that says what shows it."""

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
    """What each commit of the stable branches shows. `gather` comes first."""

    def __init__(
        self,
        repository: Repository,
        store: HistoryStore,
        commits: Commits,
        main: Mainline,
        borne_out: ConfirmedReferences,
    ) -> None:
        self._repository = repository
        self._borne_out = borne_out
        self._store = store
        self._commits = commits
        self._main = main
        self._shown: dict[Position, list[SourceMatch]] = {}

    def of(self, position: Position) -> Sequence[SourceMatch]:
        """Return the commits of the main branch that this commit is shown to be."""
        return self._shown.get(position, ())

    def gather(self, own: Set[Position], progress: Progress = silent) -> None:
        """Look at the stable branches' own commits.

        Raises:
            GitError: an object that is needed is not here.
        """
        for position in own & self._main.brought_by.keys():
            self._shown[position] = [(position, "the commit itself reached the branch by a merge")]
        left = [at for at in sorted(own) if at not in self._shown and self._commits[at].touched]
        self._where_borne_out({at: list(self._named(at)) for at in left})
        left = [at for at in left if at not in self._shown]
        self._by_patch(left, progress)
        left = [at for at in left if at not in self._shown]
        same_moment = self._by_author_date(left)
        self._where_borne_out({at: list(self._suspects(at, same_moment)) for at in left})

    def _where_borne_out(self, suspected: Mapping[Position, Sequence[SourceMatch]]) -> None:
        pairs = {(at, main) for at, found in suspected.items() for main, _ in found}
        founded = self._borne_out.making(pairs)
        for at, found in suspected.items():
            if shown := [(main, how) for main, how in found if (at, main) in founded]:
                self._shown[at] = shown

    def _named(self, position: Position) -> Iterator[SourceMatch]:
        how = f"{self._commits[position].sha[:12]} on the branch was cherry-picked from it"
        return ((main, how) for main in self._sources(position, frozenset()))

    def _sources(self, position: Position, seen: frozenset[Position]) -> Sequence[Position]:
        """Follow names by hash, from a backport of a backport too, to commits of the main branch."""
        found: list[Position] = []
        for name in self._commits[position].claims.picked:
            at = self._commits.find(name)
            if at is None or at in seen or at == position:
                continue
            found += [at] if at in self._main.brought_by else self._sources(at, seen | {position})
        return list(dict.fromkeys(found))

    # --- equal patches ------------------------------------------------------------------------------------------------

    def _by_patch(self, own: Sequence[Position], progress: Progress) -> None:
        wanted = {self._commits[position].touched for position in own}
        alike = defaultdict(list)
        for position in self._main.brought_by:
            if (touched := self._commits[position].touched) in wanted:
                alike[touched].append(position)
        asked = [position for position in own if self._commits[position].touched in alike]
        mains = {main for found in alike.values() for main in found}
        digests = self._digests({*asked, *mains}, progress)
        for position in asked:
            same = digests.get(position)
            found = [each for each in alike[self._commits[position].touched] if same and digests.get(each) == same]
            if found:
                how = f"{self._commits[position].sha[:12]} on the branch makes the same change"
                self._shown[position] = [(each, how) for each in found]

    def _digests(self, positions: Set[Position], progress: Progress) -> dict[Position, bytes]:
        shas = {self._commits[position].sha: position for position in positions}
        known = self._store.digests(shas)
        missing = sorted(shas.keys() - known.keys())
        chunks = [missing[begin : begin + _CHUNK] for begin in range(0, len(missing), _CHUNK)]
        # git makes the next patches while these are read.
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            for done, made in enumerate(readers.map(self._digests_of, chunks)):
                progress(f"{len(missing) - done * _CHUNK} patches left to compare")
                self._store.keep_digests(made)
                known |= made
        return {shas[sha]: digest for sha, digest in known.items()}

    def _digests_of(self, commits: Sequence[Sha]) -> dict[Sha, bytes]:
        patches = readable_patches(self._repository, commits)
        made = {sha: hashlib.sha256(normalized(patch)).digest() for sha, patch in patches.items()}
        # What cannot be read, as in a partial clone, equals nothing; it is not tried every time.
        return dict.fromkeys(commits, b"") | made

    # --- what people write --------------------------------------------------------------------------------------------

    def _suspects(
        self, position: Position, same_moment: Mapping[tuple[str, int], Sequence[Position]]
    ) -> Iterator[SourceMatch]:
        commit = self._commits[position]
        short = commit.sha[:12]
        for number in commit.claims.backports:
            if (main := self._main.numbers.get(number)) is not None:
                yield main, f"{short} on the branch says it is the backport of #{number}, and makes its change"
        for name in commit.claims.hashes:
            if (at := self._commits.find(name)) is not None and at in self._main.brought_by:
                yield at, f"{short} on the branch names {name[:12]} as its source, and makes its change"
        for number in numbers_in(commit.subject):
            main = self._main.numbers.get(number)
            if main is not None and _same_title(commit, self._commits[main]):
                yield main, f"{short} on the branch has the title and number of #{number}, and makes its change"
        for main in same_moment.get((commit.author, commit.authored), ()):
            if _same_title(commit, self._commits[main]):
                yield main, f"{short} on the branch has its commit author, author date and title, and makes its change"

    def _by_author_date(self, own: Iterable[Position]) -> Mapping[tuple[str, int], Sequence[Position]]:
        wanted = {(self._commits[position].author, self._commits[position].authored) for position in own}
        found = defaultdict(list)
        for position in self._main.brought_by:
            commit = self._commits[position]
            if (commit.author, commit.authored) in wanted:
                found[commit.author, commit.authored].append(position)
        return found


def _same_title(one: IndexedCommit, other: IndexedCommit) -> bool:
    """Say whether a title holds the whole of another."""
    return bool(wanted := _title_words(other.subject)) and f" {wanted} " in f" {_title_words(one.subject)} "


def _title_words(subject: str) -> str:
    """Return a title's words without what a backport adds to it."""
    return " ".join(_WORD.findall(_ASIDE.sub(" ", subject[:_LONGEST_TITLE]).casefold()))
