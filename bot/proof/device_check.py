"""Checks that a suite ran on the configured device. The suite itself reports which device it used.

Nothing here looks at which GPUs a machine has in order to name a device. A machine's GPU says nothing about a suite
whose torch cannot use it.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Collection
from dataclasses import replace

from bot.models import Device, SuiteRun, Verdict, VerdictOutcome
from bot.proof.gpu_devices import has_amd_gpu, has_gpu
from bot.proof.isolated_command import Launch
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated
from bot.proof.tool_versions import tool_versions

_PROBE_SECONDS = 120.0
_MARK = "backport-bot device: "
_PROBE = f"""
import json, platform, torch
gpu = torch.cuda.is_available()
kind = ("rocm" if torch.version.hip else "cuda") if gpu else "cpu"
found = torch.cuda.get_device_properties(0) if gpu else None
arch = getattr(found, "gcnArchName", "").partition(":")[0] if kind == "rocm" else ""
arch = arch or (f"sm_{{found.major}}{{found.minor}}" if gpu else platform.machine())
versions = {{"python": platform.python_version(), "torch": torch.__version__}}
device = {{"kind": kind, "name": found.name if gpu else "CPU", "arch": arch, "versions": versions}}
print({_MARK!r} + json.dumps(device))
"""
_OPENS_A_PULL_REQUEST = (VerdictOutcome.PROVEN, VerdictOutcome.NOT_REPRODUCED, VerdictOutcome.NO_TESTS)


def check_device(requested: str, run: SuiteRun, image: str = "") -> SuiteRun:
    """Make a run unusable that was not on the requested device, and name the `image` it ran in.

    A run that names no device stays usable or not, as it is.
    """
    run = replace(run, image=image)
    if run.device is None:
        return run
    versions = {**run.device.versions, **({"image": image} if image else {})}
    problem = run.problem or _problem(requested, run.device)
    return replace(run, problem=problem, device=replace(run.device, versions=versions))


def _problem(kind: str, device: Device) -> str:
    if kind == "auto" and device.kind == "cpu" and has_amd_gpu():
        torch = f"torch {device.versions['torch']}" if "torch" in device.versions else "Python"
        return (
            f"this machine has an AMD GPU (/dev/kfd), but the suite ran on {device}: its {torch} cannot use the GPU. "
            "Take an image with a torch for ROCm, or ask for `device: cpu`."
        )
    if kind not in ("auto", device.kind):
        return f"the device {kind} was asked for, and the suite ran on {device}."
    return ""


def visible_device(launch: Launch, options: RunOptions) -> Device | None:
    """Ask the suite's own interpreter, isolated as the suite is, which device torch gives it.

    Without torch there, or if it does not answer, the device is unknown. Without a GPU only versions are asked for.
    """
    if options.stop.is_set():
        return None
    if launch.device == "cpu" or (launch.device == "auto" and not has_gpu()):
        return Device(
            kind="cpu",
            name=f"{os.cpu_count()} CPUs",
            arch=platform.machine(),
            versions=tool_versions(launch, options),
        )
    # The tree is not on the path: a folder `torch` in it would be asked instead.
    environment = {name: value for name, value in launch.environment.items() if name != "PYTHONPATH"}
    probe = replace(launch, command=[interpreter(options.isolation), "-c", _PROBE], environment=environment)
    result = run_isolated(probe, options, timeout=_PROBE_SECONDS, watch=lambda _: None)
    return _read_answer(result.tail)


def _read_answer(lines: Collection[str]) -> Device | None:
    answers = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    try:
        return Device(**json.loads(answers[-1])) if answers else None
    except (ValueError, TypeError):
        return None


def check_devices(verdict: Verdict, required: Collection[str]) -> Verdict:
    """Make a verdict inconclusive if its suite did not run on one of the required devices, by kind or architecture."""
    if not required or verdict.outcome not in _OPENS_A_PULL_REQUEST:
        return verdict
    for run in (verdict.base, verdict.candidate):
        if run.device is None or not {run.device.kind, run.device.arch} & set(required):
            device = f"it ran on {run.device}" if run.device else "the suite does not say on which device it ran"
            reason = f"This says nothing about {' or '.join(required)}: {device}. There: {verdict.reason}"
            return replace(verdict, outcome=VerdictOutcome.INCONCLUSIVE, reason=reason)
    return verdict
