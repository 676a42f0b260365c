"""ast-grep rules: made sure of when a patch is loaded, and run on a file.

Owns the one library call for structural search. A pattern that does not parse would match nothing without a word, so
each is parsed on its own first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ast_grep_py import Config, SgNode, SgRoot

from bot.errors import ConfigError

_METAVARIABLE = re.compile(r"\${1,3}([A-Z_][A-Z0-9_]*)")
# `$$$A` stands for several nodes, and `$_A` is thrown away: https://ast-grep.github.io/guide/pattern-syntax.html
_SINGLE = re.compile(r"(?<!\$)\$([A-Z][A-Z0-9_]*)")


def parse(source: str) -> SgNode:
    """Return the syntax tree of a Python source, to find in."""
    return SgRoot(source, "python").root()


def find(root: SgNode, rule: Mapping[str, Any], shared: Mapping[str, Mapping[str, Any]]) -> list[SgNode]:
    """Return every match below a node, in file order. `shared` are rules that others may name by `matches`."""
    config = cast("Config", {"rule": dict(rule), "utils": dict(shared)})
    return list(root.find_all(config))


def validate(rule: Mapping[str, Any], shared: Mapping[str, Mapping[str, Any]], place: str) -> None:
    """Make sure a rule can match at all.

    Raises:
        ConfigError: a pattern that is no Python, or a key or node kind that ast-grep does not know.
    """
    for pattern in _patterns(rule):
        try:
            ast.parse(_METAVARIABLE.sub(r"M_\1", pattern))
        except SyntaxError as error:
            raise ConfigError(
                f"{place}: the pattern `{pattern}` is not Python ({error.msg}), so it could never match.",
                hint="Write a pattern that parses with every $METAVARIABLE replaced by a name.",
            ) from error
    try:
        find(parse("pass\n"), rule, shared)
    except Exception as error:
        reason = re.sub(r"(?s)\n\nStack backtrace.*|\n", " ", str(error))
        raise ConfigError(
            f"{place}: ast-grep cannot use this rule: {' '.join(reason.split())}",
            hint="Compare it with ast-grep's rule reference.",
        ) from error


def bound_names(rule: Mapping[str, Any], shared: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the metavariables that a match of a rule can bind to one node each, in its patterns or shared ones."""
    bound: set[str] = set()
    stack: list[object] = [rule]
    followed: set[str] = set()
    while stack:
        part = stack.pop()
        if isinstance(part, Mapping):
            # What must not be there binds nothing.
            stack += [value for key, value in part.items() if key not in ("not", "matches", "pattern")]
            name = part.get("matches")
            if isinstance(name, str) and name not in followed:
                followed.add(name)
                stack.append(shared.get(name, {}))
            for pattern in _patterns({"pattern": part["pattern"]} if "pattern" in part else {}):
                bound |= set(_SINGLE.findall(pattern))
        elif isinstance(part, list | tuple):
            stack += part
    return frozenset(bound)


def _patterns(rule: object) -> Iterator[str]:
    if isinstance(rule, Mapping):
        for key, value in rule.items():
            if key == "pattern":
                yield value if isinstance(value, str) else str(value.get("context", ""))
            else:
                yield from _patterns(value)
    elif isinstance(rule, list | tuple):
        for item in rule:
            yield from _patterns(item)
