"""Triton's interpreter without the work that no result depends on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


def interpret_plainly() -> None:
    """Leave out the check for overflow, a third of the time, and what each call repeats, a fifth of the rest."""
    with contextlib.suppress(ImportError, AttributeError):
        from triton.runtime import interpreter  # noqa: PLC0415 - only after the device has been chosen

        object.__setattr__(interpreter.interpreter_builder.options, "sanitize_overflow", False)
        interpreter._patch_lang = _once_a_launch(interpreter._patch_lang)


def _once_a_launch(patch: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap what puts the interpreter's functions into `triton.language`, and is called for each call in a kernel.

    The first call of a launch returns what takes them out again at its end. Until then another call for the same
    globals finds nothing to do.
    """
    patched: set[int] = set()

    def patch_once(function: Any) -> Any:
        if id(function.__globals__) in patched:
            return None
        scope = patch(function)
        if patched or hasattr(scope, "restore"):  # older interpreters take nothing out again
            if not patched:
                scope.restore = _in_order(scope.restore, patched.clear)
            patched.add(id(function.__globals__))
        return scope

    return patch_once


def _in_order(*calls: Callable[[], object]) -> Callable[[], None]:
    def call_each() -> None:
        for call in calls:
            call()

    return call_each
