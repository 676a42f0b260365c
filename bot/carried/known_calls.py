"""Results of well-known calls: tensor constructors and methods, min and max, ceiling division.

The result is NotAnswered for a call that is not in the tables, and Unknown for one that has no definite result.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce

from bot.carried.abstract_values import Device, Ratio, Symbol, Tensor, Unknown, UnknownCallee, canonical, compare, truth
from bot.carried.conditional_values import Value, graft, lift
from bot.carried.polynomial import Number, Polynomial


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


def _ceil_div(a: Number, b: Number) -> Number:
    return -(-a // b)


def _round(ratio: Value, *, up: bool) -> Value:
    if isinstance(ratio, Ratio):
        return ratio.ceil() if up else ratio.floor()
    if isinstance(ratio, Polynomial):
        return ratio
    if not isinstance(ratio, int | float):
        raise TypeError("this is no number")
    return math.ceil(ratio) if up else math.floor(ratio)


def _integer(value: Value) -> Value:
    return _round(value, up=False) if isinstance(value, Ratio | Polynomial) else int(value)  # type: ignore[call-overload]


def _extreme(*values: Value, largest: bool) -> Value:
    """Return the largest or smallest of numbers; sizes are compared as a choice between them."""
    sizes = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
    result = sizes[0]
    for size in sizes[1:]:
        result = lift(partial(_greater, largest=largest), result, size)
    return result


def _greater(first: Value, second: Value, *, largest: bool) -> Value:
    test = compare(">=", first, second)
    if test is None:
        raise TypeError("not all are sizes")
    return graft(test, first, second) if largest else graft(test, second, first)


def _absolute(size: Value) -> Value:
    return _extreme(size, -size, largest=True)  # type: ignore[operator]


# Called by these names in every project that has them; a definition in the target's own file wins over the name.
_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    **dict.fromkeys(("cdiv", "ceil_div", "ceildiv", "div_ceil", "div_up", "divup"), _ceil_div),
    **dict.fromkeys(("ceil_align", "align_up", "round_up"), lambda a, b: _ceil_div(a, b) * b),
    "math.ceil": partial(_round, up=True),
    "math.floor": partial(_round, up=False),
    "math.prod": lambda sizes: reduce(operator.mul, sizes, 1),
    "next_power_of_2": lambda n: 1 << max(n - 1, 0).bit_length(),
    "int": _integer,
    "float": float,
    "bool": truth,
    "abs": _absolute,
    "min": partial(_extreme, largest=False),
    "max": partial(_extreme, largest=True),
    "sum": lambda sizes: reduce(operator.add, sizes, 0),
    "len": len,
}
_CONSTRUCTORS = {"zeros", "ones", "empty"}
# Their result has the same shape. A copy counts as the same memory, which is the safe side.
_SAME_TENSOR = {
    "contiguous", "clone", "detach", "zero_", "fill_", "copy_", "requires_grad_"
}  # fmt: skip
# These change the shape in place: https://pytorch.org/docs/stable/generated/torch.Tensor.resize_.html
RESIZES = {"resize_", "resize_as_", "set_"}


def call_function(name: str, arguments: Arguments, place: str) -> Value:
    """Compute a function call by its dotted name. `place` names the call in reasons and as a tensor's storage."""
    module, _, last = name.rpartition(".")
    if module == "torch" and (last in _CONSTRUCTORS or last == "full"):
        return _tensor(arguments, place, Tensor((), Symbol("torch.float32"), frozenset()), fill=last == "full")
    if name == "torch.Size":
        return arguments.get(0, "")
    if name in _EXPECTATION_FUNCTIONS:
        return _EXPECTATION_FUNCTIONS[name](arguments, place)
    return _compute(name if name in _FUNCTIONS else last, arguments, place)


