"""Sizes for all parameter values: integer polynomials in parameters and in rounded-down quotients of polynomials.

They have one normal form, so that two spellings of a ceiling division are equal. Every parameter has a minimum of at
least 0. `bot.carried.satisfiability` proves statements about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod


@dataclass(frozen=True, slots=True)
class Parameter:
    """An integer that may have any value from `minimum` on."""

    name: str
    minimum: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Quotient:
    """`numerator // divisor` that does not divide evenly. The divisor is at least 1."""

    numerator: Number
    divisor: Number

    def __str__(self) -> str:
        return f"(({self.numerator}) // ({self.divisor}))"


Atom = Parameter | Quotient
Monomial = tuple[Atom, ...]
"""A product of atoms, sorted by their text; the empty one is 1."""


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A sum of integer multiples of monomials, never constant: `polynomial` returns a plain int for those."""

    terms: tuple[tuple[Monomial, int], ...]

    def __str__(self) -> str:
        return " + ".join(_term(monomial, factor) for monomial, factor in self.terms).replace("+ -", "- ")

    def __add__(self, other: Number) -> Number:
        return polynomial([*self.terms, *terms(other)])

    def __mul__(self, other: Number) -> Number:
        return polynomial((_product(a, b), factor * times) for a, factor in self.terms for b, times in terms(other))

    def __neg__(self) -> Number:
        return self * -1

    def __sub__(self, other: Number) -> Number:
        return self + other * -1

    def __rsub__(self, other: int) -> Number:
        return self * -1 + other

    def __floordiv__(self, other: Number) -> Number:
        return quotient(self, other)

    def __rfloordiv__(self, other: int) -> Number:
        return quotient(other, self)

    def __mod__(self, other: Number) -> Number:
        return self - quotient(self, other) * other

    def __rmod__(self, other: int) -> Number:
        return quotient(other, self) * self * -1 + other

    def __pow__(self, exponent: int) -> Number:
        if exponent not in range(5):
            raise ValueError(f"a power of {exponent} is not followed")
        result: Number = 1
        for _ in range(exponent):
            result = self * result
        return result

    __radd__ = __add__
    __rmul__ = __mul__


Number = int | Polynomial


def parameter(name: str, minimum: int = 0) -> Number:
    """Return a parameter as a number."""
    return polynomial([((Parameter(name, minimum),), 1)])


def polynomial(parts: Iterable[tuple[Monomial, int]]) -> Number:
    """Add terms up."""
    total: Counter[Monomial] = Counter()
    for monomial, factor in parts:
        total[monomial] += factor
    sorted_terms = sorted(((m, f) for m, f in total.items() if f), key=lambda term: _order(term[0]))
    if not any(monomial for monomial, _ in sorted_terms):
        return sorted_terms[0][1] if sorted_terms else 0
    return Polynomial(tuple(sorted_terms))


def terms(number: Number) -> tuple[tuple[Monomial, int], ...]:
    """Return the terms of a polynomial or of a constant."""
    if isinstance(number, Polynomial):
        return number.terms
    return (((), int(number)),) if number else ()


def quotient(numerator: Number, divisor: Number) -> Number:
    """Divide and round down.

    Raises:
        ArithmeticError: the divisor may be 0 or less.
    """
    if isinstance(numerator, int) and isinstance(divisor, int):
        return numerator // divisor
    # Python's `//` raises for 0, and rounds differently for a negative divisor.
    lowest = minimum(divisor)
    if lowest is None or lowest < 1:
        raise ArithmeticError(f"`{divisor}` may be 0")
    multiple, remainder = _divide(numerator, divisor)
    if isinstance(remainder, int) and isinstance(divisor, int):
        return multiple + remainder // divisor
    if isinstance(remainder, int) and -lowest <= remainder < lowest:
        return multiple + (-1 if remainder < 0 else 0)
    leading = next((factor for monomial, factor in terms(remainder) if monomial), 1)
    if leading < 0:  # -a // b is -((a - 1) // b + 1): every ceiling division gets the same form
        return multiple - (quotient(remainder * -1 - 1, divisor) + 1)
    return multiple + polynomial([((Quotient(remainder, divisor),), 1)])


def minimum(number: Number) -> int | None:
    """Return a lower bound of the number, or None if none is found."""
    result = 0
    for monomial, factor in terms(number):
        lowest = [least_value(atom) for atom in monomial]
        if None in lowest or (monomial and factor < 0):
            return None
        product = factor
        for low in lowest:
            product *= low or 0
        result += product
    return result


def least_value(atom: Atom) -> int | None:
    """Return the least value of an atom that is never negative, or None if it may be negative."""
    if isinstance(atom, Parameter):
        return atom.minimum
    lowest = minimum(atom.numerator)
    return 0 if lowest is not None and lowest >= 0 else None


def atoms(number: Number) -> Iterator[Atom]:
    """Yield every atom, those inside quotients before the quotient."""
    for monomial, _ in terms(number):
        for atom in monomial:
            if isinstance(atom, Quotient):
                yield from atoms(atom.numerator)
                yield from atoms(atom.divisor)
            yield atom


def value(number: Number, values: Mapping[Parameter, int]) -> int:
    """Return the number for given values of its parameters."""
    return sum(factor * prod(_atom(atom, values) for atom in monomial) for monomial, factor in terms(number))


def _atom(atom: Atom, values: Mapping[Parameter, int]) -> int:
    if isinstance(atom, Parameter):
        return values[atom]
    return value(atom.numerator, values) // value(atom.divisor, values)


def _divide(numerator: Number, divisor: Number) -> tuple[Number, Number]:
    """Split into whole multiples of the divisor and a remainder, which keeps terms that do not divide evenly."""
    multiple: Number = 0
    remainder = numerator
    lead, times = terms(divisor)[-1]
    for monomial, _ in reversed(terms(numerator)):
        part, factor = without(monomial, lead), dict(terms(remainder)).get(monomial, 0)
        if part is not None and factor and (factor % times == 0 or isinstance(divisor, int)):
            step = polynomial([(part, factor // times)])
            multiple, remainder = step + multiple, remainder - step * divisor
    # A division that leaves a remainder is kept whole, so that each quotient has one form.
    if isinstance(divisor, Polynomial) and len(divisor.terms) > 1 and remainder != 0:
        return 0, numerator
    return multiple, remainder


def without(monomial: Monomial, part: Monomial) -> Monomial | None:
    """Return the monomial divided by another, or None if it is not divisible."""
    factors = list(monomial)
    for atom in part:
        if atom not in factors:
            return None
        factors.remove(atom)
    return tuple(factors)


def _product(left: Monomial, right: Monomial) -> Monomial:
    return tuple(sorted((*left, *right), key=_name))


@lru_cache(maxsize=4096)
def _name(atom: Atom) -> str:
    return str(atom)


def _order(monomial: Monomial) -> tuple[int, tuple[str, ...]]:
    return len(monomial), tuple(map(_name, monomial))


def _term(monomial: Monomial, factor: int) -> str:
    text = " * ".join(map(_name, monomial))
    if not text:
        return str(factor)
    return text if factor == 1 else f"-{text}" if factor == -1 else f"{factor} * {text}"
