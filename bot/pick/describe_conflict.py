"""A conflict in words that help: which commits on either side of the merge base changed the lines in conflict.

Owns who is named for a conflict. Resolves nothing and guesses nothing: a commit is named for lines that it added or
removed, and for a file that one side lacks, whoever made or removed it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.git.conflict_markers import Parts, Region
from bot.git.first_parents import FirstParents
from bot.git.line_history import FileChange, file_changes, significant
from bot.git.repository import Quarantined
from bot.git.trial_pick import UnmergedPick, mainline_parent
from bot.git.unmerged_paths import UnmergedFile
from bot.models import ConflictFile, RelatedCommit, Sha
from bot.pick.mainline_changes import MainlineChanges
from bot.pick.strategy import Attempt

MOST_FILES = 12
"""Files whose history is read; a pick that conflicts in more is no matter of single commits."""
_NAMED = 5


@dataclass(slots=True)
class Histories:
    """What happened to files on both sides of one merge base, read as it is asked for and until a deadline."""

    repository: Quarantined
    target: Sha
    main: Sha
    deadline: float
    base: Sha | None
    first_parents: FirstParents
    shared: MainlineChanges | None = None
    _read: dict[tuple[Sha, str], tuple[FileChange, ...]] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """The seconds left."""
        return max(0.0, self.deadline - time.monotonic())

    def read(self, tip: Sha, paths: Iterable[str], *, share: float = 1.0) -> None:
        """Read the changes of paths since the merge base, all in one walk, with a share of the time that is left."""
        missing = [path for path in dict.fromkeys(paths) if (tip, path) not in self._read][:MOST_FILES]
        if missing and tip == self.main and self.shared is not None:
            began = time.monotonic()
            known = self.shared.read(self.repository, tip, self.base, missing)
            self._read |= {(tip, path): changes for path, changes in known.items()}
            missing = [path for path in missing if path not in known]
            self.deadline += time.monotonic() - began  # it is read for all branches, not at the cost of this one
        if missing:
            found = file_changes(self.repository, self.base, tip, missing, seconds=self.left * share)
            self._read |= {(tip, path): changes for path, changes in found.items()}

    def changes(self, tip: Sha, path: str) -> tuple[FileChange, ...]:
        """Return what was read of a path's changes, newest first."""
        return self._read.get((tip, path), ())

    def line(self) -> Sequence[Sha]:
        """Return main's commits since the merge base along first parents, newest first."""
        line, start, end = self.first_parents.between(self.repository, self.base, self.main)
        return line[start:end]


def open_histories(attempt: Attempt, *, seconds: float, shared: bool = False) -> Histories | None:
    """Return the histories that an attempt is about; None where its first original has no parent.

    Where several branches are asked about, main's is `shared` between them.

    Whatever the series brings itself is no prerequisite of it, so history ends before its first commit.
    """
    deadline = time.monotonic() + seconds
    first = attempt.commits[0]
    parent = mainline_parent(attempt.repository.commit(first))
    if parent is None:
        return None
    known = attempt.caches
    return Histories(
        repository=attempt.repository,
        target=attempt.plan.base_commit,
        main=parent,
        deadline=deadline,
        base=attempt.fork(first),
        first_parents=known.line,
        shared=known.mainline_changes if shared else None,
    )


def describe_files(histories: Histories, pick: UnmergedPick, parts: Mapping[str, Parts]) -> tuple[ConflictFile, ...]:
    """Return the files of a conflict, each with the commits of both sides that changed what is in conflict.

    `parts` are the files as git could merge them in part.
    """
    paths = [file.path for file in pick.files]
    histories.read(histories.main, paths, share=0.4)
    histories.read(histories.target, paths, share=0.3)
    described = [file.described for file in pick.files]
    for index, file in enumerate(pick.files):
        disputed = Disputed.of(file, parts.get(file.path, ()))
        main = disputed.by_main(histories.changes(histories.main, file.path))
        target = disputed.by_target(histories.changes(histories.target, file.path))
        changed_by = (*_related(main, on_target=False), *_related(target, on_target=True))
        described[index] = replace(described[index], changed_by=changed_by)
    return tuple(described)


def _related(changes: Iterable[FileChange], *, on_target: bool) -> tuple[RelatedCommit, ...]:
    return tuple(related(change, on_target=on_target) for change in islice(changes, _NAMED))


def related(change: FileChange, *, on_target: bool = False) -> RelatedCommit:
    """Return a change's commit as a report names it."""
    return RelatedCommit(change.commit, change.subject, change.author, on_target)


@dataclass(frozen=True, slots=True)
class Disputed:
    """What one file's conflict is about: lines that only main had before the original, and lines that only the target
    has. Where a side has no lines to compare (`whole`) it is about the file as such.
    """

    main_only: frozenset[bytes]
    target_only: frozenset[bytes]
    whole: bool

    @classmethod
    def of(cls, file: UnmergedFile, parts: Parts) -> Disputed:
        """Read it off a file and its regions; the original's own lines are not in dispute."""
        regions = [part for part in parts if isinstance(part, Region)]
        base = significant(line for region in regions for line in region.base.split(b"\n"))
        ours = significant(line for region in regions for line in region.ours.split(b"\n"))
        return cls(base - ours, ours - base, whole=not regions or file.ours is None)

    def by_main(self, changes: Iterable[FileChange]) -> Iterator[FileChange]:
        """Yield main's changes that brought lines the target lacks, or took lines that it has."""
        return (each for each in changes if self._touches(each, self.main_only, self.target_only))

    def by_target(self, changes: Iterable[FileChange]) -> Iterator[FileChange]:
        """Yield the target's changes that brought lines main lacks, or took lines that it has."""
        return (each for each in changes if self._touches(each, self.target_only, self.main_only))

    def _touches(self, change: FileChange, brought: frozenset[bytes], taken: frozenset[bytes]) -> bool:
        if self.whole:
            return True
        return not (brought.isdisjoint(change.added) and taken.isdisjoint(change.removed))
