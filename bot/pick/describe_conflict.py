"""Names the commits on either side of the merge base that changed the lines in conflict.

A commit is named if it added or removed such a line. If one side lacks the file, the commits that created or removed it
are named.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.git.conflict_markers import Parts, Region
from bot.git.first_parents import FirstParents
from bot.git.line_history import FileChange, file_changes, significant
from bot.git.repository import Quarantine
from bot.git.trial_pick import UnmergedPick, mainline_parent
from bot.git.unmerged_paths import UnmergedFile
from bot.models import ConflictFile, RelatedCommit, Sha
from bot.pick.attempt import Attempt
from bot.pick.mainline_changes import MainlineChanges

MOST_FILES = 12
"""Files whose history is read; a pick that conflicts in more is no matter of single commits."""
_MOST_COMMITS = 5


@dataclass(slots=True)
class Histories:
    """Changes of files on both sides of a merge base, read on demand until `deadline` (seconds of `time.monotonic`).

    `fetched` are the seconds that the mirror had spent on fetching when the deadline was set.
    """

    repository: Quarantine
    target: Sha
    main: Sha
    deadline: float
    base: Sha | None
    first_parents: FirstParents
    mainline_changes: MainlineChanges | None = None
    fetched: float = 0.0
    _read: dict[tuple[Sha, str], tuple[FileChange, ...]] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float:
        """The seconds left. Those that a partial mirror spent on fetching do not count: a whole one needs none."""
        return max(0.0, self.deadline + self.repository.seconds_fetching - self.fetched - time.monotonic())

    def read(self, tip: Sha, paths: Iterable[str], *, share: float = 1.0) -> None:
        """Read the changes of paths since the merge base, all in one walk, with a share of the time that is left."""
        unread = [path for path in dict.fromkeys(paths) if (tip, path) not in self._read][:MOST_FILES]
        if unread and tip == self.main and self.mainline_changes is not None:
            began = time.monotonic()
            shared_changes = self.mainline_changes.read(self.repository, tip, self.base, unread)
            self._read |= {(tip, path): changes for path, changes in shared_changes.items()}
            unread = [path for path in unread if path not in shared_changes]
            # Main is read for all branches of the request, so its time is not taken from this branch's.
            self.deadline += time.monotonic() - began
        if unread:
            new_changes = file_changes(self.repository, self.base, tip, unread, seconds=self.seconds_left * share)
            self._read |= {(tip, path): changes for path, changes in new_changes.items()}

    def changes(self, tip: Sha, path: str) -> tuple[FileChange, ...]:
        """Return the changes of a path that were read, newest first."""
        return self._read.get((tip, path), ())

    def line(self) -> Sequence[Sha]:
        """Return main's commits since the merge base along first parents, newest first."""
        # Prerequisites are looked for among merged pull requests, which first parents are.
        line, start, end = self.first_parents.between(self.repository, self.base, self.main)
        return line[start:end]


def open_histories(attempt: Attempt, *, seconds: float, share_mainline: bool = False) -> Histories | None:
    """Return the histories on both sides of an attempt's merge base, or None if its first original has no parent.

    With `share_mainline` several branches share one reading of main. History ends before the first commit of the
    series, because a commit of the series is no prerequisite of it.
    """
    deadline, fetched = time.monotonic() + seconds, attempt.repository.seconds_fetching
    first = attempt.commits[0]
    parent = mainline_parent(attempt.repository.commit(first))
    if parent is None:
        return None
    caches = attempt.caches
    return Histories(
        repository=attempt.repository,
        target=attempt.plan.base_commit,
        main=parent,
        deadline=deadline,
        base=attempt.fork(first),
        first_parents=caches.line,
        mainline_changes=caches.mainline_changes if share_mainline else None,
        fetched=fetched,
    )


def describe_files(histories: Histories, pick: UnmergedPick, parts: Mapping[str, Parts]) -> tuple[ConflictFile, ...]:
    """Return the files of a conflict, each with the commits of both sides that changed the lines in conflict.

    `parts` are the files that git could merge in part, by path.
    """
    paths = [file.path for file in pick.files]
    # The rest of the time is for the search for prerequisites.
    histories.read(histories.main, paths, share=0.4)
    histories.read(histories.target, paths, share=0.3)
    files = [file.conflict_file for file in pick.files]
    for index, file in enumerate(pick.files):
        lines = DisputedLines.of(file, parts.get(file.path, ()))
        by_main = lines.by_main(histories.changes(histories.main, file.path))
        by_target = lines.by_target(histories.changes(histories.target, file.path))
        changed_by = (*_related_commits(by_main, on_target=False), *_related_commits(by_target, on_target=True))
        files[index] = replace(files[index], changed_by=changed_by)
    return tuple(files)


def _related_commits(changes: Iterable[FileChange], *, on_target: bool) -> tuple[RelatedCommit, ...]:
    return tuple(related_commit(change, on_target=on_target) for change in islice(changes, _MOST_COMMITS))


def related_commit(change: FileChange, *, on_target: bool = False) -> RelatedCommit:
    """Return a change's commit as a report names it."""
    return RelatedCommit(change.commit, change.subject, change.author, on_target)


@dataclass(frozen=True, slots=True)
class DisputedLines:
    """Lines in dispute in one file: lines that only main had before the original, and lines that only the target has.

    `whole_file` is true if a side has no lines to compare; then every change of the file counts.
    """

    main_only: frozenset[bytes]
    target_only: frozenset[bytes]
    whole_file: bool

    @classmethod
    def of(cls, file: UnmergedFile, parts: Parts) -> DisputedLines:
        """Read it off a file and its regions; the original's own lines are not in dispute."""
        # The original's own lines are not in dispute, so its side is not read.
        regions = [part for part in parts if isinstance(part, Region)]
        base = significant(line for region in regions for line in region.base.split(b"\n"))
        # Blank lines and lone brackets are in every file, so they show nothing.
        ours = significant(line for region in regions for line in region.ours.split(b"\n"))
        return cls(base - ours, ours - base, whole_file=not regions or file.ours is None)

    def by_main(self, changes: Iterable[FileChange]) -> Iterator[FileChange]:
        """Yield main's changes that brought lines the target lacks, or took lines that it has."""
        return (change for change in changes if self._touches(change, self.main_only, self.target_only))

    def by_target(self, changes: Iterable[FileChange]) -> Iterator[FileChange]:
        """Yield the target's changes that brought lines main lacks, or took lines that it has."""
        return (change for change in changes if self._touches(change, self.target_only, self.main_only))

    def _touches(self, change: FileChange, added_lines: frozenset[bytes], removed_lines: frozenset[bytes]) -> bool:
        if self.whole_file:
            return True
        return not (added_lines.isdisjoint(change.added_lines) and removed_lines.isdisjoint(change.removed_lines))
