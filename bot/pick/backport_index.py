"""An index of backports: original → the commits that name it as their source.

It reads the line `(cherry picked from commit …)` of each message once, and is kept in a file beside the mirror. Anyone
can write that line, so callers must compare the changes before they trust an entry.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bot.environment.data_folder import private_file
from bot.git.commit_message import picked_from
from bot.git.repository import Repository
from bot.models import Sha


@dataclass(frozen=True, slots=True, order=True)
class BackportCommit:
    """A commit that is a backport; `date` is when it was committed, in seconds since the epoch."""

    date: int
    commit: Sha


@dataclass(slots=True)
class BackportIndex:
    """Original → its backports. Keys are the first 12 digits, because people abbreviate originals in messages.

    With a `file` the index outlives the process. A file that cannot be read is replaced by a new index of the history.
    `before_reading` is called before the first reading, until it once succeeds.
    """

    by_original: dict[str, set[BackportCommit]] = field(default_factory=dict)
    read_tips: set[Sha] = field(default_factory=set)
    file: Path | None = None
    before_reading: Callable[[], object] | None = None

    @classmethod
    def open(cls, file: Path) -> BackportIndex:
        """Return the index that an earlier process left in a file, or an empty one that will be kept there."""
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            index = {
                original: {BackportCommit(*entry) for entry in backports}
                for original, backports in data["found"].items()
            }
            return cls(index, {Sha(tip) for tip in data["tips"]}, file)
        # The index is only a cache: whatever is wrong with the file, the history has it all.
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return cls(file=file)

    def read(self, repository: Repository, tips: Iterable[Sha] | None = None) -> None:
        """Index the messages of all branches, or of `tips`. History that was read before is skipped."""
        if self.before_reading is not None:
            prepare, self.before_reading = self.before_reading, None
            try:
                prepare()
            except BaseException:
                self.before_reading = prepare
                raise
        new = set(repository.local_branches().values() if tips is None else tips) - self.read_tips
        if not new:
            return
        # A force-pushed tip may be gone from the repository. The history below it is then read again.
        revisions = [*sorted(new), *(f"^{tip}" for tip in sorted(self.read_tips) if repository.contains(tip))]
        log = repository.git.run(
            # git filters the messages: most commits of a branch are no backports.
            *("log", "--fixed-strings", "--grep=(cherry picked from commit ", "--format=%H %ct%n%B%x00", "--stdin"),
            stdin="".join(f"{revision}\n" for revision in revisions).encode(),
        ).decode(errors="surrogateescape")
        for entry in log.split("\0"):
            head, _, message = entry.lstrip("\n").partition("\n")
            if head:
                sha, _, date = head.partition(" ")
                self._note(picked_from(message), BackportCommit(int(date or 0), Sha(sha)))
        self.read_tips |= new
        self._keep()

    def _keep(self) -> None:
        if self.file is None:
            return
        entries = {
            original: [[backport.date, backport.commit] for backport in sorted(backports)]
            for original, backports in self.by_original.items()
        }
        partial = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        private_file(partial).write_text(
            json.dumps({"tips": sorted(self.read_tips), "found": entries}), encoding="utf-8"
        )
        # A rename is atomic, so another process never reads half a file.
        partial.replace(self.file)

    def _note(self, originals: Iterable[str], backport: BackportCommit) -> None:
        for original in originals:
            # A message may abbreviate the name. 12 digits are enough to tell commits apart.
            self.by_original.setdefault(original[:12], set()).add(backport)

    def add(self, original: Sha, backport: Sha, date: int) -> None:
        """Add a backport whose message does not name its original."""
        self._note([original], BackportCommit(date, backport))

    def backports(self, original: Sha, known_before: int | None = None) -> tuple[BackportCommit, ...]:
        """Return the backports of a commit that were committed before `known_before`, newest first."""
        backports = self.by_original.get(original[:12], set())
        return tuple(
            sorted(
                (backport for backport in backports if known_before is None or backport.date < known_before),
                reverse=True,
            )
        )
