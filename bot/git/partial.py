"""A mirror that holds a part of its remote's objects and fetches more only when something asks for it.

Tiers, each fetched only if the one before does not do: commits with their trees, without history and files
(`fetch`); single files and trees (`bring…`); what two branches have apart (`diverge`); the whole history without
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
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from bot.errors import FetchFailed
from bot.git.connection import Answer, Connection, retry
from bot.git.history_questions import is_certain
from bot.git.known_history import Divergence, KnownHistory
from bot.git.object_source import FETCH, NO_FILES, NO_TREES, WITHOUT_NEGOTIATION, ObjectSource
from bot.git.objects import parse_commit
from bot.git.open import create_repo
from bot.git.process import Git, ProcessResult
from bot.git.shallow_file import ShallowFile
from bot.models import Sha

log = logging.getLogger(__name__)

KEPT_REFS = "refs/backport-bot/fetched/"
_MARK = "backport-bot.partial"
_HINT = "Check the repository's URL, the token's access and the network."
_SHA = re.compile(r"[0-9a-f]{40}")


class PartialMirror(ObjectSource):
    """What a git directory holds of its remote's history, and how to get the rest. Threads may share it."""

    def __init__(self, git: Git, connection: Connection) -> None:
        super().__init__(git, connection)
        self.history = KnownHistory(self._seen_parents)
        self._parents: dict[Sha, tuple[Sha, ...]] = {}
        self._refs: dict[Sha, str] = {}
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

    def note_branches(self, tips: Mapping[str, Sha]) -> None:
        """Remember which branches the remote has, by their tips."""
        self._refs = {tip: f"refs/heads/{name}" for name, tip in tips.items()}

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

    def diverge(self, ref: str, tip: Sha) -> bool:
        """Fetch the commits, without trees, that only one of a branch and the remote's default branch has.

        `ref` is the branch as the remote names it, in full, and `tip` where it is to be. Returns False if the remote
        does not tell, as where the branch is somewhere else by now.
        """
        with self.lock:
            if not self._shallow.cut:
                return True
            of_main = self._fetch_own("HEAD", ref)
            if of_main is None:
                return False
            (own, beyond, shared), other_own = of_main, set[Sha]()
            # A branch that is where main left it has nothing of its own.
            forks, shared = {tip}, shared | (beyond & {tip})
            if tip not in beyond:
                of_branch = self._fetch_own(ref, "HEAD", tip)
                if of_branch is None:
                    return False
                other_own, forks, shared = of_branch[0], of_branch[1], shared | of_branch[2]
            sides = frozenset(own), frozenset(other_own)
            self.history.divergences.append(Divergence(sides, frozenset(shared), frozenset(forks)))
            return True

    def _fetch_own(self, ref: str, other: str, tip: Sha | None = None) -> tuple[set[Sha], set[Sha], set[Sha]] | None:
        """Return commits that one ref has and the other has not, their parents beyond these, and which both have.

        git ends its list at each commit with a parent that both have; what a merge's other parents lead to is missing.
        """
        local = f"refs/backport-bot/apart/{ref.removeprefix('refs/')}"
        options = (f"--shallow-exclude={other}", NO_TREES)
        result = self._fetch(*options, refspecs=[f"+{ref}:{local}"], mends=False)
        start = self._tip(local)
        if result.code or start is None or (tip is not None and start != tip):
            self._shallow.mend()
            return None
        own = self.history.ancestors([start])  # the remote says where its list ends; what was here may lead further
        ends = [set(self._raw_parents(sha) or ()) - own for sha in own & self._shallow.cut]
        beyond = {parent for parents in ends for parent in parents}
        self._fetch_alone(beyond)
        return own, beyond, {parent for parents in ends if len(parents) == 1 for parent in parents}

    def exclusions(self, tips: Collection[Sha], commits: Collection[Sha]) -> frozenset[Sha]:
        """Return what to exclude besides `commits`, so that git lists exactly what `tips` have and those have not.

        Fetches what the branches at these tips and the default branch have apart, or the whole history if that does not
        tell.
        """
        with self.lock:
            known = self._known_exclusions(tips, commits)
            if known is None and len(tips) == 1:
                (tip,) = tips
                ref = self._refs.get(tip)
                known = self._known_exclusions(tips, commits) if ref and self.diverge(ref, tip) else None
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
            for file in sorted(Path(scratch, "objects", "pack").iterdir()):
                file.replace(Path(self.git.directory, "objects", "pack", file.name))
            refs = scratch_git.text("for-each-ref", "--format=update %(refname) %(objectname)")
        self._shallow.remove()
        self.git.run("update-ref", "--stdin", stdin=f"{refs}\n".encode())

    def bring_commits(self, commits: Iterable[Sha]) -> None:
        """Fetch single commits that are not here, alone."""
        with self.lock:
            self._fetch_alone({sha for sha in commits if self._raw_parents(sha) is None})

    # --- what is here -------------------------------------------------------------------------------------------------

    def _is_kept(self, name: str) -> bool:
        return _SHA.fullmatch(name) is not None and self._tip(f"{KEPT_REFS}{name}") is not None

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

    def _fetch(
        self, *words: str, refspecs: Sequence[str], options: Sequence[str] = (), mends: bool = True
    ) -> ProcessResult:
        result = self.request(*words, refspecs=refspecs, options=options)
        self._shallow.read()
        if mends:
            self._shallow.mend()
        return result