def call_tensor_method(base: Tensor, name: str, arguments: Arguments, place: str) -> Value:
    """Compute a call of a tensor's method."""
    if name.startswith("new_") and name.removeprefix("new_") in _CONSTRUCTORS | {"full"}:
        return _tensor(arguments, place, base, fill=name == "new_full")
    if name in _SAME_TENSOR:
        return base
    method = _METHODS.get(name)
    return method(base, arguments) if method else UnknownCallee()


def _size(base: Tensor, arguments: Arguments) -> Value:
    dimension = arguments.get(0, "dim")
    if dimension is None:
        return base.shape
    if isinstance(dimension, int) and -len(base.shape) <= dimension < len(base.shape):
        return base.shape[dimension]
    return Unknown("a tensor has no such dimension")


def _reshape(base: Tensor, arguments: Arguments) -> Value:
    first = arguments.get(0, "shape")
    return base.reshape(first if isinstance(first, tuple) else arguments.positional)


def _convert(base: Tensor, arguments: Arguments) -> Value:
    values = [*arguments.positional, arguments.keywords.get("dtype"), arguments.keywords.get("device")]
    dtype = next((canonical(v) for v in values if isinstance(v, Symbol)), base.dtype)
    device = next((v for v in values if isinstance(v, Device | str | Unknown)), base.device)
    return Tensor(base.shape, dtype, base.storage, device)


_METHODS: Mapping[str, Callable[[Tensor, Arguments], Value]] = {
    "numel": lambda base, _: base.numel(),
    "nelement": lambda base, _: base.numel(),
    "dim": lambda base, _: len(base.shape),
    "size": _size,
    "view": _reshape,
    "reshape": _reshape,
    "to": _convert,
    "cpu": lambda base, _: replace(base, device="cpu"),
    "cuda": lambda base, _: replace(base, device="cuda"),
    "pin_memory": lambda base, _: replace(base, device="cpu"),
}


def _tensor(arguments: Arguments, place: str, like: Tensor, *, fill: bool) -> Value:
    size = arguments.get(0, "size")
    if isinstance(size, Unknown):
        return size
    shape = size if isinstance(size, tuple) else (size,) if fill else arguments.positional or (size,)
    dtype = arguments.keywords.get("dtype", like.dtype)
    # Without `device` a new tensor is where the other one is, or on PyTorch's default device.
    device = arguments.keywords.get("device", like.device)
    dtype = canonical(dtype) if isinstance(dtype, Symbol) else dtype
    return Tensor(tuple(shape), dtype, frozenset({place}), device)


def _on_device(arguments: Arguments, place: str) -> Value:
    """Return whether a tensor is on the device of the instance or of another of its tensors. Without a device it is
    not.
    """
    tensor = arguments.get(0, "tensor")
    if not isinstance(tensor, Tensor):
        return tensor if isinstance(tensor, Unknown) else Unknown(f"{place}: this is no tensor")
    if isinstance(tensor.device, Device):
        return True
    return False if tensor.device in (None, "cpu") else Unknown(f"{place}: its device is not known")


def _separate(arguments: Arguments, place: str) -> Value:
    tensors = [value for value in arguments.positional if isinstance(value, Tensor)]
    if len(tensors) != len(arguments.positional):
        return next(
            (v for v in arguments.positional if isinstance(v, Unknown)), Unknown(f"{place}: not all are tensors")
        )
    return not frozenset.intersection(*(tensor.storage for tensor in tensors))


_EXPECTATION_FUNCTIONS: Mapping[str, Callable[[Arguments, str], Value]] = {
    "separate": _separate,
    "on_device": _on_device,
}
"""Functions that only expectations call."""


def _compute(name: str, arguments: Arguments, place: str) -> Value:
    function = _FUNCTIONS.get(name)
    if function is None or arguments.keywords:
        return UnknownCallee()
    for argument in arguments.positional:
        for value in argument if isinstance(argument, tuple) else (argument,):
            if isinstance(value, Unknown):
                return value
            if not isinstance(value, int | float | Polynomial | Ratio):
                return UnknownCallee()
    try:
        return function(*arguments.positional)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        return Unknown(f"{place}: {error}")
