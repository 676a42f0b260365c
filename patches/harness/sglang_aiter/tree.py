"""The target's files: where its packages lie and which module a name belongs to. Imports and runs nothing of them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from isolated.errors import HarnessError

PACKAGE = "sglang"


@dataclass(frozen=True)
class Tree:
    """A source tree; `root` is the folder that holds the package."""

    root: Path

    @classmethod
    def from_environment(cls) -> Tree:
        """Find the tree that SUITE_TARGET names."""
        named = os.environ.get("SUITE_TARGET", "")
        if not named:
            raise HarnessError(
                "SUITE_TARGET is not set. Set it to a source tree with `sglang/` or `python/sglang/` in it."
            )
        for root in (Path(named), Path(named, "python")):
            if (root / PACKAGE).is_dir():
                return cls(root)
        raise HarnessError(f"SUITE_TARGET={named} has neither `sglang/` nor `python/sglang/` in it.")

    def find(self, module: str) -> Path | None:
        """Return the file of a module, a folder for a package without `__init__.py`, or None."""
        path = self.root.joinpath(*module.split("."))
        for candidate in (path / "__init__.py", path.with_suffix(".py")):
            if candidate.is_file():
                return candidate
        return path if path.is_dir() else None

    @property
    def version(self) -> str:
        """The version that the build wrote into the package; a checkout has none."""
        written = self.root / PACKAGE / "_version.py"
        text = written.read_text("utf-8") if written.is_file() else ""
        found = re.search(r"""^(?:__version__ = )?version = ['"]([^'"]+)|^__version__ = ['"]([^'"]+)""", text, re.M)
        return (found[1] or found[2]) if found else "unknown"
