"""Abstract values of expressions: a constant, a size, a tensor shape, or unknown.

An abstract value is an int, float, bool, str, None, a polynomial, a tuple of values, one of the classes below, or a
choice between such values. This module compares them and merges two of them after a branch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.carried.conditional_values import Choice, Flag, IsZero, NotNegative, Value, choose, lift
from bot.carried.polynomial import Number, Polynomial, minimum, parameter, quotient

_DTYPE_ALIASES = {
    "torch.short": "torch.int16",
    "torch.int": "torch.int32",
    "torch.long": "torch.int64",
    "torch.half": "torch.float16",
    "torch.float": "torch.float32",
    "torch.double": "torch.float64",
}
_PLATFORM = re.compile(
    r"(?:.*\.)?(?:_?is_(?:hip|cuda|npu|xpu|cpu|hpu|musa|rocm|gfx\w+|sm\w+|\w+_supported)|torch\.version\.(?:hip|cuda))"
)
"""Names that are true on some machines and false on others. A fix must be right on both."""
_DTYPES = {"torch.bool", "torch.uint8", "torch.int8", "torch.bfloat16", *_DTYPE_ALIASES.values()}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the source does not determine; `reason` names the first thing that is missing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name from outside the function, by its dotted path, e.g. `torch.int32`."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """The object a traced method belongs to."""


@dataclass(frozen=True, slots=True)
class UnknownCallee:
    """No value: the callee is not known."""


@dataclass(frozen=True, slots=True)
class Device:
    """The device of the instance's tensors, or of another tensor."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The exact quotient of two sizes, before it is rounded."""

    numerator: Number
    divisor: Number

    def floor(self) -> Number:
        """Round down."""
        return quotient(self.numerator, self.divisor)

    def ceil(self) -> Number:
        """Round up."""
        return -quotient(-self.numerator, self.divisor)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor by its shape. Two tensors that share a storage name may share memory."""

    shape: tuple[Value, ...]
    dtype: Value
    storage: frozenset[str]
    device: Value = None

    def numel(self) -> Value:
        """Return the element count, or Unknown if a dimension is unknown."""
        total: Number = 1
        for size in self.shape:
            if not isinstance(size, int | Polynomial):
                return size if isinstance(size, Unknown) else Unknown("a dimension is not an integer")
            total = total * size
        return total

    def reshape(self, sizes: Sequence[Value]) -> Value:
        """Return the same memory in another shape, or Unknown if the shape is unknown or does not fit."""
        total, lengths = self.numel(), [size for size in sizes if isinstance(size, int | Polynomial)]
        if not isinstance(total, int | Polynomial) or len(lengths) != len(sizes) or lengths.count(-1) > 1:
            return Unknown("a tensor is reshaped to sizes that are not known")
        known_product: Number = 1
        for size in lengths:
            known_product = known_product if size == -1 else known_product * size
        try:
            inferred_size = quotient(total, known_product)
        # The sizes around `-1` may have the product 0.
        except ArithmeticError:
            inferred_size = 0
        shape = tuple(inferred_size if size == -1 else size for size in lengths)
        if known_product * (inferred_size if -1 in lengths else 1) != total:
            return Unknown("a tensor is reshaped to a size that does not fit")
        return Tensor(shape, self.dtype, self.storage, self.device)


def canonical(symbol: Symbol) -> Symbol:
    """Return the one name of a dtype that has several."""
    return Symbol(_DTYPE_ALIASES.get(symbol.name, symbol.name))


def parse_sample(text: Value, name: str) -> Value:
    """Turn a sample from a patch.yaml into a value.

    `integers(1)` is every integer from 1 on, `buffer(2, 64)` an int32 tensor of that shape, `int64 buffer(2, 64)` one
    of another dtype, and `buffer(rows, columns)` one of every shape; everything else is itself.
    """
    words = re.fullmatch(r"(\w+ )?(integers|buffer)\(([\w,\s]+)\)", text) if isinstance(text, str) else None
    if words is None:
        return text
    sizes = [size.strip() for size in words[3].split(",") if size.strip()]
    if words[2] == "integers":
        return parameter(name, int(sizes[0]))
    shape = tuple(int(size) if size.isdecimal() else parameter(f"{name}.{size}") for size in sizes)
    dtype = canonical(Symbol(f"torch.{(words[1] or 'int32').strip()}"))
    return Tensor(shape, dtype, frozenset({f"given {name}"}), Device())


def truth(value: Value) -> Value:
    """Return the truth value: True, False, a choice between them, or None if it is unknown."""
    match value:
        case Choice():
            return lift(truth, value)
        case Polynomial():
            return lift(lambda zero: not zero, _same_size(value, 0))
        case Symbol(name) if _PLATFORM.fullmatch(name):
            return choose(platform(name), True, False)
        case Unknown() | Symbol() | Tensor() | Instance() | Device() | Ratio():
            return None
    return bool(value)


def platform(name: str) -> Flag:
    """Return the condition that a name such as `_is_hip` or a call of `is_hip` stands for."""
    return Flag(name.rpartition(".")[2].lstrip("_") if "version" not in name else name)


def is_platform(name: str) -> bool:
    """Return True if a name, or a call of it, is true on some machines and false on others."""
    return _PLATFORM.fullmatch(name) is not None


def compare(op: str, left: Value, right: Value) -> Value:
    """Compare two sizes by `<`, `<=`, `>` or `>=`: True, False, a choice between them, or None if it is unknown."""
    if not isinstance(left, int | float | Polynomial) or not isinstance(right, int | float | Polynomial):
        return None
    if not isinstance(left, Polynomial) and not isinstance(right, Polynomial):
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]
    # Polynomials are integers. A comparison with a float would need exact fractions.
    if isinstance(left, float) or isinstance(right, float):
        return None
    difference = left - right if op.startswith(">") else right - left
    difference = difference if op.endswith("=") else difference - 1
    lowest, highest = minimum(difference), minimum(-difference)
    if (lowest is not None and lowest >= 0) or (highest is not None and highest > 0):
        return lowest is not None and lowest >= 0
    # Neither is certain, so both cases are followed.
    return choose(NotNegative(difference), True, False)


def equal(left: Value, right: Value) -> Value:
    """Compare two values: True, False, a choice between them, or None if they cannot be compared."""
    if isinstance(left, Symbol) and isinstance(right, Symbol):
        left, right = canonical(left), canonical(right)
        return True if left == right else False if {left.name, right.name} <= _DTYPES else None
    if isinstance(left, tuple) and isinstance(right, tuple):
        pairs = [equal(a, b) for a, b in zip(left, right, strict=False)]
        return False if len(left) != len(right) or False in pairs else _all_true(pairs)
    if any(isinstance(side, Unknown | Symbol | Tensor | Instance | Device | Ratio) for side in (left, right)):
        return None
    if isinstance(left, Polynomial) or isinstance(right, Polynomial):
        return _same_size(left, right)
    return left == right


def _all_true(pairs: Sequence[Value]) -> bool | None:
    return True if all(pair is True for pair in pairs) else None


def _same_size(left: Value, right: Value) -> Value:
    if not isinstance(left, int | Polynomial) or not isinstance(right, int | Polynomial):
        return None if isinstance(left, float) or isinstance(right, float) else False
    difference = left - right
    if isinstance(difference, int):
        return difference == 0
    lowest, highest = minimum(difference), minimum(-difference)
    if (lowest is not None and lowest > 0) or (highest is not None and highest > 0):
        return False
    return choose(IsZero(difference), True, False)


def merge(left: Value, right: Value, place: str) -> Value:
    """Return the common knowledge about a value that is either of two."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return left if isinstance(left, Unknown) else right
    if isinstance(left, Tensor) and isinstance(right, Tensor) and left.shape == right.shape:
        dtype = (
            left.dtype if left.dtype == right.dtype else Unknown(f"its dtype differs between the branches of {place}")
        )
        device = left.device if left.device == right.device else Unknown(f"its device differs at {place}")
        return Tensor(left.shape, dtype, left.storage | right.storage, device)
    if left is right or (type(left) is type(right) and (left == right or equal(left, right) is True)):
        return left
    return Unknown(f"it differs between the branches of {place}")
