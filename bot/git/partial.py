"""A mirror that holds a part of its remote's objects and fetches more only when something asks for it.

Tiers, each fetched only if the one before does not do: commits with their trees, without history and files
(`fetch`); single files and trees (`bring…`); what branches alone have (`exclusions`); the whole history without
trees (`complete_history`); everything (`fetch_whole`). See https://git-scm.com/docs/partial-clone and
https://git-scm.com/docs/shallow.

A partial mirror answers as a whole one would. git fetches by itself what an object that it reads lacks, as the remote
is its promisor. A question about history is answered from a shallow one only if that is certain
(`bot.git.history_questions`), else after the history is complete. `bring…` only spare round trips.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from bot.errors import FetchFailed
from bot.git.commit_difference import fetch_difference
from bot.git.connection import Answer, Connection, retry
from bot.git.history_questions import is_certain
from bot.git.known_history import Difference, Divergence, KnownHistory
from bot.git.object_source import FETCH, NO_FILES, NO_TREES, WITHOUT_NEGOTIATION, ObjectSource
from bot.git.objects import parse_commit
from bot.git.open import create_repo
from bot.git.packs import adopt_packs
from bot.git.process import Git, ProcessResult
from bot.git.shallow_file import ShallowFile
from bot.models import Sha

log = logging.getLogger(__name__)

KEPT_REFS = "refs/backport-bot/fetched/"
_MARK = "backport-bot.partial"
_HINT = "Check the repository's URL, the token's access and the network."
_FATAL = 128
"""The code with which git ends if it cannot go on."""
_SHA = re.compile(r"[0-9a-f]{40}")


class PartialMirror(ObjectSource):
    """What a git directory holds of its remote's history, and how to get the rest. Threads may share it."""

    def __init__(self, git: Git, connection: Connection) -> None:
        super().__init__(git, connection)
        self._plain_git = Git(git.directory)
        git.through = self._outlast_loss
        self.history = KnownHistory(self._seen_parents)
        self._parents: dict[Sha, tuple[Sha, ...]] = {}
        self._shallow = ShallowFile(Path(git.directory), self._raw_parents)

    def mark(self) -> None:
        """Mark the git directory as partial, so that nobody takes it for a whole one later."""
        self.git.run("config", _MARK, "true")

    @staticmethod
    def is_marked(git: Git) -> bool:
        """Say whether a git directory is a partial mirror."""
        return git.attempt("config", "--get", _MARK).stdout.strip() == b"true"

    @property
    def is_shallow(self) -> bool:
        """Whether the history ends at commits that are not its first ones."""
        return bool(self._shallow.cut)

    # --- commits ------------------------------------------------------------------------------------------------------

    def fetch(self, names: Iterable[str]) -> None:
        """Fetch commits (by object name) or refs (by refspec) with their parents and the trees of both, in one request.

        A commit is kept by a ref. One that was fetched before costs nothing.

        Raises:
            FetchFailed: the remote could not be asked or does not have one.
        """
        with self.lock:
            missing_names = [name for name in dict.fromkeys(names) if not self._is_kept(name)]
            if not missing_names:
                return
            refspecs = [f"+{name}:{KEPT_REFS}{name}" if _SHA.fullmatch(name) else name for name in missing_names]
            result = self._fetch("--depth=2", NO_FILES, refspecs=refspecs, options=WITHOUT_NEGOTIATION)
            if result.code:
                # A server may know no such requests; then this one names what is wrong, or brings everything.
                self.give_up(result, refspecs, f"{', '.join(missing_names)} could not be fetched")

    def diverge(self, first: Sha, second: Sha) -> None:
        """Fetch the commits, without trees, that only one of two commits has, if the remote tells them."""
        with self.lock:
            own_of_second = self._fetch_difference([second], [first]) if self._shallow.cut else None
            forks = own_of_second.shared if own_of_second else frozenset()
            own_of_first = self._fetch_difference([first], forks) if forks else None
            if own_of_first and own_of_second:
                sides = own_of_first.own, own_of_second.own
                self.history.divergences.append(Divergence(sides, forks | own_of_first.shared, forks))

    def _fetch_difference(self, tips: Collection[Sha], others: Collection[Sha]) -> Difference | None:
        """Fetch what the tips have and the others have not; None if the remote does not tell."""
        self._fetch_alone({*tips, *others})
        with fetch_difference(self, tips, others) as fetched:
            if fetched is None:
                return None
            # git looks for each parent of what is here.
            self._fetch_alone(fetched.shared)
            adopt_packs(fetched.objects, Path(self.git.directory, "objects"))
            self._parents |= fetched.parents
        self._shallow.mend()
        own = frozenset(fetched.parents)
        difference = Difference(frozenset(others), own, fetched.shared | frozenset(tips) - own)
        self.history.differences.append(difference)
        return difference

    def exclusions(self, tips: Collection[Sha], commits: Collection[Sha]) -> frozenset[Sha]:
        """Return what to exclude besides `commits`, so that git lists exactly what `tips` have and those have not.

        Fetches just that, or the whole history if the remote does not tell.
        """
        with self.lock:
            known = self._known_exclusions(tips, commits)
            if known is None and self._fetch_difference(tips, commits):
                known = self._known_exclusions(tips, commits)
            if known is None:
                self.complete_history()
            return known or frozenset()

    def _known_exclusions(self, tips: Collection[Sha], commits: Collection[Sha]) -> frozenset[Sha] | None:
        return self.history.exclusions(tips, commits) if self._shallow.cut else frozenset()

    def require_history(self, arguments: Sequence[str]) -> None:
        """Complete the history if a git command might answer otherwise with more of it."""
        with self.lock:
            if self._shallow.cut and not is_certain(arguments, self.history):
                self.complete_history()

    def complete_history(self) -> None:
        """Fetch all commits behind those that are kept, without trees.

        Raises:
            FetchFailed: the remote could not be asked.
        """
        with self.lock:
            if not self._shallow.cut:
                return
            kept_commits = self.git.text("for-each-ref", "--format=%(objectname)", "refs/backport-bot/").split()
            refspecs = [f"+{sha}:{KEPT_REFS}{sha}" for sha in dict.fromkeys(kept_commits)]
            result = self._fetch("--unshallow", NO_TREES, refspecs=refspecs)
            if result.code or self._shallow.cut:
                self.give_up(result, refspecs, "The history could not be fetched")

    def fetch_whole(self, refspecs: Sequence[str], action: str) -> None:
        """Fetch commits with all their history and files, and everything that was left out before.

        Raises:
            FetchFailed: the remote could not be asked or lacks one; the message begins with `action`.
        """
        with self.lock:
            kept_refs = self.git.text(
                "for-each-ref", "--format=+%(objectname):%(refname)", "refs/backport-bot/"
            ).split()
            if kept_refs or refspecs:
                self._take_over([*refspecs, *kept_refs], action)
            self.is_partial = False
            self.git.run("config", _MARK, "false")
            self.close()

    def give_up(self, result: ProcessResult, refspecs: Sequence[str], action: str) -> None:
        """Get everything instead; see `ObjectSource`."""
        if Answer(result).is_lost:
            raise self.git.error(result, action, FetchFailed, _HINT)
        self.fetch_whole(refspecs, action)
        log.warning("The remote does not serve the parts that were asked for, so everything was fetched.")

    def _take_over(self, refspecs: Sequence[str], action: str) -> None:
        """Fetch everything behind some refs, and put it in place of what was left out here."""
        # Into a directory of its own: a remote takes it that what is here is here with everything behind it.
        with tempfile.TemporaryDirectory(prefix="whole-", dir=self.git.directory) as scratch:
            scratch_git = create_repo(Path(scratch)).git
            words = ("-c", "fetch.unpackLimit=1", *FETCH, self.connection.url, *dict.fromkeys(refspecs))
            variables = self.connection.authorization()
            result = retry(lambda: Answer(scratch_git.attempt(*words, variables=variables))).result
            if result.code:
                raise self.git.error(result, action, FetchFailed, _HINT)
            adopt_packs(Path(scratch, "objects"), Path(self.git.directory, "objects"))
            refs = scratch_git.text("for-each-ref", "--format=update %(refname) %(objectname)")
        self._shallow.remove()
        self.git.run("update-ref", "--stdin", stdin=f"{refs}\n".encode())

    def run(self, attempt: Callable[[], ProcessResult]) -> ProcessResult:
        """Run a git process that may fetch objects; again after what the mirror lost was fetched."""
        return self._outlast_loss(lambda: super(PartialMirror, self).run(attempt))

    def _outlast_loss(self, attempt: Callable[[], ProcessResult]) -> ProcessResult:
        result = attempt()
        if result.code != _FATAL or not self.is_partial or not self._shows_loss(result):
            return result
        # A disk that lost commits has lost files, too, and nothing says which.
        log.warning("The mirror lost a part of its history, so everything is fetched again.")
        self.fetch_whole([], "What the mirror lost could not be fetched")
        return attempt()

    def _shows_loss(self, result: ProcessResult) -> bool:
        # A server sends a tree as what differs from one that a kept commit has.
        return "unresolved deltas" in result.stderr or self._plain_git.attempt("rev-list", "--quiet", "--all").code != 0

    def close(self) -> None:
        """End the reading processes, and forget what was here."""
        super().close()
        self._parents.clear()

    def bring_commits(self, commits: Iterable[Sha]) -> None:
        """Fetch single commits that are not here, alone."""
        with self.lock:
            self._fetch_alone({sha for sha in commits if self._raw_parents(sha) is None})

    # --- what is here -------------------------------------------------------------------------------------------------

    def _is_kept(self, name: str) -> bool:
        # A ref may outlast its commit on a disk that loses files.
        return (
            _SHA.fullmatch(name) is not None
            and self._tip(f"{KEPT_REFS}{name}") is not None
            and not self.lacking([Sha(name)])
        )

    def _tip(self, ref: str) -> Sha | None:
        result = self.git.attempt("rev-parse", "--verify", "--quiet", ref)
        return Sha(result.stdout.decode().strip()) if result.code == 0 else None

    def _seen_parents(self, sha: Sha) -> tuple[Sha, ...] | None:
        return None if sha in self._shallow.cut else self._raw_parents(sha)

    def _raw_parents(self, sha: Sha) -> tuple[Sha, ...] | None:
        if sha not in self._parents:
            entry = self.reader.read(sha)
            if entry is None or entry[0] != "commit":
                return None
            self._parents[sha] = parse_commit(sha, entry[2]).parents
        return self._parents[sha]

    def _fetch_alone(self, commits: Collection[Sha]) -> None:
        missing_commits = self.lacking(sorted(commits))
        if missing_commits:
            refspecs = [f"+{sha}:{KEPT_REFS}alone/{sha}" for sha in missing_commits]
            result = self._fetch("--depth=1", NO_TREES, refspecs=refspecs, options=WITHOUT_NEGOTIATION)
            if result.code:
                self.give_up(result, refspecs, f"{', '.join(missing_commits)} could not be fetched")
        self._shallow.mend()

    def _fetch(self, *words: str, refspecs: Sequence[str], options: Sequence[str] = ()) -> ProcessResult:
        result = self.request(*words, refspecs=refspecs, options=options)
        self._shallow.mend()
        return result
