"""pytest as a program of its own, for a suite whose imports are most of its time. Its text is run by any interpreter.

The garbage collector rests while modules are imported, where it finds nothing and takes a fifth of the time, and what
they made is left alone by forked processes. At the end nothing is taken down: with torch that takes up to a second.
"""

from __future__ import annotations

import gc
import os
import sys


class Collected:
    """Lets the garbage collector begin with what comes after the imports."""

    def pytest_collection_finish(self) -> None:
        """Begin."""
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    gc.disable()
    import pytest

    code = int(pytest.main(plugins=[Collected()]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
