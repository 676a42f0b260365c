"""The remote of a partial mirror as a source of single objects: of files, of trees, and of the directories on a path.

Every request names what it wants; nothing here is about history. See https://git-scm.com/docs/partial-clone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.environment.trace import Span, Value, is_recording, span
from bot.git.connection import Answer, Connection, retry
from bot.git.environment import with_settings
from bot.git.objects import DIRECTORY, ObjectReader, encode_path, split_tree
from bot.git.packs import adopt_packs
from bot.git.process import Git, ProcessResult
from bot.models import Sha

log = logging.getLogger(__name__)

NO_FILES, NO_TREES = "--filter=blob:none", "--filter=tree:0"
FETCH = ("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head")
# What is here is no reason to leave anything out: of a commit that is here the trees may not be.
WITHOUT_NEGOTIATION = ("-c", "fetch.negotiationAlgorithm=noop")
_AT_ONCE = 4000
"""Objects that one request asks for by name."""
_DIRECTORY = DIRECTORY.encode()


def _is_fetch_failure(result: ProcessResult) -> bool:
    # https://github.com/git/git/blob/v2.39.5/promisor-remote.c (promisor_remote_get_direct)
    return bool(result.code) and "from promisor remote" in result.stderr


class ObjectSource:
    """A git directory and the remote that has what is missing there. Threads may share it.

    `git` starts no fetch by itself; a process with `variables()` does. `seconds` were spent on fetching so far.
    """

    def __init__(self, git: Git, connection: Connection) -> None:
        self.git, self.connection = git, connection
        self.reader = ObjectReader(git)
        self._checker = ObjectReader(git, contents=False)
        self._present: set[Sha] = set()
        self.is_partial, self.seconds = True, 0.0
        self.lock = threading.RLock()
        self._has_whole_trees: set[Sha] = set()
        self._has_warned = False

    def variables(self) -> Mapping[str, str]:
        """Return the variables under which git fetches an object that it lacks, with the token as it is now."""
        name = self.connection.name
        settings = {f"remote.{name}.promisor": "true", f"remote.{name}.partialclonefilter": "blob:none"}
        return with_settings(self.connection.authorization(), settings)

    def close(self) -> None:
        """End the reading processes, and forget what was here."""
        self.reader.close()
        self._checker.close()
        self._present.clear()
        self._has_whole_trees.clear()

    def give_up(self, result: ProcessResult, refspecs: Sequence[str], action: str) -> None:
        """Get everything instead, as the remote refused a request; `action` says what could not be done.

        Raises:
            FetchFailed: the connection failed, or the remote does not give everything either.
        """
        raise NotImplementedError

    def run(self, attempt: Callable[[], ProcessResult]) -> ProcessResult:
        """Run a git process that may fetch objects; again if such a fetch failed, which git does not try again itself.

        Raises:
            FetchFailed: an object could not be fetched, so that how the process ended means nothing.
        """
        result = attempt()
        if not _is_fetch_failure(result):
            return result
        result = retry(lambda: Answer(attempt())).result
        if not _is_fetch_failure(result):
            return result
        self.give_up(result, [], "An object could not be fetched")
        return attempt()

    def lacking(self, names: Iterable[Sha]) -> list[Sha]:
        """Return the objects that are not here, in their order."""
        if not self.is_partial:
            return []
        # An object that came stays, and a pick asks for the same ones many times.
        unknown = [sha for sha in dict.fromkeys(names) if sha not in self._present]
        answers = self._checker.read_many(unknown)
        self._present.update(sha for sha, answer in zip(unknown, answers, strict=True) if answer is not None)
        return [sha for sha, answer in zip(unknown, answers, strict=True) if answer is None]

    def bring(self, names: Iterable[Sha], *, whole_trees: bool = False) -> None:
        """Fetch files and trees that are not here, in one request. Of a tree only itself, unless they are to be whole.

        Raises:
            FetchFailed: the remote could not be asked or does not have one.
        """
        with self.lock:
            absent = self.lacking(names)
            for begin in range(0, len(absent), _AT_ONCE):
                chunk = absent[begin : begin + _AT_ONCE]
                kind = NO_FILES if whole_trees else NO_TREES
                result = self.request(kind, refspecs=chunk, options=WITHOUT_NEGOTIATION)
                if result.code:
                    self.give_up(result, [], f"{len(chunk)} objects could not be fetched")
                    return

    def bring_trees(self, trees: Iterable[Sha]) -> None:
        """Fetch what is missing of trees with all below them, without files."""
        with self.lock:
            new = [tree for tree in dict.fromkeys(trees) if tree not in self._has_whole_trees]
            self.bring(new, whole_trees=True)
            present = [tree for tree in new if self.reader.read(tree) is not None]
            self.bring(self._missing_below(present, NO_FILES), whole_trees=True)
            self._has_whole_trees.update(present)

    def bring_files_below(self, trees: Sequence[Sha]) -> None:
        """Fetch whatever is missing of trees, files included."""
        with self.lock:
            self.bring_trees(trees)
            self.bring(self._missing_below(trees))

    def bring_paths(self, trees: Iterable[Sha], paths: Iterable[str]) -> None:
        """Fetch the directories on the way to paths in many trees, a level at a time."""
        with self.lock:
            steps = {tuple(encode_path(path).split(b"/")) for path in paths}
            level: dict[Sha, set[tuple[bytes, ...]]] = {tree: set(steps) for tree in trees}
            while level:
                self.bring(level)
                below: dict[Sha, set[tuple[bytes, ...]]] = defaultdict(set)
                for answer, rests in zip(self.reader.read_many(list(level)), level.values(), strict=True):
                    listing = {name: (mode, sha) for mode, name, sha in split_tree(answer[2])} if answer else {}
                    for first, *rest in rests:
                        mode, sha = listing.get(first, (b"", b""))
                        if rest and mode.lstrip(b"0") == _DIRECTORY:
                            below[Sha(sha.hex())].add(tuple(rest))
                level = below

    def _missing_below(self, trees: Sequence[Sha], *options: str) -> list[Sha]:
        if not trees or not self.is_partial:
            return []
        words = ("rev-list", "--objects", "--no-object-names", "--missing=print", *options, "--stdin")
        output = self.git.text(*words, stdin="".join(f"{tree}\n" for tree in trees).encode())
        return [Sha(line[1:]) for line in output.splitlines() if line.startswith("?")]

    def _size(self) -> int:
        """Return the bytes of all packs, if a trace is to show by how many they grow."""
        packs = Path(self.git.directory, "objects", "pack").glob("*.pack") if is_recording() else ()
        return sum(pack.stat().st_size for pack in packs)

    def adopt(self, objects: Path) -> None:
        """Keep what git fetched by itself into a quarantine, so that the next one need not fetch it again."""
        with span("fetch", what="by git itself") as this:
            before = self._size()
            adopt_packs(objects, Path(self.git.directory, "objects"))
            this.attributes["bytes"] = self._size() - before

    @contextmanager
    def timed(self, name: str, **attributes: Value) -> Iterator[Span]:
        """Record a fetch as a span, and add its time to `seconds`."""
        began = time.monotonic()
        try:
            with span(name, **attributes) as this:
                yield this
        finally:
            self.seconds += time.monotonic() - began

    def request(self, *words: str, refspecs: Sequence[str], options: Sequence[str] = ()) -> ProcessResult:
        """Fetch, and return how git ended; what the remote cannot do is said once in the log."""
        command = (*options, *FETCH, *words, self.connection.name, "--stdin")
        stdin = "".join(f"{refspec}\n" for refspec in refspecs).encode()
        before = self._size()
        with self.timed("fetch", objects=len(refspecs), what=" ".join(words)) as this:
            answer = retry(lambda: Answer(self.git.attempt(*command, stdin=stdin, variables=self.variables())))
            this.attributes["bytes"] = self._size() - before
        if "filtering not recognized" in answer.result.stderr and not self._has_warned:
            self._has_warned = True
            log.warning("The remote leaves nothing out, so more is fetched than a backport needs.")
        return answer.result
