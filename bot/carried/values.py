"""What an expression of a target's source can be known to be: a plain value, a tensor's shape, or not known.

Owns the values that a trace computes with and how two of them meet where branches join. Knows no syntax.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

Value = object
"""int, float, bool, str, None, tuples of values, or one of the classes below."""

_DTYPE_ALIASES = {
    "torch.short": "torch.int16",
    "torch.int": "torch.int32",
    "torch.long": "torch.int64",
    "torch.half": "torch.float16",
    "torch.float": "torch.float32",
    "torch.double": "torch.float64",
}
_DTYPES = {"torch.bool", "torch.uint8", "torch.int8", "torch.bfloat16", *_DTYPE_ALIASES.values()}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the source alone does not tell; `reason` names the first thing that was missing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name from outside the function, by its dotted path, e.g. `torch.int32`."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """The object a traced method belongs to."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No value at all: whoever was asked about a call does not know it."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor by its shape. Two tensors that share a storage name may share memory."""

    shape: tuple[Value, ...]
    dtype: Value
    storage: frozenset[str]

    def numel(self) -> Value:
        """Return the element count, or Unknown where a dimension is."""
        for size in self.shape:
            if not isinstance(size, int):
                return size if isinstance(size, Unknown) else Unknown("a dimension is not an integer")
        return math.prod(size for size in self.shape if isinstance(size, int))

    def reshaped(self, sizes: Sequence[Value]) -> Value:
        """Return the same memory in another shape, or Unknown where it cannot be told or does not fit."""
        total, known = self.numel(), [size for size in sizes if isinstance(size, int)]
        if not isinstance(total, int) or len(known) != len(sizes) or known.count(-1) > 1:
            return Unknown("a tensor is reshaped to sizes that are not known")
        rest = math.prod(size for size in known if size != -1)
        shape = tuple(total // rest if size == -1 and rest else size for size in known)
        if math.prod(shape) != total:
            return Unknown("a tensor is reshaped to a size that does not fit")
        return Tensor(shape, self.dtype, self.storage)


def canonical(symbol: Symbol) -> Symbol:
    """Return the one name of a dtype that has several."""
    return Symbol(_DTYPE_ALIASES.get(symbol.name, symbol.name))


def parse_sample(text: Value, name: str) -> Value:
    """Turn a sample from a patch.yaml into a value: `buffer(2, 64)` is a tensor, everything else itself."""
    shape = re.fullmatch(r"buffer\(([\d,\s]+)\)", text) if isinstance(text, str) else None
    if shape is None:
        return text
    sizes = tuple(int(size) for size in shape[1].split(",") if size.strip())
    return Tensor(sizes, Symbol("torch.int32"), frozenset({f"given {name}"}))


def truth(value: Value) -> bool | None:
    """Say whether a value counts as true, or None where that is not known."""
    if isinstance(value, Unknown | Symbol | Tensor | Instance):
        return None
    return bool(value)


def equal(left: Value, right: Value) -> bool | None:
    """Compare two values, or return None where they cannot be compared."""
    if isinstance(left, Symbol) and isinstance(right, Symbol):
        left, right = canonical(left), canonical(right)
        if left == right:
            return True
        return False if {left.name, right.name} <= _DTYPES else None
    if isinstance(left, tuple) and isinstance(right, tuple):
        pairs = [equal(a, b) for a, b in zip(left, right, strict=False)]
        if len(left) != len(right) or False in pairs:
            return False
        return None if None in pairs else True
    if isinstance(left, Unknown | Symbol | Tensor | Instance) or isinstance(
        right, Unknown | Symbol | Tensor | Instance
    ):
        return None
    return left == right


def merge(left: Value, right: Value, place: str) -> Value:
    """Return what is known of a value that is either of two."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return left if isinstance(left, Unknown) else right
    if isinstance(left, Tensor) and isinstance(right, Tensor) and equal(left.shape, right.shape):
        same_dtype = equal(left.dtype, right.dtype)
        dtype = left.dtype if same_dtype else Unknown(f"its dtype differs between the branches of {place}")
        return Tensor(left.shape, dtype, left.storage | right.storage)
    if left is right or (type(left) is type(right) and equal(left, right)):
        return left
    return Unknown(f"it differs between the branches of {place}")
