"""Where suites run, as the `prove` section says it: images, volumes, options of a container, and variables."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.config.values import Pattern, Section, fill
from bot.text.branch_names import slug
from bot.text.suggestions import suggest

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[.-]?(?:post|rc|dev)\d+)?")
_PLACEHOLDERS = ("{target}", "{target_slug}", "{version}")
_OPTIONS = (
    *("--cap-add=SYS_PTRACE", "--cpus", "--cpuset-cpus", "--cpuset-mems", "--device", "--gpus", "--group-add"),
    *("--hostname", "--label", "--platform", "--runtime", "--security-opt=seccomp", "--shm-size", "--ulimit"),
)
"""What a site may add. None of them opens the network, the file system or the user of the machine to a suite."""
_RESERVED = frozenset(
    {
        *("HOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP"),
        *("SUITE_DEVICE", "SUITE_TARGET", "SUITE_TURN", "TMPDIR", "TRITON_CACHE_DIR"),
    }
)
"""The bot sets them itself, or they would let a suite load other code."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/") or not path.strip("/"):
        raise ValueError(f"`{path}` is not an absolute path below /")
    return path


def _image(name: str) -> str:
    for placeholder in re.findall(r"\{[^{}]*\}", name):
        if placeholder not in _PLACEHOLDERS:
            hint = suggest(placeholder, _PLACEHOLDERS, listing="The placeholders are")
            raise ValueError(f"contains `{placeholder}`, which is not a placeholder. {hint}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", re.sub(r"\{[^{}]*\}", "x", name)):
        raise ValueError(f"`{name}` is not the name of an image")
    return name


def _option(option: str) -> str:
    name, equals, value = option.partition("=")
    if not (equals and value and any(option == name or f"{option}=".startswith(f"{name}=") for name in _OPTIONS)):
        hint = suggest(name, _OPTIONS, listing="These may be added, each as --name=value:")
        raise ValueError(f"`{option}` may not be added to a suite's container. {hint}")
    return option


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"`{name}` is not the name of a variable")
    if name in _RESERVED:
        raise ValueError(f"`{name}` is set by the bot")
    return name


MachinePath = Annotated[str, Field(min_length=1), AfterValidator(_absolute)]
ContainerOption = Annotated[str, AfterValidator(_option)]
Variable = Annotated[str, AfterValidator(_variable)]


class ContainerImage(Section):
    """An image for some branches, so that a release is tested in its own image and not in the current one."""

    image: Annotated[str, Field(min_length=1), AfterValidator(_image)]
    """The image, preferably by digest. `{version}` is the version in the branch's name, e.g. 0.5.12; `{target}` and
    `{target_slug}` are the branch, as in `branch_name`."""
    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The target branches that it is for. The first entry that matches is used."""

    def name_for(self, branch: str) -> str | None:
        """Return the image's name for a branch; None if it takes a version and the branch's name has none."""
        version = version_in(branch)
        if "{version}" in self.image and not version:
            return None
        return fill(self.image, target=branch, target_slug=slug(branch), version=version)


def version_in(branch: str) -> str:
    """Return the version in a branch's name, e.g. 0.5.12 of release/v0.5.12; empty without one."""
    versions = _VERSION.findall(branch)
    return versions[-1] if versions else ""


class Volume(Section):
    """A folder or file of the machine that suites may read, e.g. of models."""

    source: MachinePath
    """Its path on the machine."""
    target: MachinePath | None = None
    """Its path in a container; the same by default. Without a container it is seen at `source`."""
