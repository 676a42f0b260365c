"""Four sound arguments that a mutant is equivalent to the fix.

A mutant that none of them covers may still be harmless. A person declares that in patch.yaml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from bot.carried.abstract_values import Tensor, Unknown
from bot.carried.check_measures import find_function, parameter_names
from bot.carried.conditional_values import Choice, Unseen, leaves
from bot.carried.function_result import FunctionResult, combinations, follow
from bot.carried.load import CarriedPatch
from bot.carried.module_scope import Function, ModuleScope
from bot.carried.schema_code import Measure
from bot.mutation.operators import Mutation
from bot.mutation.patched_source import PatchedFile


def harmless_reason(patched_file: PatchedFile, patch: CarriedPatch, mutation: Mutation) -> str:
    """Return why the mutant is harmless, or "" if that is not known. Call it only if the rules found it fixed."""
    after = ast.parse(mutation.source)
    statement = patched_file.statement_at(mutation.line)
    if ast.dump(after) == ast.dump(patched_file.module):
        return "the syntax tree is the same"
    if statement is None:
        return ""
    if mutation.kind == "repeated statement" and _is_idempotent(statement):
        return "an assignment that reads nothing it sets is made twice"
    if _ends_the_same(patched_file, after, patch, statement):
        return "the function leaves the same sizes, dtypes, devices and calls for all parameters"
    # A changed condition may also be a matter of what is set where no rule asks.
    targets = _targets(statement)
    if mutation.kind != "condition" and targets and targets <= _measured_attributes(patch):
        return "all that the statement sets is proven right for all parameters"
    return ""


def _is_idempotent(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign) or any(isinstance(node, ast.Call) for node in ast.walk(statement.value)):
        return False
    read = {ast.unparse(node) for node in ast.walk(statement.value) if isinstance(node, ast.Name | ast.Attribute)}
    return _targets(statement).isdisjoint(read)


def _targets(statement: ast.stmt) -> set[str]:
    """Return what a statement sets, as it is written."""
    return {
        ast.unparse(node)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def _measured_attributes(patch: CarriedPatch) -> set[str]:
    """Return the attributes that the patch's expectations speak of."""
    return {
        ast.unparse(node)
        for measure in patch.file.measures.values()
        for node in ast.walk(ast.parse(measure.expect, mode="eval"))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def _ends_the_same(patched_file: PatchedFile, after: ast.Module, patch: CarriedPatch, statement: ast.stmt) -> bool:
    """Say whether the function with the statement, and every other that is measured, ends the same in both files."""
    is_measured = False
    for measure in patch.file.measures.values():
        reference = patch.file.functions[measure.function]
        function_before, function_after = find_function(patched_file.module, reference), find_function(after, reference)
        if function_before is None or function_after is None:
            return False
        ends = [
            list(_ends(measure, patch, module, function))
            for module, function in ((patched_file.module, function_before), (after, function_after))
        ]
        if ends[0] != ends[1] or not all(_is_known(end, statement) for end in ends[0]):
            return False
        is_measured = is_measured or function_before.lineno <= statement.lineno <= (function_before.end_lineno or 0)
    return is_measured


_End = tuple[dict[str, object], set[tuple[str, str]]]


def _ends(measure: Measure, patch: CarriedPatch, module: ast.Module, function: Function) -> Iterator[_End]:
    reference = patch.file.functions[measure.function]
    scope, names = ModuleScope.of(module, reference.class_name), parameter_names(function, reference)
    for sample in combinations(measure.samples):
        yield _end(follow(scope, function, names, sample))


def _end(result: FunctionResult) -> _End:
    """Return what a function left and called, in a form in which two of them can be compared."""
    if result.end is None:
        return {}, set()
    plain = _Plain()
    state = {f"self.{name}": value for name, value in result.end.attributes.items()} | result.end.names
    ends = {name: plain.value(state[name]) for name in sorted(state)}
    calls = [(c.name, (*c.arguments.positional, *c.arguments.keywords.values())) for c in result.trace.calls]
    return ends, {(name, repr([plain.value(value) for value in values])) for name, values in calls}


class _Plain:
    """Removes lines and places from values, so that those of two files can be compared. Serial numbers start at 0."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def value(self, value: object) -> object:
        match value:
            case Choice(condition, then, otherwise):
                if isinstance(condition, Unseen):
                    condition = Unseen(_without_lines(condition.text), self._number(condition.serial))
                return Choice(condition, self.value(then), self.value(otherwise))
            case Tensor():
                places = frozenset(str(self._number(place)) for place in sorted(value.storage))
                return replace(value, storage=places)
            case Unknown(reason):
                return Unknown(_without_lines(reason))
            case tuple():
                return tuple(self.value(item) for item in value)
        return value

    def _number(self, value: object) -> int:
        return self._numbers.setdefault(value, len(self._numbers))


def _without_lines(reason: str) -> str:
    return re.sub(r"line \d+(:\d+)?", "", reason)


def _is_known(end: _End, statement: ast.stmt) -> bool:
    """Say whether all that a statement sets is known: two values that are not may differ."""
    ends = [leaf for name in _targets(statement) for _, leaf in leaves(end[0].get(name, Unknown("it is not set")))]
    return not any(isinstance(leaf, Unknown) for leaf in ends)
