"""Files that are proposed for a checkout. A file that is there is never written to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bot.errors import ConfigError


class FileState(Enum):
    """What was there in place of a proposed file."""

    NEW = "new"
    SAME = "already there"
    DIFFERENT = "there, and different"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file, by its path in the checkout, and its text."""

    path: str
    text: str

    def present(self, checkout: Path) -> str | None:
        """Return the text that is there, or None. Raises ConfigError if it cannot be read."""
        try:
            return (checkout / self.path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{self.path} is there and cannot be read ({error}), so nothing was written.",
                hint="Look at it, and move it away if it is not needed.",
            ) from error

    def state(self, checkout: Path) -> FileState:
        """Compare the proposal with what is in a checkout. Raises ConfigError if that cannot be read."""
        present = self.present(checkout)
        if present is None:
            return FileState.NEW
        return FileState.SAME if present == self.text else FileState.DIFFERENT

    def diff(self, checkout: Path) -> str:
        """Return what would have to change in the file that is there, as a unified diff."""
        lines = ((self.present(checkout) or "").splitlines(keepends=True), self.text.splitlines(keepends=True))
        return "".join(difflib.unified_diff(*lines, fromfile=self.path, tofile=f"{self.path} (proposed)"))

    def write(self, checkout: Path) -> None:
        """Write a new file. Raises FileExistsError if there is something, a link without a target included."""
        path = checkout / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(self.text)


def write_new(proposals: Iterable[Proposal], checkout: Path) -> dict[Proposal, FileState]:
    """Write the proposals that are new, and return what was there in place of each.

    Raises:
        ConfigError: a file that is there cannot be read; nothing was written.
    """
    states = {proposal: proposal.state(checkout) for proposal in proposals}
    for proposal, state in states.items():
        if state is FileState.NEW:
            proposal.write(checkout)
    return states
