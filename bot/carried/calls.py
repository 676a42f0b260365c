"""Calls whose meaning is common knowledge: tensor constructors and methods, min and max, ceiling division.

Owns what such a call makes of evaluated arguments. Says Unanswered for a call it does not know, and Unknown for
one it knows but cannot answer. Knows no syntax and no target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.carried.values import Symbol, Tensor, Unanswered, Unknown, Value, canonical


@dataclass(frozen=True, slots=True)
class Arguments:
    """The evaluated arguments of a call."""

    positional: tuple[Value, ...]
    keywords: Mapping[str, Value]

    def get(self, position: int, keyword: str) -> Value:
        """Return an argument given either way, or None."""
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.positional[position] if position < len(self.positional) else None


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


# Called by these names in every project that has them; a definition in the target's own file wins over the name.
_FUNCTIONS: Mapping[str, Callable[..., int | float | bool]] = {
    **dict.fromkeys(("cdiv", "ceil_div", "ceildiv", "div_ceil", "div_up", "divup"), _ceil_div),
    **dict.fromkeys(("ceil_align", "align_up", "round_up"), lambda a, b: _ceil_div(a, b) * b),
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.prod": math.prod,
    "next_power_of_2": lambda n: 1 << max(n - 1, 0).bit_length(),
    "int": int,
    "float": float,
    "bool": bool,
    "abs": abs,
    "min": min,
    "max": max,
    "sum": sum,
    "len": len,
}
_FILLED = {"zeros", "ones", "empty"}
_SAME_TENSOR = {
    "cuda", "cpu", "contiguous", "clone", "detach", "pin_memory", "zero_", "fill_", "copy_", "requires_grad_"
}  # fmt: skip
RESIZES = {"resize_", "resize_as_", "set_"}


def call_function(name: str, arguments: Arguments, place: str) -> Value:
    """Answer a call of a function by its dotted name; `place` names this call in reasons and as a tensor's storage."""
    module, _, last = name.rpartition(".")
    if module == "torch" and (last in _FILLED or last == "full"):
        return _tensor(arguments, place, default_dtype=Symbol("torch.float32"), fill=last == "full")
    if name == "torch.Size":
        return arguments.get(0, "")
    if name == "separate":
        return _separate(arguments, place)
    return _computed(name if name in _FUNCTIONS else last, arguments, place)


def call_tensor_method(base: Tensor, name: str, arguments: Arguments, place: str) -> Value:
    """Answer a call of a tensor's method."""
    if name.startswith("new_") and name.removeprefix("new_") in _FILLED | {"full"}:
        return _tensor(arguments, place, default_dtype=base.dtype, fill=name == "new_full")
    if name in _SAME_TENSOR:
        return base
    method = _METHODS.get(name)
    return method(base, arguments) if method else Unanswered()


def _size(base: Tensor, arguments: Arguments) -> Value:
    dimension = arguments.get(0, "dim")
    if dimension is None:
        return base.shape
    if isinstance(dimension, int) and -len(base.shape) <= dimension < len(base.shape):
        return base.shape[dimension]
    return Unknown("a tensor has no such dimension")


def _reshaped(base: Tensor, arguments: Arguments) -> Value:
    first = arguments.get(0, "shape")
    return base.reshaped(first if isinstance(first, tuple) else arguments.positional)


def _converted(base: Tensor, arguments: Arguments) -> Value:
    dtype = next((v for v in (*arguments.positional, arguments.keywords.get("dtype")) if isinstance(v, Symbol)), None)
    return base if dtype is None else Tensor(base.shape, canonical(dtype), base.storage)


_METHODS: Mapping[str, Callable[[Tensor, Arguments], Value]] = {
    "numel": lambda base, _: base.numel(),
    "nelement": lambda base, _: base.numel(),
    "dim": lambda base, _: len(base.shape),
    "size": _size,
    "view": _reshaped,
    "reshape": _reshaped,
    "to": _converted,
}


def _tensor(arguments: Arguments, place: str, *, default_dtype: Value, fill: bool) -> Value:
    size = arguments.get(0, "size")
    if isinstance(size, Unknown):
        return size
    shape = size if isinstance(size, tuple) else (size,) if fill else arguments.positional or (size,)
    dtype = arguments.keywords.get("dtype", default_dtype)
    return Tensor(tuple(shape), canonical(dtype) if isinstance(dtype, Symbol) else dtype, frozenset({place}))


def _separate(arguments: Arguments, place: str) -> Value:
    tensors = [value for value in arguments.positional if isinstance(value, Tensor)]
    if len(tensors) != len(arguments.positional):
        return next(
            (v for v in arguments.positional if isinstance(v, Unknown)), Unknown(f"{place}: not all are tensors")
        )
    return not frozenset.intersection(*(tensor.storage for tensor in tensors))


def _computed(name: str, arguments: Arguments, place: str) -> Value:
    function = _FUNCTIONS.get(name)
    if function is None or arguments.keywords:
        return Unanswered()
    for argument in arguments.positional:
        for value in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(value, Unknown):
                return value
            if not isinstance(value, int | float):
                return Unanswered()
    try:
        return function(*arguments.positional)
    except (ArithmeticError, TypeError, ValueError) as error:
        return Unknown(f"{place}: {error}")
