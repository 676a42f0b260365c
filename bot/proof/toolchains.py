"""What the programs of other languages need of this machine besides themselves: folders to read and variables.

A run sees the system's programs and an empty home. rustup and Go keep their toolchains elsewhere, and Java its settings
in /etc. Files with passwords, such as ~/.cargo/credentials.toml or Maven's settings.xml, stay out of sight.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Folders that a run may read, and variables that it gets."""

    readable: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def toolchain_of(tools: Sequence[str]) -> Toolchain:
    """Return what these programs need together. A program that is not there needs nothing."""
    parts = [part() for tool, part in _PARTS.items() if tool in tools and shutil.which(tool)]
    return Toolchain(
        readable=tuple(path for part in parts for path in part.readable if path.exists()),
        environment={name: value for part in parts for name, value in part.environment.items()},
    )


def _rust() -> Toolchain:
    """rustup's proxies find the compiler by RUSTUP_HOME: https://rust-lang.github.io/rustup/environment-variables.html."""
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    return Toolchain((home,), {"RUSTUP_HOME": str(home)}) if home.is_dir() else Toolchain()


@cache
def _go() -> Toolchain:
    """A Go of its own, e.g. in /opt or in a home, has its standard library beside it."""
    try:
        answer = subprocess.run(
            ["go", "env", "GOROOT"], cwd="/", capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return Toolchain()
    root = Path(answer.stdout.strip() or "/nonexistent")
    return Toolchain((root, *Path("/usr/share").glob("go-*")))


def _java() -> Toolchain:
    """Debian's Java and Maven have settings in /etc; Maven's settings.xml, which may hold passwords, is left out."""
    etc = Path("/etc")
    settings = (*etc.glob("java-*-openjdk"), *etc.glob("maven/*.conf"), etc / "maven/logging", Path("/usr/share/maven"))
    java_home = os.environ.get("JAVA_HOME", "")
    return Toolchain(
        (*settings, *([Path(java_home)] if java_home else [])),
        {"JAVA_HOME": java_home} if java_home else {},
    )


_PARTS: Mapping[str, Callable[[], Toolchain]] = {"cargo": _rust, "go": _go, "mvn": _java}
