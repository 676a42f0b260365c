"""Imports of names that the tree does not have are found however they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.analysis.unbound_names import missing_imports

CASES = {
    "one line": b"from lib.tools import gone\n",
    "within a function": b"def f():\n    from lib.tools import gone\n",
    "brackets": b"from lib.tools import (\n    here,  # a remark :)\n    gone,\n)\n",
    "brackets at once": b"from lib.tools import(here, gone)\n",
    "continued lines": b"from lib.tools import \\\n    here, \\\n    gone\n",
    "another name": b"from lib.tools import gone as kept\n",
    "behind text that looks like an import": b'"""How to import (\nthings\n"""\nfrom lib.tools import gone\n',
    "behind a lone word": b"# what to import\nfrom lib.tools import gone\n",
}


@dataclass(frozen=True)
class Tree:
    """A tree with one module, which has `here`."""

    def read(self, path: str) -> bytes | None:
        return {"lib/tools.py": b"here = 1\n", "lib/__init__.py": b""}.get(path)

    def paths(self) -> Iterator[str]:
        yield from ("lib/__init__.py", "lib/tools.py")


@pytest.mark.parametrize("content", CASES.values(), ids=CASES.keys())
def test_missing_import_is_found(content: bytes) -> None:
    findings = list(missing_imports(Tree(), "lib/user.py", content, b""))
    assert [finding.rule for finding in findings] == ["missing-import"]
    assert "`gone`" in findings[0].detail


def test_name_that_only_a_text_mentions_is_no_import() -> None:
    content = b'"""import gone"""\nfrom lib.tools import here\nprint("from lib.tools import gone")\n'
    assert not list(missing_imports(Tree(), "lib/user.py", content, b""))
