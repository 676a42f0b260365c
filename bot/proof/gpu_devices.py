"""The GPU device nodes of this machine, and which of them belong to this pod.

A Kubernetes node's GPUs are split over several pods. A pod may use its own GPUs only, although the daemon that starts
containers for it sees all nodes of the machine.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KFD, NVIDIA, DXG = Path("/dev/kfd"), Path("/dev/nvidiactl"), Path("/dev/dxg")
RENDER_FOLDER = Path("/dev/dri")
POD_DEVICES = Path("/etc/podinfo/gha-render-devices")
"""Docker options for this pod's devices, as ARC runners for AMD get them from the Kubernetes downward API:
https://github.com/sgl-project/sglang/blob/main/scripts/ci/amd/amd_ci_start_container.sh. The file may be empty."""
TOPOLOGY = Path("/sys/class/kfd/kfd/topology/nodes")
"""https://docs.kernel.org/gpu/amdgpu/driver-misc.html: one folder for each CPU and GPU, in ROCr's order."""
SELECTIONS = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


@dataclass(frozen=True, slots=True)
class AmdDevices:
    """Nodes for a container, numeric groups that own them, and the variable by which they were selected, if any.

    Inside a container that has the selected GPUs alone, that variable would select by the wrong numbers.
    """

    nodes: tuple[Path, ...]
    groups: tuple[int, ...]
    selection: str = ""


def has_amd_gpu() -> bool:
    """Whether this machine has the driver of an AMD GPU."""
    return KFD.exists()


def has_gpu() -> bool:
    """Whether this machine has the driver of any GPU that torch can use."""
    return any(node.exists() for node in (KFD, NVIDIA, DXG))


def amd_devices(environment: Mapping[str, str] | None = None) -> AmdDevices:
    """Return what a container needs to open this pod's AMD GPUs, and no others."""
    variables = os.environ if environment is None else environment
    selection = next((name for name in SELECTIONS if name in variables), "")
    render = _pod_nodes()
    if render is None and selection:
        render = tuple(_selected_nodes(variables[selection]))
    elif render is None:
        render = tuple(sorted(RENDER_FOLDER.glob("renderD*"), key=_minor))
    nodes = (KFD, *render)
    return AmdDevices(nodes, _groups(nodes), selection)


def _pod_nodes() -> tuple[Path, ...] | None:
    """Read this pod's render nodes; None if the pod does not say."""
    try:
        words = shlex.split(POD_DEVICES.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    paths = (word.removeprefix("--device=").partition(":")[0] for word in words)
    return tuple(Path(path) for path in paths if path.startswith(f"{RENDER_FOLDER}/renderD")) or None


def _selected_nodes(value: str) -> Iterator[Path]:
    """Yield the render nodes of a list of GPU numbers or UUIDs; one that does not exist is left out, as in ROCr."""
    nodes = _nodes_by_number()
    for entry in filter(None, (part.strip() for part in value.split(","))):
        if entry.isdecimal() and int(entry) < len(nodes):
            yield nodes[int(entry)][1]
        else:
            yield from (node for uuid, node in nodes if uuid and uuid == entry.lower())


def _nodes_by_number() -> Sequence[tuple[str, Path]]:
    """Return the UUID and the render node of each GPU in ROCr's order; in the nodes' order without a topology."""
    properties = [_properties(folder) for folder in sorted(_topology_folders(), key=lambda folder: int(folder.name))]
    # A CPU is a node of the topology too, without SIMD units.
    gpus = [entry for entry in properties if int(entry.get("simd_count", "0")) > 0]
    if gpus:
        return [
            # ROCR_VISIBLE_DEVICES takes a UUID in this form: https://rocm.docs.amd.com/en/latest/conceptual/gpu-isolation.html
            (f"gpu-{int(gpu.get('unique_id', '0')):016x}", RENDER_FOLDER / f"renderD{gpu.get('drm_render_minor')}")
            for gpu in gpus
        ]
    return [("", node) for node in sorted(RENDER_FOLDER.glob("renderD*"), key=_minor)]


def _topology_folders() -> Iterator[Path]:
    try:
        yield from (folder for folder in TOPOLOGY.iterdir() if folder.name.isdecimal())
    except OSError:
        return


def _properties(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / "properties").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):  # a GPU of another pod may be unreadable
        return {}
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def _minor(node: Path) -> int:
    number = node.name.removeprefix("renderD")
    return int(number) if number.isdecimal() else -1


def _groups(nodes: Sequence[Path]) -> tuple[int, ...]:
    """Return the groups that own nodes; by number, as an image may lack the name or give it another number."""
    groups = []
    for node in nodes:
        try:
            groups.append(node.stat().st_gid)
        except OSError:  # the daemon's machine has it, this one does not
            continue
    return tuple(dict.fromkeys(groups))
