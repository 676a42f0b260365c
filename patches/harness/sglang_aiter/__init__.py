"""Drives the AITER attention backend of any sglang source tree without a server, a model or aiter.

Shared by the regression suites of all carried patches for sglang. Owns how the target's own code is loaded, built,
captured and replayed, and how a write past the end of a buffer is counted. Judges nothing: that is the suites' part.

    SUITE_TARGET   the source tree, with `sglang/` at its root or under `python/`
    SUITE_DEVICE   auto, cpu, cuda or rocm
"""

from __future__ import annotations

import os

# torch would look through every installed package for a backend of some other device, and run it; none is used here.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")
