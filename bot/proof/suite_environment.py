"""The environment of a process that runs foreign code.

Only the variables listed here pass. So no token, agent socket or proxy password reaches a suite because it was
forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

PASSED_ON = frozenset(
    {
        "PATH",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "TZ",
        # how pytest starts: where many plugins are installed, their imports take longer than a small suite
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
        # which devices to use, and where their libraries are
        "CUDA_HOME",
        "CUDA_VISIBLE_DEVICES",
        "GPU_DEVICE_ORDINAL",
        "HIP_VISIBLE_DEVICES",
        "HSA_OVERRIDE_GFX_VERSION",
        "NVIDIA_DRIVER_CAPABILITIES",
        "NVIDIA_VISIBLE_DEVICES",
        "ROCM_HOME",
        "ROCM_PATH",
        "ROCR_VISIBLE_DEVICES",
    }
)


def suite_environment(
    home: Path,
    *,
    kernels: Path,
    target: Path,
    device: str,
    import_paths: Sequence[Path],
    turn: Path | None = None,
    parent: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Build the environment of one suite run. It has only the variables that the run needs.

    `home` is the run's own and temporary. `kernels` keeps compiled kernels under the hash of their source, so that base
    and candidate share what is identical and nothing else. `turn` is the file for which the cases wait.
    """
    gate_variables = {"SUITE_TURN": str(turn)} if turn else {}
    return (
        _environment(home, kernels, device, import_paths, parent)
        | gate_variables
        | {
            # A plugin that is installed by chance could change outcomes:
            # https://docs.pytest.org/en/stable/reference/reference.html#envvar-PYTEST_DISABLE_PLUGIN_AUTOLOAD
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OMP_NUM_THREADS": "1",
            "SUITE_TARGET": str(target.resolve()),
        }
    )


def command_environment(
    home: Path, *, kernels: Path, target: Path, device: str, parent: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the environment of a command of the target's own, which finds the target's packages in its tree."""
    roots = [path for path in (target, target / "src", target / "python") if path.is_dir()]
    return _environment(home, kernels, device, roots, parent)


def _environment(
    home: Path, kernels: Path, device: str, import_paths: Sequence[Path], parent: Mapping[str, str] | None
) -> dict[str, str]:
    parent_environment = os.environ if parent is None else parent
    environment = {name: parent_environment[name] for name in sorted(PASSED_ON & parent_environment.keys())}
    # Programs look there for credentials and for settings that would make two machines differ.
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        environment[name] = str(home)
    return environment | {
        "TRITON_CACHE_DIR": str(kernels),
        "PYTHONPATH": os.pathsep.join(str(path.resolve()) for path in import_paths),
        # The tree may be mounted read-only, and bytecode would count against the limit of written files.
        "PYTHONDONTWRITEBYTECODE": "1",
        # Both runs iterate over sets in the same order, so their cases stay comparable.
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        # The output is shown line by line; Python would buffer a pipe in blocks.
        "PYTHONUNBUFFERED": "1",
        "SUITE_DEVICE": device,
    }
