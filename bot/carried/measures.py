"""Measures: what a function leaves behind, for every combination of a patch's samples and all values of its parameters.

Owns finding the function, binding samples to its parameters by position, and the expectation's answer. A measure holds
where that is proven, fails where values are found for which it does, and else is not known. One combination that fails
is enough to fail, one that is not known to not hold.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bot.carried.abstract_values import Unknown
from bot.carried.conditional_values import Flag, Path, Unseen, leaves
from bot.carried.evaluate import State, evaluate_test
from bot.carried.function_result import combinations, follow
from bot.carried.interpret import Function, Surroundings, Trace, parameters
from bot.carried.satisfiability import impossible, witness
from bot.carried.schema import FunctionReference, Measure, Scalar


@dataclass(frozen=True, slots=True)
class Measured:
    """Whether the expectation holds (None: not known), where to look, and the sample or reason that decided."""

    holds: bool | None
    line: int
    detail: str


def find_function(module: ast.Module, reference: FunctionReference) -> Function | None:
    """Return the one definition of a function; None where there is none, or more than one to choose from."""
    body: list[ast.stmt] = module.body
    if reference.class_name is not None:
        owners = [node for node in body if isinstance(node, ast.ClassDef) and node.name == reference.class_name]
        body = owners[0].body if len(owners) == 1 else []
    found = [node for node in body if isinstance(node, Function) and node.name == reference.name]
    return found[0] if len(found) == 1 else None


def parameter_names(function: Function, reference: FunctionReference) -> Mapping[str, str]:
    """Map a patch's names for the parameters to the target's: by name where it has that name, else by position."""
    actual = [argument.arg for argument in parameters(function)]
    own = actual[1:] if reference.class_name is not None else actual
    names = {"self": actual[0]} if reference.class_name is not None and actual else {}
    for position, name in enumerate(reference.parameters):
        if name in own:
            names[name] = name
        elif position < len(own) and own[position] not in reference.parameters:
            names[name] = own[position]
    return names


def take(module: ast.Module, surroundings: Surroundings, measure: Measure, reference: FunctionReference) -> Measured:
    """Trace the function for every sample, up to the first that fails, and judge the expectation."""
    function = find_function(module, reference)
    if function is None:
        return Measured(None, 0, f"there is no single definition of `{reference.name}`")
    names = parameter_names(function, reference)
    unknown = first = None
    for sample in combinations(measure.samples):
        result = _judge(surroundings, measure, function, names, sample)
        if result.holds is False:
            return result
        unknown = unknown or (result if result.holds is None else None)
        first = first or result
    return unknown or first or Measured(None, function.lineno, "no sample was given")


def _judge(
    surroundings: Surroundings,
    measure: Measure,
    function: Function,
    names: Mapping[str, str],
    sample: Mapping[str, Scalar],
) -> Measured:
    missing = [name for name in sample if not name.startswith("self.") and name not in names]
    if missing:
        return Measured(None, function.lineno, f"`{function.name}` has no parameter for `{missing[0]}`")
    followed = follow(surroundings, function, names, sample)
    if followed.end is None:
        return Measured(None, function.lineno, f"`{function.name}` does not return for {_sample_text(sample)}")
    end = followed.judged()
    asked = _Asked(measure.expect, _assumed(measure, followed.before(), followed.trace), sample)
    if measure.calls is None:
        return asked.answer(end, followed.trace, function.lineno)
    calls = [call for call in followed.trace.calls if call.name == measure.calls]
    if not calls:
        return Measured(None, function.lineno, f"no call of `{measure.calls}` was seen")
    answers = [
        asked.answer(State({**end.names, **call.arguments.keywords}, end.attributes), followed.trace, call.line)
        for call in calls
    ]
    return next((a for wanted in (False, None) for a in answers if a.holds is wanted), answers[0])


def _assumed(measure: Measure, state: State, trace: Trace) -> Path:
    """Return what may be assumed of the parameters as a path. What holds in more than one way is not assumed."""
    ways = [
        [path for path, leaf in leaves(evaluate_test(_parsed(text), state, trace)) if leaf is True]
        for text in measure.assume
    ]
    return tuple(step for paths in ways if len(paths) == 1 for step in paths[0])


@lru_cache(maxsize=256)
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


@dataclass(frozen=True, slots=True)
class _Asked:
    """An expectation for one combination of samples."""

    expect: str
    assumed: Path
    sample: Mapping[str, Scalar]

    def answer(self, state: State, trace: Trace, line: int) -> Measured:
        """Prove that the expectation is true in the state, or find values for which it is not."""
        expectation = _parsed(self.expect)
        attributes = [node.attr for node in ast.walk(expectation) if isinstance(node, ast.Attribute)]
        line = next((state.lines[name] for name in attributes if name in state.lines), line)
        unknown = ""
        for path, leaf in leaves(evaluate_test(expectation, state, trace)):
            if leaf is True or impossible(self.assumed + path):
                continue
            if isinstance(leaf, Unknown):
                unknown = unknown or leaf.reason
                continue
            detail, certain = self._refuted(path)
            if certain:
                return Measured(False, line, detail)
            unknown = unknown or detail
        if unknown:
            return Measured(None, line, unknown)
        return Measured(True, line, f"`{self.expect}` is true for {self._shown({})}")

    def _refuted(self, path: Path) -> tuple[str, bool]:
        values = witness(self.assumed + path)
        if values is None:
            return f"`{self.expect}` is neither proven nor refuted for {self._shown({})}", False
        unseen = [condition.text for condition, _ in path if isinstance(condition, Unseen)]
        flags = {condition.name: holds for condition, holds in path if isinstance(condition, Flag)}
        detail = f"`{self.expect}` is false for {self._shown({**values, **flags})}"
        return (f"{detail}, unless more is known: {unseen[0]}", False) if unseen else (detail, True)

    def _shown(self, values: Mapping[str, int]) -> str:
        """Word a combination, with the values that were found in the place of those that stand for all."""
        parts = [f"{name}={values.get(name, _every(value))}" for name, value in self.sample.items()]
        return ", ".join(parts + [f"{name}={value}" for name, value in values.items() if name not in self.sample])


def _every(value: Scalar) -> Scalar:
    words = re.fullmatch(r"integers\((\d+)\)", value) if isinstance(value, str) else None
    return f"any from {words[1]}" if words else value


def _sample_text(sample: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={_every(value)}" for name, value in sample.items())
