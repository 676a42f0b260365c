"""The command lines that start a suite process in a container and that remove the container.

A container sees the folders it needs at the paths they have on this machine. It gets no network, no capability and no
token.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.proof.gpu_devices import NVIDIA, AmdDevices, amd_devices, has_amd_gpu
from bot.proof.isolated_command import IsolationSettings, Launch

PYTHON = "python3"
"""The interpreter inside an image."""
_CLIENT = (
    *("PATH", "HOME", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "CONTAINER_HOST", "REGISTRY_AUTH_FILE"),
    *("TMPDIR", "XDG_RUNTIME_DIR"),
)
"""What a container runtime's client needs of our environment; the container itself gets none of it."""
_MACHINE_ONLY = ("PATH", "LD_LIBRARY_PATH")
"""Variables that are about this machine, not about an image."""


def client_environment() -> dict[str, str]:
    """Return the environment of a container runtime's client."""
    return {variable: os.environ[variable] for variable in _CLIENT if variable in os.environ}


def container_command(launch: Launch, isolation: IsolationSettings, name: str) -> list[str]:
    """Build the command line of a process in a fresh container called `name`, which is removed when it ends."""
    amd = amd_devices() if _uses_amd_gpu(launch.device) else None
    # Process 1 of a container ignores signals that it does not handle, and inherits orphans. With --init it is a small
    # program that passes signals on and reaps: https://docs.docker.com/reference/cli/docker/container/run/#init
    run = [isolation.runtime, "run", "--rm", "--init", "--name", name, "--workdir", str(launch.directory.resolve())]
    # The runtime's own network, not the machine's: that has services on loopback, and everybody's abstract sockets.
    run += [*(() if isolation.network else ("--network", "none")), "--user", f"{os.getuid()}:{os.getgid()}"]
    # The image is read-only, so that both runs start from the same files; only mounted folders and /tmp take writes.
    run += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
    run += ["--pids-limit", str(isolation.processes), "--ulimit", "core=0", "--ulimit", f"fsize={isolation.file}"]
    run += ["--shm-size", str(isolation.shared_memory_size)]
    if isolation.memory is not None:
        run += ["--memory", str(isolation.memory)]
    for mount in _mounts(launch, isolation):
        run += ["--mount", mount]
    for variable, value in _image_environment(launch.environment, amd).items():
        run += ["--env", f"{variable}={value}"]
    program, *arguments = launch.command
    devices = _amd_options(amd) if amd else _device_options(launch.device)
    return [*run, *devices, *isolation.container_options, "--entrypoint", program, isolation.image or "", *arguments]


def removal_command(name: str, isolation: IsolationSettings) -> list[str]:
    """Build the command line that ends a container, whatever became of the client that started it."""
    return [isolation.runtime, "rm", "--force", name]


def _mounts(launch: Launch, isolation: IsolationSettings) -> Iterator[str]:
    """Yield the folders that a container sees; a writable one wins over the same one to read."""
    writable = dict.fromkeys(path.resolve() for path in launch.writable)
    readable = dict.fromkeys(path.resolve() for path in (*launch.readable, *isolation.readable))
    for path in readable:
        if path not in writable:
            yield _mount(path, path, "readonly")
    for source, target in isolation.volumes:
        yield _mount(source.resolve(), target, "readonly")
    for path in writable:
        yield _mount(path, path)


def _mount(source: Path, target: Path, *options: str) -> str:
    """Word one mount. `--volume` would read a colon in a path as the end of it; here a comma is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", f"source={source}", f"target={target}", *options])
    return line.getvalue()


def _image_environment(environment: Mapping[str, str], amd: AmdDevices | None) -> dict[str, str]:
    own_variables = (*_MACHINE_ONLY, amd.selection) if amd else _MACHINE_ONLY
    return {name: value for name, value in environment.items() if name not in own_variables}


def _uses_amd_gpu(device: str) -> bool:
    return device == "rocm" or (device == "auto" and has_amd_gpu())


def _amd_options(amd: AmdDevices) -> Iterator[str]:
    """Open this pod's GPUs. /dev/kfd is often root:render, and a group's number differs from image to image."""
    for node in amd.nodes:
        yield from ("--device", str(node))
    for group in amd.groups or ("video",):
        yield from ("--group-add", str(group))
    yield from ("--ipc", "private")


def _device_options(device: str) -> tuple[str, ...]:
    return ("--gpus", "all") if device == "cuda" or (device == "auto" and NVIDIA.exists()) else ()
