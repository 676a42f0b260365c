"""Lays the test modules of one Rust file over another: Rust's unit tests stand in the file that they test.

A test module is a `mod` item behind an attribute `#[cfg(…)]` that names `test`:
https://doc.rust-lang.org/book/ch11-03-test-organization.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ast_grep_py import SgNode, SgRoot

_CONDITION = re.compile(r"#\[cfg\(.*\btest\b.*\)\]", re.DOTALL)
LARGEST = 4 * 1024 * 1024
"""Bytes of a file that is still parsed."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A test module: its name, and where it and its attributes are in the file, in characters."""

    name: str
    start: int
    end: int


def has_other_tests(base: bytes | None, candidate: bytes | None) -> bool:
    """Say whether the candidate's file has test modules that the base's file lacks, or has otherwise."""
    return base is not None and candidate is not None and _texts(candidate) - _texts(base) != set()


def splice_tests(base: bytes, candidate: bytes) -> bytes:
    """Return the base's file with the candidate's test modules: one of the same name is replaced, others are added."""
    text, source = base.decode(errors="surrogateescape"), candidate.decode(errors="surrogateescape")
    for module in _modules(source):
        content = source[module.start : module.end]
        earlier = next((entry for entry in _modules(text) if entry.name == module.name), None)
        if earlier is None:
            text = f"{text.rstrip()}\n\n{content}\n"
        else:
            text = text[: earlier.start] + content + text[earlier.end :]
    return text.encode(errors="surrogateescape")


def _texts(content: bytes) -> set[str]:
    text = content.decode(errors="surrogateescape")
    return {text[module.start : module.end] for module in _modules(text)}


def _modules(text: str) -> list[_Module]:
    if len(text) > LARGEST or "test" not in text:
        return []
    modules: list[_Module] = []
    attributes: list[SgNode] = []
    # Comments between an attribute and its item belong to the item.
    for node in SgRoot(text, "rust").root().children():
        if node.kind() == "attribute_item":
            attributes.append(node)
        elif node.kind() not in ("line_comment", "block_comment"):
            name = node.field("name") if node.kind() == "mod_item" else None
            if name is not None and any(_CONDITION.match(attribute.text()) for attribute in attributes):
                modules.append(_Module(name.text(), attributes[0].range().start.index, node.range().end.index))
            attributes = []
    return modules
