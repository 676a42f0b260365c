"""Validates ast-grep rules when a patch is loaded, and finds their matches in a file.

ast-grep accepts a pattern that is not Python and then never matches it. So each pattern is parsed by Python first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ast_grep_py import Config, SgNode, SgRoot

from bot.config.yaml_source import Mistake

_METAVARIABLE = re.compile(r"\${1,3}([A-Z_][A-Z0-9_]*)")
# `$$$A` stands for several nodes, and `$_A` is thrown away: https://ast-grep.github.io/guide/pattern-syntax.html
_SINGLE = re.compile(r"(?<!\$)\$([A-Z][A-Z0-9_]*)")


def parse(source: str) -> SgNode:
    """Return the syntax tree of a Python source, to find in."""
    return SgRoot(source, "python").root()


def find(root: SgNode, rule: Mapping[str, Any], shared_rules: Mapping[str, Mapping[str, Any]]) -> list[SgNode]:
    """Return every match below a node, in file order. `shared_rules` are rules that others may name by `matches`."""
    config = cast("Config", {"rule": dict(rule), "utils": dict(shared_rules)})
    return list(root.find_all(config))


def validate(rule: Mapping[str, Any], shared_rules: Mapping[str, Mapping[str, Any]], mistake: Mistake) -> None:
    """Check that a rule can match at all; `mistake` words an error at the rule's place in its file.

    Raises:
        ConfigError: a pattern is not Python, or ast-grep does not know a key or a node kind.
    """
    for pattern in _patterns(rule):
        try:
            ast.parse(_METAVARIABLE.sub(r"M_\1", pattern))
        except SyntaxError as error:
            raise mistake(
                f"has the pattern `{pattern}`, which is not Python ({error.msg}) and would never match",
                hint="Write a pattern that parses with every $METAVARIABLE replaced by a name.",
            ) from error
    try:
        find(parse("pass\n"), rule, shared_rules)
    except Exception as error:
        reason = re.sub(r"(?s)\n\nStack backtrace.*|\n", " ", str(error))
        raise mistake(
            f"is a rule that ast-grep cannot use: {' '.join(reason.split()).removesuffix('.')}",
            hint="Compare it with ast-grep's rule reference.",
        ) from error


def bound_names(rule: object, shared_rules: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the metavariables that each match of a rule binds to one node. Of alternatives, all must bind it."""
    if isinstance(rule, list | tuple):
        return frozenset[str]().union(*(bound_names(part, shared_rules) for part in rule))
    if isinstance(rule, Mapping):
        return frozenset[str]().union(*(_bound_by(key, value, shared_rules) for key, value in rule.items()))
    return frozenset()


def _bound_by(key: str, value: Any, shared_rules: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:  # noqa: ANN401
    match key:
        case "not" | "stopBy":
            return frozenset()  # what must not be there binds nothing, and a search may end before `stopBy` matches
        case "pattern":
            return _single_names(value)
        case "matches":
            # A rule may name itself, below a relation. It then binds nothing more.
            return bound_names(
                shared_rules.get(value, {}), {name: rule for name, rule in shared_rules.items() if name != value}
            )
        case "any":
            alternatives = [bound_names(alternative, shared_rules) for alternative in value]
            return frozenset.intersection(*alternatives) if alternatives else frozenset()
        case _:
            return bound_names(value, shared_rules)


def _single_names(pattern: str | Mapping[str, str]) -> frozenset[str]:
    if isinstance(pattern, str):
        return frozenset(_SINGLE.findall(pattern))
    context, selector = pattern.get("context", ""), pattern.get("selector")
    if selector is None:
        return frozenset(_SINGLE.findall(context))
    # Only the selected node of a context is matched. `$` is no Python, so names stand for the metavariables.
    node = parse(_METAVARIABLE.sub("_", _SINGLE.sub(r"M_\1", context))).find(kind=selector)
    return frozenset(re.findall(r"\bM_([A-Z][A-Z0-9_]*)", node.text() if node else ""))


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
