"""Decides whether conditions on sizes can hold together: a proof that they cannot, values for which they do, or
neither.

A proof is a sum of the conditions, each times a factor that is never negative, that would have to be at least 0 and is
below (https://en.wikipedia.org/wiki/Farkas%27_lemma). Values are checked, so both results are exact. If neither is
found within bounds, nothing is claimed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

from bot.carried.conditional_values import IsZero, NotNegative, Path
from bot.carried.polynomial import (
    Atom,
    Monomial,
    Number,
    Parameter,
    Polynomial,
    Quotient,
    atoms,
    least_value,
    minimum,
    polynomial,
    terms,
    value,
)

_Comparison = tuple[NotNegative | IsZero, bool]
_PIVOTS, _PRODUCTS, _TRIALS = 300, 400, 4000
_USUAL = (0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 48, 63, 64, 65, 100, 128, 256, 1000, 4097, 131072)
"""Values that are tried for every parameter, besides those that the conditions name."""


@lru_cache(maxsize=4096)
def impossible(path: Path) -> bool:
    """Return True if the conditions are proven never to hold together. False claims nothing."""
    return all(_contradicts(facts) for facts in _facts(path))


@lru_cache(maxsize=1024)
def witness(path: Path) -> Mapping[str, int] | None:
    """Return values of the parameters for which all conditions hold, by name, or None if none are found."""
    numbers = [(condition, holds) for condition, holds in path if isinstance(condition, NotNegative | IsZero)]
    parameters = sorted(
        {atom for condition, _ in numbers for atom in atoms(condition.number) if isinstance(atom, Parameter)}, key=str
    )
    constants = {abs(factor) for condition, _ in numbers for _, factor in _all_terms(condition.number)}
    values = {
        parameter: sorted(
            v for v in {*_USUAL, *(n + d for n in constants for d in (-1, 0, 1))} if v >= parameter.minimum
        )
        for parameter in parameters
    }
    draw = random.Random(0)  # noqa: S311 - the same conditions give the same values
    # Random values find most witnesses at once. They rarely meet an equation, so equations are solved.
    for _ in range(_TRIALS):
        trial = _solve_equations(numbers, {parameter: draw.choice(values[parameter]) for parameter in parameters})
        if _holds(numbers, trial):
            return {parameter.name: size for parameter, size in _smaller(numbers, trial, values).items()}
    return None


def _holds(numbers: Sequence[_Comparison], values: Mapping[Parameter, int]) -> bool:
    for condition, holds in numbers:
        size = value(condition.number, values)
        if (size >= 0 if isinstance(condition, NotNegative) else size == 0) is not holds:
            return False
    return True


def _solve_equations(numbers: Sequence[_Comparison], trial: dict[Parameter, int]) -> dict[Parameter, int]:
    """Set a parameter by each equation that is linear in it, in place: chance alone rarely meets one."""
    set_parameters: set[Parameter] = set()
    for condition, holds in numbers:
        if not (holds and isinstance(condition, IsZero)):
            continue
        for monomial, factor in terms(condition.number):
            parameter = monomial[0] if len(monomial) == 1 else None
            if isinstance(parameter, Parameter) and abs(factor) == 1 and parameter not in set_parameters:
                result = trial[parameter] - factor * value(condition.number, trial)
                trial[parameter] = result if result >= parameter.minimum else trial[parameter]
                set_parameters.add(parameter)
                break
    return trial


def _smaller(
    numbers: Sequence[_Comparison],
    solution: Mapping[Parameter, int],
    values: Mapping[Parameter, Sequence[int]],
) -> Mapping[Parameter, int]:
    """Lower each parameter as far as the conditions still hold: small numbers read best."""
    least_found = dict(solution)
    for parameter in solution:
        smaller = (
            _solve_equations(numbers, {**least_found, parameter: low})
            for low in values[parameter]
            if low < least_found[parameter]
        )
        least_found = next((trial for trial in smaller if _holds(numbers, trial)), least_found)
    return least_found


def _all_terms(number: Number) -> Iterator[tuple[Monomial, int]]:
    yield from terms(number)
    for atom in atoms(number):
        if isinstance(atom, Quotient):
            yield from (*terms(atom.numerator), *terms(atom.divisor))


# --- Proofs ---------------------------------------------------------------------------------------------------------


def _facts(path: Path) -> Iterator[tuple[Number, ...]]:
    """Yield numbers that are at least 0 on the path. A number that is not 0 is above or below, so there are several
    ways.
    """
    ways: list[tuple[Number, ...]] = [()]
    for condition, holds in path:
        match condition:
            case NotNegative(number):
                ways = [(*way, number if holds else number * -1 - 1) for way in ways]
            case IsZero(number) if holds:
                ways = [(*way, number, number * -1) for way in ways]
            case IsZero(number):
                ways = [(*way, side) for way in ways for side in (number - 1, number * -1 - 1)]
    yield from ways


def _contradicts(facts: Sequence[Number]) -> bool:
    quotients = sorted({atom for fact in facts for atom in atoms(fact) if isinstance(atom, Quotient)}, key=str)
    inequalities = [_shift_to_zero(fact) for fact in (*facts, *_about(quotients))]
    if any(isinstance(fact, int) and fact < 0 for fact in inequalities):
        return True
    sums = [fact for fact in inequalities if isinstance(fact, Polynomial)]
    degree = max((len(monomial) for fact in sums for monomial, _ in fact.terms), default=0)
    return any(_solvable(_products(sums, up_to), {(): -1}) for up_to in (degree, degree + 1))


def _about(quotients: Iterable[Quotient]) -> Iterator[Number]:
    """Yield numbers that are at least 0 because of rounded-down quotients."""
    for quotient in quotients:
        multiple = polynomial([((quotient,), 1)])
        remainder = quotient.numerator - multiple * quotient.divisor
        yield from (remainder, quotient.divisor - 1 - remainder)
    for first, second in combinations(quotients, 2):
        if first.divisor == second.divisor:
            for upper, lower in ((first, second), (second, first)):
                difference = minimum(_shift_to_zero(upper.numerator - lower.numerator))
                if difference is not None and difference >= 0:
                    yield polynomial([((upper,), 1), ((lower,), -1)])


@lru_cache(maxsize=4096)
def _shift_to_zero(number: Number) -> Number:
    """Count every parameter from its minimum, so that all of them are at least 0."""
    total: Number = 0
    for monomial, factor in terms(number):
        product: Number = factor
        for atom in monomial:
            product = polynomial([((_from_zero(atom),), 1), ((), least_value(atom) or 0)]) * product
        total = product + total
    return total


def _from_zero(atom: Atom) -> Atom:
    return Parameter(atom.name, 0) if isinstance(atom, Parameter) else atom


def _products(facts: Sequence[Polynomial], degree: int) -> list[dict[Monomial, int]]:
    """Multiply each fact by terms that are never negative, up to a degree."""
    parts = {part for fact in facts for monomial, _ in fact.terms for part in _parts(monomial)}
    factors = sorted((p for p in parts if all(least_value(a) is not None for a in p)), key=lambda p: (len(p), str(p)))
    products = [
        dict(terms(polynomial([(factor, 1)]) * fact))
        for factor in factors
        for fact in facts
        if len(factor) + max(len(monomial) for monomial, _ in fact.terms) <= degree
    ]
    return products[:_PRODUCTS]


def _parts(monomial: Monomial) -> Iterator[Monomial]:
    for size in range(len(monomial) + 1):
        yield from combinations(monomial, size)


def _solvable(columns: Sequence[Mapping[Monomial, int]], bound: Mapping[Monomial, int]) -> bool:
    """Return whether a nonnegative combination of the columns stays within the bound; by the dual simplex method.

    The slack is a monomial that is never negative. A monomial that may be negative must have no slack.
    """
    rows: list[dict[int, Fraction]] = []
    right: list[Fraction] = []
    for monomial in sorted({m for column in columns for m in column} | bound.keys(), key=lambda m: (len(m), str(m))):
        may_be_negative = any(least_value(atom) is None for atom in monomial)
        for sign in (1, -1) if may_be_negative else (1,):
            row = {j: Fraction(sign * c[monomial]) for j, c in enumerate(columns) if c.get(monomial)}
            rows.append(row)
            right.append(Fraction(sign * bound.get(monomial, 0)))
    basic = [len(columns) + index for index in range(len(rows))]
    for _ in range(_PIVOTS):
        # The smallest index is taken (Bland's rule), so that the simplex method never cycles.
        leaving_row = min(
            (index for index, slack in enumerate(right) if slack < 0), key=basic.__getitem__, default=None
        )
        if leaving_row is None:
            return True
        entering_column = min((column for column, factor in rows[leaving_row].items() if factor < 0), default=None)
        if entering_column is None:
            return False
        _pivot(rows, right, basic, leaving_row, entering_column)
    return False


def _pivot(
    rows: list[dict[int, Fraction]], right: list[Fraction], basic: list[int], leaving_row: int, entering_column: int
) -> None:
    factor = rows[leaving_row].pop(entering_column)
    row = {column: coefficient / factor for column, coefficient in rows[leaving_row].items()}
    row[basic[leaving_row]] = 1 / factor
    rows[leaving_row], right[leaving_row] = row, right[leaving_row] / factor
    basic[leaving_row] = entering_column
    for index, other_row in enumerate(rows):
        times = other_row.pop(entering_column, None) if index != leaving_row else None
        if times is None:
            continue
        for column, coefficient in row.items():
            total = other_row.get(column, Fraction(0)) - times * coefficient
            if total:
                other_row[column] = total
            else:
                other_row.pop(column, None)
        right[index] -= times * right[leaving_row]
