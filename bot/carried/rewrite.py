"""One step's edits on a file's text: matches become edits, every other character stays.

Owns templates (metavariables, parameters, indentation, the file's own line ends). Decides nothing about whether a
step's outcome is good.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from ast_grep_py import SgNode

from bot.carried import rules
from bot.carried.schema import Edit, PatchFile, Step
from bot.errors import ConfigError


def check_template(edit: Edit, step: Step, file: PatchFile, place: str) -> None:
    """Make sure that an edit's template can be filled; `place` is the edit in its file, for the error.

    Raises:
        ConfigError: it uses a name that neither the edit's rule binds nor the step's function has as a parameter.
    """
    action, text = next((name, text) for name, text in _templates(edit) if text is not None)
    parameters = frozenset(file.functions[step.function].parameters)
    known = rules.bound_names(edit.rule, file.shared_rules) | parameters
    template = Template(text)
    if not template.is_valid():
        raise ConfigError(
            f"{place}.{action}: a `$` in the template begins no name, so nothing was read from this file.",
            hint="Write `$$` for a dollar sign.",
        )
    unbound = [f"`${name}`" for name in template.get_identifiers() if name not in known]
    if unbound:
        there = ", ".join(f"`${name}`" for name in sorted(known)) or "none"
        raise ConfigError(
            f"{place}.{action}: the template uses {', '.join(unbound)}, which nothing binds, so nothing was read from "
            "this file.",
            hint=f"Name it in a pattern of the edit's rule. Bound are: {there}.",
        )


def _templates(edit: Edit) -> Iterator[tuple[str, str | None]]:
    yield from (("replace", edit.replace), ("insert-before", edit.insert_before), ("insert-after", edit.insert_after))


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str
    line: int


def rewritten(
    text: str, step: Step, shared: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str]
) -> tuple[str, tuple[int, ...]]:
    """Return the text after a step and the lines it found, counted from 1."""
    splices: list[_Splice] = []
    taken: list[tuple[int, int]] = []
    root = rules.parse(text)
    for edit in step.edits:
        for match in rules.find(root, edit.rule, shared):
            span = (match.range().start.index, match.range().end.index)
            # An earlier edit has this place, or a part of it, already.
            if any(span[0] < end and start < span[1] for start, end in taken):
                continue
            taken.append(span)
            splices.append(_splice(text, match, edit, parameters))
    lines = tuple(sorted(splice.line for splice in splices))
    for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text, lines


def _splice(text: str, match: SgNode, edit: Edit, parameters: Mapping[str, str]) -> _Splice:
    start, end = match.range().start.index, match.range().end.index
    line = match.range().start.line + 1
    line_start = text.rfind("\n", 0, start) + 1
    indentation = re.match(r"[ \t]*", text[line_start:])
    prefix = indentation[0] if indentation else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    if edit.replace is not None:
        return _Splice(start, end, _filled(edit.replace, match, parameters), line)
    template = edit.insert_before if edit.insert_before is not None else edit.insert_after
    body = textwrap.indent(_filled(template or "", match, parameters).removesuffix("\n"), prefix).replace("\n", newline)
    if edit.insert_before is not None:
        return _Splice(line_start, line_start, body + newline, line)
    line_end = text.find("\n", end)
    if line_end < 0:
        return _Splice(len(text), len(text), newline + body, line)
    line_end -= text[line_end - 1] == "\r"
    return _Splice(line_end, line_end, newline + body, line)


def _filled(template: str, match: SgNode, parameters: Mapping[str, str]) -> str:
    names = dict(parameters)
    for name in Template(template).get_identifiers():
        node = match.get_match(name)
        if node is not None:
            names[name] = node.text()
    try:
        return Template(template).substitute(names)
    except KeyError as unbound:
        raise ConfigError(
            f"A template uses `${unbound.args[0]}`, which the match `{match.text()[:80]}` left unbound. Nothing was "
            "written.",
            hint="Bind it in every alternative of the edit's rule, or write one edit for each.",
        ) from None
