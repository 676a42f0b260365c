"""Drives the AITER attention backend of any sglang source tree without a server, a model or aiter.

Shared by the regression suites of all carried patches for sglang. The modules here are the judge's: they make the
token pool, lay canaries around the target's buffers and compare what the target left there. The target's own code runs
in a child process, by the modules in `child`. Judges nothing by itself: that is the suites' part.

    SUITE_TARGET   the source tree, with `sglang/` at its root or under `python/`
    SUITE_DEVICE   auto, cpu, cuda or rocm
    SUITE_SEED     what the drawn settings come from; the backend's own text where it is not set
"""

from __future__ import annotations

import os

# torch would look through every installed package for a backend of some other device, and run it; none is used here.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")
