"""The commits at which git ends a shallow history, as its file says: https://git-scm.com/docs/shallow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.models import Sha


class ShallowFile:
    """The file in a git directory. `parents` reads the parents that a commit really has, None if it is not here."""

    def __init__(self, directory: Path, parents: Callable[[Sha], tuple[Sha, ...] | None]) -> None:
        self._file = directory / "shallow"
        self._parents = parents
        self.cut: frozenset[Sha] = frozenset()
        self.read()

    def read(self) -> None:
        """Read the file again after git wrote it."""
        text = self._file.read_text(encoding="ascii") if self._file.exists() else ""
        self.cut = frozenset(map(Sha, text.split()))

    def remove(self) -> None:
        """Let git see the whole history, as all of it is here."""
        self._file.unlink(missing_ok=True)
        self.cut = frozenset()

    def mend(self) -> None:
        """Let git see the parents of each commit that was cut and whose parents have all come since."""
        self.read()
        boundary = frozenset(sha for sha in self.cut if self._lacks_parents(sha))
        if boundary == self.cut:
            return
        if not boundary:
            self.remove()
            return
        new_file = self._file.with_name("shallow.mended")
        new_file.write_text("".join(f"{sha}\n" for sha in sorted(boundary)), encoding="ascii")
        new_file.replace(self._file)
        self.cut = boundary

    def _lacks_parents(self, sha: Sha) -> bool:
        parents = self._parents(sha)
        return parents is None or any(self._parents(parent) is None for parent in parents)
