"""Applies the edits of one step to a file's text, and checks their templates.

A template is filled with metavariables and parameters, and takes the indentation and the line ends of its place. Every
character outside the matches stays as it is. `bot.carried.apply` decides whether a step's result is good.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from ast_grep_py import SgNode

from bot.carried import ast_grep_rules
from bot.carried.schema import PatchFile
from bot.carried.schema_code import Edit, Step
from bot.config.yaml_source import Mistake


def check_template(edit: Edit, step: Step, file: PatchFile, mistake: Mistake) -> None:
    """Check that an edit's template can be filled for each match; `mistake` words an error at the template's place.

    Raises:
        ConfigError: the template uses a name that some match of the edit's rule does not bind, and that is no parameter
            of the step's function.
    """
    template = Template(edit.template)
    if not template.is_valid():
        raise mistake("has a `$` that begins no name", hint="Write `$$` for a dollar sign.")
    parameters = file.functions[step.function].parameters
    names = ast_grep_rules.bound_names(edit.rule, file.shared_rules).union(parameters)
    unbound = [f"`${name}`" for name in template.get_identifiers() if name not in names]
    if unbound:
        bound = ", ".join(f"`${name}`" for name in sorted(names)) or "none"
        raise mistake(
            f"uses {', '.join(unbound)}, which not every match of the edit's rule binds",
            hint=f"Name it in a pattern of the rule, and in each alternative of an `any`. Bound are: {bound}.",
        )


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str
    line: int


def rewrite_text(
    text: str, step: Step, shared_rules: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str]
) -> tuple[str, tuple[int, ...]]:
    """Return the text after a step and the lines it found, counted from 1."""
    splices: list[_Splice] = []
    spans: list[tuple[int, int]] = []
    root = ast_grep_rules.parse(text)
    for edit in step.edits:
        for match in ast_grep_rules.find(root, edit.rule, shared_rules):
            span = (match.range().start.index, match.range().end.index)
            # An earlier edit has this place, or a part of it, already.
            if any(span[0] < end and start < span[1] for start, end in spans):
                continue
            spans.append(span)
            splices.append(_splice(text, match, edit, parameters))
    lines = tuple(sorted(splice.line for splice in splices))
    # From the end, so that the positions before a splice stay valid.
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
    replacement = _fill(edit.template, match, parameters)
    if edit.action == "replace":
        return _Splice(start, end, replacement, line)
    body = textwrap.indent(replacement.removesuffix("\n"), prefix).replace("\n", newline)
    if edit.action == "insert-before":
        return _Splice(line_start, line_start, body + newline, line)
    line_end = text.find("\n", end)
    if line_end < 0:
        return _Splice(len(text), len(text), newline + body, line)
    line_end -= text[line_end - 1] == "\r"
    return _Splice(line_end, line_end, newline + body, line)


def _fill(template: str, match: SgNode, parameters: Mapping[str, str]) -> str:
    nodes = {name: match.get_match(name) for name in Template(template).get_identifiers()}
    bound = {name: node.text() for name, node in nodes.items() if node is not None}
    return Template(template).substitute({**parameters, **bound})
