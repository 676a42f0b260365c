"""The `prove` section: how a candidate is proven."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.config.values import Section


class Prove(Section):
    """How a candidate is proven."""

    device: Literal["auto", "cpu", "cuda", "rocm"] = "auto"
    """Where the regression suite runs; `auto` takes a GPU where there is one."""
    timeout_minutes: Annotated[float, Field(gt=0, le=360, strict=False)] = 15
    """Minutes that one run of the suite gets at most; a base run and a candidate run get as much each."""
    required: bool = True
    """Open only what is proven. With `false`, what is not proven opens as a draft that says so."""
