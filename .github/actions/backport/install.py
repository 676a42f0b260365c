"""Install the bot with the locked versions of what this machine lacks, each wheel held against its hash.

What the machine has and what suffices stays: the torch of a GPU image belongs to its driver, and the project that is
tested has its own needs. So only requirements that are not met are taken from the lock, until all are.

Usage: install.py SOURCE [EXTRA…], with the Python of the environment to install into. It prints how much was installed,
and how long it took.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from pip._vendor.packaging.markers import default_environment
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

# Another version would not fit the driver, the compiled kernels or the rest of the image.
_NEVER_REPLACED = ("torch", "triton")
_GPU_DEVICES = ("nvidia[0-9]*", "nvidiactl", "kfd", "dxg")


def main(source: Path, extras: tuple[str, ...]) -> None:
    """Install what is missing, then the bot itself, which is built without looking for anything more."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [line for extra in extras for line in project["project"]["optional-dependencies"][extra]]
    start = time.monotonic()
    own_lock = read_lock(source / "requirements" / f"{name}.txt" for name in ("build", "bot"))
    lock = own_lock | read_lock(source / "requirements" / f"{name}.txt" for name in extras)
    installed: set[str] = set()
    # What the bot's own lock has is small, and its packages need each other: one round brings what is absent of it.
    absent = {name for name in own_lock if _version_of(name) is None and not _is_there_by_another_name(name)}
    while missing := unmet(map(Requirement, wanted)) | absent:
        absent = set()
        if again := missing & installed:
            raise SystemExit(f"The lock does not meet the requirements on {', '.join(sorted(again))}: run `make lock`.")
        if "torch" in missing and needs_cpu_build():
            _install_cpu_torch(lock["torch"])
            installed.add("torch")
            continue
        _pip("--require-hashes", "--only-binary", ":all:", lines="".join(lock[name] for name in sorted(missing)))
        installed |= missing
    _pip("--no-build-isolation", "--no-index", str(source))
    _compile()
    packages = Path(sysconfig.get_path("purelib"))
    size = sum(file.stat().st_size for file in packages.rglob("*") if file.is_file())
    number, seconds = sum(_version_of(name) is not None for name in installed), time.monotonic() - start
    sys.stdout.write(
        f"Installed {number} packages and the bot in {seconds:.1f} s: {size / 1e6:.0f} MB in {packages}.\n"
    )


def needs_cpu_build() -> bool:
    """Say whether PyPI's torch would be gigabytes for nothing: for Linux it is the CUDA build, and there is no GPU."""
    devices = (device for pattern in _GPU_DEVICES for device in Path("/dev").glob(pattern))
    return sys.platform == "linux" and not any(devices)


def _install_cpu_torch(locked: str) -> None:
    """Install torch's CPU build in the locked version. Its index gives the hash: the lock has those of PyPI."""
    version = locked.partition("==")[2].split()[0]
    index = os.environ.get("TORCH_CPU_INDEX", "https://download.pytorch.org/whl/cpu")
    try:
        _pip("--only-binary", ":all:", "--index-url", index, lines=f"torch=={version}+cpu\n")
    except SystemExit as error:
        raise SystemExit(
            f"torch {version}+cpu could not be installed from {index}, so nothing can be proven here. PyPI's torch was "
            "not taken: it is the CUDA build, and this machine has no GPU. Let the runner reach that index, name "
            "another one in TORCH_CPU_INDEX, or take an image that has torch."
        ) from error


def read_lock(files: Iterable[Path]) -> dict[str, str]:
    """Return the lines of each package, with its hashes; a package may have several, for different Pythons."""
    lock: dict[str, str] = {}
    for file in files:
        found: dict[str, str] = {}
        for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            name, pinned, _ = line.partition("==")
            if pinned and not line.startswith("#"):
                name = canonicalize_name(name)
                found[name] = f"{found.get(name, '')}{line}\n"
        lock |= found
    return lock


def unmet(requirements: Iterable[Requirement]) -> set[str]:
    """Return the packages that these requirements, and those of what is installed for them, do not find as needed."""
    missing: set[str] = set()
    seen: set[str] = set()
    stack = [requirement for requirement in requirements if _applies(requirement, ())]
    while stack:
        requirement = stack.pop()
        name = canonicalize_name(requirement.name)
        version = _version_of(name)
        if version is None and _is_there_by_another_name(name):
            continue
        if version is None:
            missing.add(name)
        elif not requirement.specifier.contains(version, prereleases=True):
            _refuse_to_replace(name, version, requirement)
            missing.add(name)
        elif (key := f"{name}[{','.join(sorted(requirement.extras))}]") not in seen:
            seen.add(key)
            stack += _needed_by(name, tuple(requirement.extras))
    return missing


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_there_by_another_name(name: str) -> bool:
    # On ROCm the distribution that brings `triton` is called pytorch-triton-rocm.
    return name in _NEVER_REPLACED and importlib.util.find_spec(name) is not None


def _needed_by(name: str, extras: tuple[str, ...]) -> Iterator[Requirement]:
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        if _applies(requirement, extras):
            yield requirement


def _applies(requirement: Requirement, extras: tuple[str, ...]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**default_environment(), "extra": e}) for e in ("", *extras))


def _refuse_to_replace(name: str, version: str, requirement: Requirement) -> None:
    if name in _NEVER_REPLACED:
        raise SystemExit(
            f"This machine has {name} {version} and {requirement} is needed. It was not replaced, as it belongs to the "
            "image. Leave the extra out, or take a newer image."
        )


def _pip(*options: str, lines: str = "") -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", *options]
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text(lines, encoding="utf-8")
        done = subprocess.run([*command, *(["--requirement", str(listed)] if lines else [])], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def _compile() -> None:
    """Compile what was installed on all cores; pip would take one. A file that is no Python stays as it is."""
    packages = sysconfig.get_path("purelib")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-q", "-j", "0", packages], check=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]))
