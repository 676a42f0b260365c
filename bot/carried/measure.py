"""Measures: what a function leaves behind, for every combination of a patch's sample values.

Owns finding the function, binding samples to its parameters by position, and the expectation's answer. A measure
holds, fails or is not known; a single sample that fails is enough to fail, a single unknown one to not hold.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.carried.expressions import State, evaluate, evaluate_test
from bot.carried.schema import FunctionReference, Measure, Scalar
from bot.carried.trace import Function, Surroundings, Trace, parameters
from bot.carried.values import Instance, Unknown, Value, parse_sample


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
    for sample in _samples(measure.samples):
        result = _judge(surroundings, measure, function, names, sample)
        if result.holds is False:
            return result
        unknown = unknown or (result if result.holds is None else None)
        first = first or result
    return unknown or first or Measured(None, function.lineno, "no sample was given")


def _samples(samples: Mapping[str, tuple[Scalar, ...]]) -> Iterator[Mapping[str, Scalar]]:
    for values in itertools.product(*samples.values()):
        yield dict(zip(samples, values, strict=True))


def _judge(
    surroundings: Surroundings,
    measure: Measure,
    function: Function,
    names: Mapping[str, str],
    sample: Mapping[str, Scalar],
) -> Measured:
    given = {name: parse_sample(value, name) for name, value in sample.items()}
    missing = [name for name in given if not name.startswith("self.") and name not in names]
    if missing:
        return Measured(None, function.lineno, f"`{function.name}` has no parameter for `{missing[0]}`")
    trace = Trace(surroundings)
    bound = {names[name]: value for name, value in given.items() if name in names}
    positional = [
        Instance() if argument.arg == names.get("self") else bound.get(argument.arg, Unknown(f"`{argument.arg}`"))
        for argument in parameters(function)
    ]
    attributes = {name.removeprefix("self."): value for name, value in given.items() if name.startswith("self.")}
    end = trace.run(function, positional, attributes)
    if end is None:
        return Measured(None, function.lineno, f"`{function.name}` does not return for {_shown(sample)}")
    end.names = {"self": Instance(), **{name: value for name, value in given.items() if "." not in name}}
    if measure.calls is None:
        return _answer(measure, end, trace, sample, function.lineno)
    return _answer_calls(measure, end, trace, sample, function.lineno)


def _answer(measure: Measure, end: State, trace: Trace, sample: Mapping[str, Scalar], line: int) -> Measured:
    expectation = ast.parse(measure.expect, mode="eval").body
    value: Value = evaluate(expectation, end, trace)
    known = evaluate_test(expectation, end, trace)
    attributes = [node.attr for node in ast.walk(expectation) if isinstance(node, ast.Attribute)]
    line = next((end.lines[name] for name in attributes if name in end.lines), line)
    if known is None:
        return Measured(None, line, value.reason if isinstance(value, Unknown) else "the value is not known")
    return Measured(known, line, f"`{measure.expect}` is {str(known).lower()} for {_shown(sample)}")


def _answer_calls(measure: Measure, end: State, trace: Trace, sample: Mapping[str, Scalar], line: int) -> Measured:
    calls = [call for call in trace.calls if call.name == measure.calls]
    if not calls:
        return Measured(None, line, f"no call of `{measure.calls}` was seen")
    answers = []
    for call in calls:
        state = State({**end.names, **call.arguments.keywords}, end.attributes)
        answers.append(_answer(measure, state, trace, sample, call.line))
    return next((a for wanted in (False, None) for a in answers if a.holds is wanted), answers[0])


def _shown(sample: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sample.items())
