"""Where one suite process runs: on this machine inside its walls, or in a container.

Owns the choice between the two, and that nothing of either is left when a call returns.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.gate import container
from bot.gate.confinement import DEFAULT, Confinement, Launch, confined
from bot.gate.process import Finished, run_watched

_CLIENT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")
"""What a container runtime's client needs of our environment; the container itself gets none of it."""


def interpreter(confinement: Confinement) -> str:
    """Return the Python that suites run with: our own here, the image's in a container."""
    return container.PYTHON if confinement.image else sys.executable


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the two runs of one proof share: their bounds, and `stop`, which ends both when another thread sets it.

    Compiled kernels are kept in `kernels`, or for each run alone. The reports are kept in the folder `keep`.
    """

    confinement: Confinement = DEFAULT
    kernels: Path | None = None
    keep: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)


def run_confined(launch: Launch, shared: Shared, *, timeout: float, watch: Callable[[str], None]) -> Finished:
    """Run to the end, the time limit in seconds, or until it is told to stop; nothing of it is left then."""
    confinement = shared.confinement
    follow = partial(run_watched, directory=launch.directory, timeout=timeout, watch=watch, stop=shared.stop)
    if confinement.image is None:
        return follow(confined(launch, confinement), environment=launch.environment)
    name = f"backport-{uuid.uuid4().hex[:16]}"
    client = {variable: os.environ[variable] for variable in _CLIENT if variable in os.environ}
    try:
        return follow(container.contained(launch, confinement, name), environment=client)
    finally:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            ended = container.ending(name, confinement)
            subprocess.run(ended, env=client, capture_output=True, timeout=60, check=False)
