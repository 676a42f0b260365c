"""Whether conditions on sizes can hold together: a proof that they cannot, values for which they do, or neither.

Owns both searches. A proof is a sum of the conditions, each times something that is never negative, that would have to
be at least 0 and is below (https://en.wikipedia.org/wiki/Farkas%27_lemma). Values are checked, so both answers are
exact; where neither is found within bounds nothing is claimed.
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
    least,
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
    """Say whether the conditions are proven never to hold together; False claims nothing."""
    return all(_contradicts(facts) for facts in _facts(path))


@lru_cache(maxsize=1024)
def witness(path: Path) -> Mapping[str, int] | None:
    """Return values of the parameters for which all conditions hold, by name, or None where none are found."""
    numbers = [(condition, holds) for condition, holds in path if isinstance(condition, NotNegative | IsZero)]
    parameters = sorted(
        {atom for condition, _ in numbers for atom in atoms(condition.number) if isinstance(atom, Parameter)}, key=str
    )
    named = {abs(factor) for condition, _ in numbers for _, factor in _all_terms(condition.number)}
    values = {
        each: sorted(v for v in {*_USUAL, *(n + d for n in named for d in (-1, 0, 1))} if v >= each.minimum)
        for each in parameters
    }
    draw = random.Random(0)  # noqa: S311 - the same conditions give the same values
    for _ in range(_TRIALS):
        trial = _solved(numbers, {each: draw.choice(values[each]) for each in parameters})
        if _holds(numbers, trial):
            return {each.name: found for each, found in _smaller(numbers, trial, values).items()}
    return None


def _holds(numbers: Sequence[_Comparison], values: Mapping[Parameter, int]) -> bool:
    for condition, holds in numbers:
        size = value(condition.number, values)
        if (size >= 0 if isinstance(condition, NotNegative) else size == 0) is not holds:
            return False
    return True


def _solved(numbers: Sequence[_Comparison], trial: dict[Parameter, int]) -> dict[Parameter, int]:
    """Set a parameter by each equation that is linear in it, in place: chance alone rarely meets one."""
    solved: set[Parameter] = set()
    for condition, holds in numbers:
        if not (holds and isinstance(condition, IsZero)):
            continue
        for monomial, factor in terms(condition.number):
            each = monomial[0] if len(monomial) == 1 else None
            if isinstance(each, Parameter) and abs(factor) == 1 and each not in solved:
                result = trial[each] - factor * value(condition.number, trial)
                trial[each] = result if result >= each.minimum else trial[each]
                solved.add(each)
                break
    return trial


def _smaller(
    numbers: Sequence[_Comparison],
    found: Mapping[Parameter, int],
    values: Mapping[Parameter, Sequence[int]],
) -> Mapping[Parameter, int]:
    """Lower each parameter as far as the conditions still hold: small numbers read best."""
    least_found = dict(found)
    for each in found:
        smaller = (_solved(numbers, {**least_found, each: low}) for low in values[each] if low < least_found[each])
        least_found = next((trial for trial in smaller if _holds(numbers, trial)), least_found)
    return least_found


def _all_terms(number: Number) -> Iterator[tuple[Monomial, int]]:
    yield from terms(number)
    for atom in atoms(number):
        if isinstance(atom, Quotient):
            yield from (*terms(atom.numerator), *terms(atom.divisor))


# --- Proofs ---------------------------------------------------------------------------------------------------------


def _facts(path: Path) -> Iterator[tuple[Number, ...]]:
    """Yield what is at least 0 on the path; a number that is not 0 is above or below, so there are several ways."""
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
    known = [_shifted(fact) for fact in (*facts, *_about(quotients))]
    if any(isinstance(fact, int) and fact < 0 for fact in known):
        return True
    sums = [fact for fact in known if isinstance(fact, Polynomial)]
    degree = max((len(monomial) for fact in sums for monomial, _ in fact.terms), default=0)
    return any(_solvable(_products(sums, up_to), {(): -1}) for up_to in (degree, degree + 1))


def _about(quotients: Iterable[Quotient]) -> Iterator[Number]:
    """Yield what is at least 0 of rounded-down quotients."""
    for each in quotients:
        whole = polynomial([((each,), 1)])
        rest = each.numerator - whole * each.divisor
        yield from (rest, each.divisor - 1 - rest)
    for one, other in combinations(quotients, 2):
        if one.divisor == other.divisor:
            for upper, lower in ((one, other), (other, one)):
                difference = minimum(_shifted(upper.numerator - lower.numerator))
                if difference is not None and difference >= 0:
                    yield polynomial([((upper,), 1), ((lower,), -1)])


@lru_cache(maxsize=4096)
def _shifted(number: Number) -> Number:
    """Count every parameter from its minimum, so that all of them are at least 0."""
    total: Number = 0
    for monomial, factor in terms(number):
        product: Number = factor
        for atom in monomial:
            product = polynomial([((_from_zero(atom),), 1), ((), least(atom) or 0)]) * product
        total = product + total
    return total


def _from_zero(atom: Atom) -> Atom:
    return Parameter(atom.name, 0) if isinstance(atom, Parameter) else atom


def _products(facts: Sequence[Polynomial], degree: int) -> list[dict[Monomial, int]]:
    """Multiply each fact by what is never negative, up to a degree."""
    parts = {part for fact in facts for monomial, _ in fact.terms for part in _parts(monomial)}
    factors = sorted((p for p in parts if all(least(a) is not None for a in p)), key=lambda p: (len(p), str(p)))
    found = [
        dict(terms(polynomial([(factor, 1)]) * fact))
        for factor in factors
        for fact in facts
        if len(factor) + max(len(monomial) for monomial, _ in fact.terms) <= degree
    ]
    return found[:_PRODUCTS]


def _parts(monomial: Monomial) -> Iterator[Monomial]:
    for size in range(len(monomial) + 1):
        yield from combinations(monomial, size)


def _solvable(columns: Sequence[Mapping[Monomial, int]], bound: Mapping[Monomial, int]) -> bool:
    """Say whether a sum of the columns, none taken negatively, stays within the bound; by the dual simplex method.

    What is left below the bound is a monomial that is never negative; of one that may be, nothing may be left.
    """
    rows: list[dict[int, Fraction]] = []
    right: list[Fraction] = []
    for monomial in sorted({m for column in columns for m in column} | bound.keys(), key=lambda m: (len(m), str(m))):
        signed = any(least(atom) is None for atom in monomial)
        for sign in (1, -1) if signed else (1,):
            row = {j: Fraction(sign * c[monomial]) for j, c in enumerate(columns) if c.get(monomial)}
            rows.append(row)
            right.append(Fraction(sign * bound.get(monomial, 0)))
    basic = [len(columns) + index for index in range(len(rows))]
    for _ in range(_PIVOTS):
        leaving = min((index for index, left in enumerate(right) if left < 0), key=basic.__getitem__, default=None)
        if leaving is None:
            return True
        entering = min((column for column, factor in rows[leaving].items() if factor < 0), default=None)
        if entering is None:
            return False
        _pivot(rows, right, basic, leaving, entering)
    return False


def _pivot(
    rows: list[dict[int, Fraction]], right: list[Fraction], basic: list[int], leaving: int, entering: int
) -> None:
    factor = rows[leaving].pop(entering)
    row = {column: each / factor for column, each in rows[leaving].items()}
    row[basic[leaving]] = 1 / factor
    rows[leaving], right[leaving] = row, right[leaving] / factor
    basic[leaving] = entering
    for index, other in enumerate(rows):
        times = other.pop(entering, None) if index != leaving else None
        if times is None:
            continue
        for column, each in row.items():
            total = other.get(column, Fraction(0)) - times * each
            if total:
                other[column] = total
            else:
                other.pop(column, None)
        right[index] -= times * right[leaving]
