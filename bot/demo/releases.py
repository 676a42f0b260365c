"""Released sglang sources from the package registry, unpacked once into the user's cache folder.

Each wheel is downloaded once, checked by its hash, and cached.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from bot.environment.cache_folder import cache_directory
from bot.errors import DownloadError
from bot.models import Progress, silent

# One platform for every machine: the Python sources are the same, and one hash then holds everywhere.
_PLATFORM = ("--platform", "manylinux_2_34_x86_64", "--python-version", "3.11", "--implementation", "cp")


def known_versions() -> tuple[str, ...]:
    """Return the sglang versions whose hash is on record, oldest first."""
    return tuple(line.split()[0].removeprefix("sglang==") for line in _requirements())


def source_tree(version: str, progress: Progress = silent) -> Path:
    """Return a directory with the released `sglang/**/*.py` of a version, downloading it the first time.

    The directory is shared and must not be written to. A failed download leaves nothing behind.

    Raises:
        DownloadError: no hash on record, the registry did not serve the wheel, or the hash differs.
    """
    requirement = next((line for line in _requirements() if line.split()[0] == f"sglang=={version}"), None)
    if requirement is None:
        raise DownloadError(
            f"No hash is on record for sglang {version}, so it was not downloaded.",
            hint=f"Use one of {', '.join(known_versions())}, or add its hash to bot/demo/releases.txt.",
        )
    home = cache_directory() / "sglang"
    target = home / version
    home.mkdir(parents=True, exist_ok=True)
    with _hold_lock(home / f".{version}.lock"):
        if not target.is_dir():
            progress(f"Downloading sglang {version}")
            with tempfile.TemporaryDirectory(dir=home) as scratch:
                folder = _unpack(_download(version, requirement, Path(scratch)), Path(scratch) / "unpacked")
                folder.rename(target)
    return target


def _requirements() -> list[str]:
    text = resources.files("bot.demo").joinpath("releases.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@contextmanager
def _hold_lock(path: Path) -> Iterator[None]:
    """Let one process at a time fetch a version; the others find it there."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _download(version: str, requirement: str, scratch: Path) -> Path:
    # pip, so that the user's own index, proxy and certificate settings count, and the hash is checked by pip.
    (scratch / "requirements.txt").write_text(requirement + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", *_PLATFORM, "--require-hashes"]
    command += ["--dest", str(scratch), "--requirement", str(scratch / "requirements.txt")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("sglang-*.whl"))
    if process.returncode or len(wheels) != 1:
        lines = [line for line in process.stderr.splitlines() if not line.startswith("WARNING")]
        raise DownloadError(
            f"sglang {version} could not be downloaded from the package registry: {' '.join(lines[-3:])}",
            hint="Check that `pip download sglang` works here (network, proxy, index settings) and run again; "
            "what was downloaded before is kept.",
        )
    return wheels[0]


def _unpack(wheel: Path, directory: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("sglang/") and name.endswith(".py")]
        archive.extractall(directory, members=names)
    return directory
