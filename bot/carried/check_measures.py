"""Evaluates measures: expectations on a function's end state, for all samples of a patch and all parameter values.

A measure holds if that is proven, fails if values are found for which it is false, and is unknown otherwise. One
combination that fails makes it fail; one that is unknown keeps it from holding.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.carried.abstract_values import Unknown
from bot.carried.conditional_values import Flag, Path, Unseen, leaves
from bot.carried.evaluate import evaluate_test
from bot.carried.function_result import combinations, follow
from bot.carried.interpret import Trace
from bot.carried.module_scope import Function, ModuleScope, parameters
from bot.carried.satisfiability import impossible, witness
from bot.carried.schema_code import FunctionReference, Measure, Scalar
from bot.carried.state import State


@dataclass(frozen=True, slots=True)
class MeasureResult:
    """Whether the expectation holds (None: unknown), the line, and the sample or the reason that decided."""

    holds: bool | None
    line: int
    detail: str


def find_function(module: ast.Module, reference: FunctionReference) -> Function | None:
    """Return the only definition of a function, or None if there is none or more than one."""
    body: list[ast.stmt] = module.body
    if reference.class_name is not None:
        owners = [node for node in body if isinstance(node, ast.ClassDef) and node.name == reference.class_name]
        body = owners[0].body if len(owners) == 1 else []
    definitions = [node for node in body if isinstance(node, Function) and node.name == reference.name]
    return definitions[0] if len(definitions) == 1 else None


def parameter_names(function: Function, reference: FunctionReference) -> Mapping[str, str]:
    """Map a patch's parameter names to the target's: by name if it has that name, else by position."""
    actual = [argument.arg for argument in parameters(function)]
    candidates = actual[1:] if reference.class_name is not None else actual
    names = {"self": actual[0]} if reference.class_name is not None and actual else {}
    for position, name in enumerate(reference.parameters):
        if name in candidates:
            names[name] = name
        elif position < len(candidates) and candidates[position] not in reference.parameters:
            names[name] = candidates[position]
    return names


def take(module: ast.Module, scope: ModuleScope, measure: Measure, reference: FunctionReference) -> MeasureResult:
    """Interpret the function for every sample until one fails, and evaluate the expectation."""
    function = find_function(module, reference)
    if function is None:
        return MeasureResult(None, 0, f"there is no single definition of `{reference.name}`")
    names = parameter_names(function, reference)
    unknown = first = None
    for sample in combinations(measure.samples):
        result = _judge(scope, measure, function, names, sample)
        if result.holds is False:
            return result
        unknown = unknown or (result if result.holds is None else None)
        first = first or result
    return unknown or first or MeasureResult(None, function.lineno, "no sample was given")


def _judge(
    scope: ModuleScope,
    measure: Measure,
    function: Function,
    names: Mapping[str, str],
    sample: Mapping[str, Scalar],
) -> MeasureResult:
    unknown_names = [name for name in sample if not name.startswith("self.") and name not in names]
    if unknown_names:
        return MeasureResult(None, function.lineno, f"`{function.name}` has no parameter for `{unknown_names[0]}`")
    result = follow(scope, function, names, sample)
    if result.end is None:
        return MeasureResult(None, function.lineno, f"`{function.name}` does not return for {_sample_text(sample)}")
    end = result.as_expected()
    expectation = _Expectation(measure.expect, _assumptions(measure, result.before(), result.trace), sample)
    if measure.calls is None:
        return expectation.evaluate(end, result.trace, function.lineno)
    calls = [call for call in result.trace.calls if call.name == measure.calls]
    if not calls:
        return MeasureResult(None, function.lineno, f"no call of `{measure.calls}` was seen")
    results = [
        expectation.evaluate(State({**end.names, **call.arguments.keywords}, end.attributes), result.trace, call.line)
        for call in calls
    ]
    return next((a for outcome in (False, None) for a in results if a.holds is outcome), results[0])


def _assumptions(measure: Measure, state: State, trace: Trace) -> Path:
    """Return the assumptions about the parameters as a path. One that can hold in several ways is left out."""
    ways = [
        [path for path, leaf in leaves(evaluate_test(_parse(text), state, trace)) if leaf is True]
        for text in measure.assume
    ]
    return tuple(step for paths in ways if len(paths) == 1 for step in paths[0])


@lru_cache(maxsize=256)
def _parse(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


@dataclass(frozen=True, slots=True)
class _Expectation:
    """An expectation for one combination of samples."""

    expect: str
    assumed: Path
    sample: Mapping[str, Scalar]

    def evaluate(self, state: State, trace: Trace, line: int) -> MeasureResult:
        """Prove that the expectation is true in the state, or find values for which it is false."""
        expectation = _parse(self.expect)
        attributes = [node.attr for node in ast.walk(expectation) if isinstance(node, ast.Attribute)]
        # The line that set the attribute says more than the line of the function.
        line = next((state.lines[name] for name in attributes if name in state.lines), line)
        unknown = ""
        for path, leaf in leaves(evaluate_test(expectation, state, trace)):
            # A case that cannot occur refutes nothing.
            if leaf is True or impossible(self.assumed + path):
                continue
            if isinstance(leaf, Unknown):
                unknown = unknown or leaf.reason
                continue
            detail, certain = self._refute(path)
            if certain:
                return MeasureResult(False, line, detail)
            unknown = unknown or detail
        if unknown:
            return MeasureResult(None, line, unknown)
        return MeasureResult(True, line, f"`{self.expect}` is true for {self._sample_values({})}")

    def _refute(self, path: Path) -> tuple[str, bool]:
        values = witness(self.assumed + path)
        if values is None:
            return f"`{self.expect}` is neither proven nor refuted for {self._sample_values({})}", False
        unseen_conditions = [condition.text for condition, _ in path if isinstance(condition, Unseen)]
        flags = {condition.name: holds for condition, holds in path if isinstance(condition, Flag)}
        detail = f"`{self.expect}` is false for {self._sample_values({**values, **flags})}"
        # A counterexample that depends on something unknown is no refutation.
        return (
            (f"{detail}, unless more is known: {unseen_conditions[0]}", False) if unseen_conditions else (detail, True)
        )

    def _sample_values(self, values: Mapping[str, int]) -> str:
        """Describe a combination, with the values found in place of the samples that stand for all values."""
        parts = [f"{name}={values.get(name, _describe_sample(value))}" for name, value in self.sample.items()]
        return ", ".join(parts + [f"{name}={value}" for name, value in values.items() if name not in self.sample])


def _describe_sample(value: Scalar) -> Scalar:
    words = re.fullmatch(r"integers\((\d+)\)", value) if isinstance(value, str) else None
    return f"any from {words[1]}" if words else value


def _sample_text(sample: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={_describe_sample(value)}" for name, value in sample.items())
