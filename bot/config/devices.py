"""The `prove.devices` section: the devices of a proof on several architectures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.config.containers import ContainerImage
from bot.config.values import Section

DeviceKind = Literal["auto", "cpu", "cuda", "rocm"]
RunnerLabel = Annotated[str, Field(min_length=1, max_length=100)]
KINDS = ("cpu", "cuda", "rocm")
_PREFIXES: Mapping[str, DeviceKind] = {"cpu": "cpu", "cuda": "cuda", "rocm": "rocm", "gfx": "rocm", "sm_": "cuda"}


def kind_of(name: str) -> DeviceKind | None:
    """Return the kind of a device by its name, e.g. rocm for gfx942; None if the name does not tell."""
    return next((kind for prefix, kind in _PREFIXES.items() if name.startswith(prefix)), None)


class ProofDevice(Section):
    """One of several devices that a candidate is proven on. Its verdict counts only if the suite itself ran there."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    """The architecture (`gfx942`, `sm_90`) or the kind (`rocm`) that the suite has to run on."""
    device: DeviceKind | None = None
    """As `prove.device`. By default the kind that `name` tells, else `prove.device`."""
    labels: tuple[RunnerLabel, ...] | None = Field(default=None, strict=False, min_length=1)
    """The labels of its runner, e.g. [linux-mi35x-gpu-1]. By default `prove.actions.labels`."""
    images: tuple[ContainerImage, ...] | None = Field(default=None, strict=False, min_length=1)
    """Its images, as in `prove.containers`, which are the default."""

    @property
    def is_architecture(self) -> bool:
        """Whether its name is narrower than a kind."""
        return self.name not in KINDS

    @model_validator(mode="after")
    def _agrees_with_its_name(self) -> Self:
        kind = kind_of(self.name)
        if kind is not None and self.device not in (None, "auto", kind):
            raise ValueError(
                f"is named `{self.name}`, which is of the kind `{kind}`, and its `device` is `{self.device}`"
            )
        return self

    def required(self, required: Collection[str]) -> tuple[str, ...]:
        """Return on which devices a run of it counts: `required` are those on which any run does, if there are any."""
        architectures = tuple(name for name in required if name not in KINDS)
        return (self.name,) if self.is_architecture else architectures or (self.name,)

    def is_ruled_out(self, required: Collection[str]) -> bool:
        """Whether no run on this device could be one on a required device."""
        if self.is_architecture:
            kinds = {kind_of(self.name) or kind for kind in KINDS}
            return not {self.name, *kinds} & set(required)
        return self.name not in required and set(required) <= set(KINDS)
