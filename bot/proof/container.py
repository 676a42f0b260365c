"""The command lines that start a suite process in a container and that remove the container.

A container sees the folders it needs at the paths they have on this machine. It gets no network, no capability and no
token.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bot.proof.isolation import IsolationSettings, Launch

PYTHON = "python3"
"""The interpreter inside an image."""
_DEVICES = {
    "cpu": (),
    "cuda": ("--gpus", "all"),
    "rocm": ("--device", "/dev/kfd", "--device", "/dev/dri", "--group-add", "video", "--ipc", "private"),
}


def container_command(launch: Launch, isolation: IsolationSettings, name: str) -> list[str]:
    """Build the command line of a process in a fresh container called `name`, which is removed when it ends."""
    run = [isolation.runtime, "run", "--rm", "--init", "--name", name, "--workdir", str(launch.directory)]
    # The runtime's own network, not the machine's: that has services on loopback, and everybody's abstract sockets.
    run += [*(() if isolation.network else ("--network", "none")), "--user", f"{os.getuid()}:{os.getgid()}"]
    run += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
    run += ["--pids-limit", str(isolation.processes), "--ulimit", "core=0", "--ulimit", f"fsize={isolation.file}"]
    if isolation.memory is not None:
        run += ["--memory", str(isolation.memory)]
    for path in dict.fromkeys(path.resolve() for path in (*launch.readable, *isolation.readable)):
        run += ["--volume", f"{path}:{path}:ro"]
    for path in dict.fromkeys(path.resolve() for path in launch.writable):
        run += ["--volume", f"{path}:{path}"]
    for variable, value in _image_environment(launch.environment).items():
        run += ["--env", f"{variable}={value}"]
    program, *arguments = launch.command
    return [*run, *_device_options(launch.device), "--entrypoint", program, isolation.image or "", *arguments]


def removal_command(name: str, isolation: IsolationSettings) -> list[str]:
    """Build the command line that ends a container, whatever became of the client that started it."""
    return [isolation.runtime, "rm", "--force", name]


def _image_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave to the image what is about this machine."""
    return {name: value for name, value in environment.items() if name not in ("PATH", "LD_LIBRARY_PATH")}


def _device_options(device: str) -> tuple[str, ...]:
    if device != "auto":
        return _DEVICES[device]
    if Path("/dev/kfd").exists():
        return _DEVICES["rocm"]
    return _DEVICES["cuda"] if Path("/dev/nvidiactl").exists() else ()
