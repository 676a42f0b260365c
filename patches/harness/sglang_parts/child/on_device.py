"""Where the target's tensors go on a machine without a GPU."""

from __future__ import annotations

from typing import Any

from torch.overrides import TorchFunctionMode

_MAKERS = ("zeros", "empty", "ones", "full")


class OnDevice(TorchFunctionMode):
    """Makes tensors for `cuda` on the device at hand; on a GPU that changes nothing.

    Without a GPU, what is made elsewhere goes to torch's meta device if it is `strict`: no kernel could read it.
    """

    def __init__(self, device: str, *, strict: bool = False) -> None:
        super().__init__()
        self._device, self._strict = device, strict

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch with the device exchanged."""
        if self._device != "cpu":
            return func(*args, **(kwargs or {}))
        named = dict(kwargs or {})
        if str(named.get("device", "")).startswith("cuda"):
            named["device"] = self._device
        elif self._strict and getattr(func, "__name__", "") in _MAKERS:
            named["device"] = "meta"
        return func(*args, **named)
