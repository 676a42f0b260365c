"""The `prove` section: how and where a candidate is proven."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from bot.config.containers import ContainerImage, ContainerOption, MachinePath, Variable, Volume
from bot.config.devices import DeviceKind, ProofDevice, RunnerLabel, kind_of
from bot.config.tests import KnownFailureConfig, Preset, Tests, Words
from bot.config.values import PathPattern, Pattern, Section
from bot.errors import SuiteError
from bot.text.branch_names import matches_glob

Minutes = Annotated[float, Field(gt=0, le=24 * 60, strict=False)]


class OwnCommand(Section):
    """A command of the target's own suite. It must not regress; what failed before may fail after."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Its name in the verdict."""
    command: Words
    """The command as a list of words; no shell interprets it."""
    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The target branches it is for."""
    junit: PathPattern | None = None
    """Where in the tree it writes a JUnit XML report; without one its exit code is the outcome."""
    timeout_minutes: Minutes = 60
    """Minutes that one run of it may take."""
    known_failures: tuple[KnownFailureConfig, ...] = Field(default=(), strict=False)
    """Cases that fail for another reason."""


class Limits(Section):
    """The limits of a process that runs untrusted code."""

    memory_gib: Annotated[float, Field(gt=0, strict=False)] | None = None
    """Address space of one process. No limit by default, as a GPU's driver maps far more than it uses."""
    file_gib: Annotated[float, Field(gt=0, strict=False)] = 4
    """Size of one file."""
    disk_gib: Annotated[float, Field(gt=0, strict=False)] | None = None
    """Total size of the files that one run adds. By default four times `file_gib`."""
    files: Annotated[int, Field(ge=100)] = 500_000
    """Number of files and folders that one run adds."""
    processes: Annotated[int, Field(ge=16)] = 2048
    """Processes and threads at one time."""
    shared_memory_gib: Annotated[float, Field(gt=0, strict=False)] | None = None
    """Size of /dev/shm. By default `file_gib`."""


class Actions(Section):
    """What the runner `github-actions` dispatches."""

    workflow: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.ya?ml$")] = "regression.yml"
    """The workflow's file in .github/workflows of the default branch."""
    labels: tuple[RunnerLabel, ...] = Field(default=("ubuntu-latest",), strict=False, min_length=1)
    """The labels of the runner to run on, e.g. linux-mi325-1gpu-sglang."""
    queue_minutes: Minutes = 120
    """Minutes that a run may wait for a runner."""
    run_minutes: Minutes = 60
    """Minutes that a run may take once it has one."""
    poll_seconds: Annotated[float, Field(gt=0, le=600, strict=False)] = 15
    """Seconds between two polls of a run."""


class Required(StrEnum):
    """Which candidates need a proof before they are opened."""

    WHEN_TESTS = "when-tests"
    ALWAYS = "always"
    NEVER = "never"


class ProveConfig(Section):
    """How a candidate is proven."""

    device: DeviceKind = "auto"
    """Where the regression suite runs; `auto` takes a GPU if there is one."""
    required_devices: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], ...] = Field(default=(), strict=False)
    """Kinds (`rocm`) or architectures (`gfx942`) of which one must have run the suite. A verdict from another device is
    inconclusive. By default the `device`, if that is a GPU."""
    devices: tuple[ProofDevice, ...] = Field(default=(), strict=False)
    """Several devices for one proof, each with its runner and its images. The worst of their verdicts counts. Without
    any there is one device."""
    timeout_minutes: Annotated[float, Field(gt=0, le=360, strict=False)] = 15
    """Minutes that one run of the suite may take. The base run and the candidate run have this limit each."""
    required: Annotated[Required, Field(strict=False)] = Required.WHEN_TESTS
    """Which candidates need a proof to be opened. `when-tests`: each one that has a carried patch or brings tests; one
    that has neither opens without. `always`: each one. `never`: an unproven one opens as a draft that says so. `true`
    is another name for `always`, and `false` for `never`."""
    runner: Literal["local", "github-actions"] = "local"
    """Where the suites run: on this machine, or in a workflow run on a runner with the right labels."""
    actions: Actions = Actions()
    """For the runner `github-actions`."""
    containers: tuple[ContainerImage, ...] = Field(default=(), strict=False)
    """Images to run the suites in. Without one they run on the machine itself."""
    container_runtime: Literal["docker", "podman"] = "docker"
    """What starts a container."""
    container_options: tuple[ContainerOption, ...] = Field(default=(), strict=False)
    """Options that a container gets besides, each as `--name=value`, e.g. `--security-opt=seccomp=unconfined`."""
    pull_minutes: Minutes = 60
    """Minutes that pulling an image may take, with all retries. They do not count as the suite's time."""
    prepare: tuple[Words, ...] = Field(default=(), strict=False)
    """Commands that run on the machine before the suites, in order and outside of any isolation, e.g. to free GPU
    memory. `{image}`, `{target}` and `{version}` are replaced. If one fails nothing is proven."""
    prepare_minutes: Minutes = 30
    """Minutes that all of them may take together."""
    setup: Literal["auto", "none"] | Annotated[tuple[Words, ...], Field(strict=False, min_length=1)] = "auto"
    """How a tree is made ready to run its own tests, with the network, once for the branch and once for the candidate.
    `auto` installs what pyproject.toml, requirements files, package.json, go.mod, Cargo.toml or pom.xml name, if the
    tests need it; not in an image of `containers`, which brings it. `none` installs nothing. Or a list of commands,
    which run in the tree; `{environment}` is a folder for what they install, and a virtual environment at
    `{environment}/venv` is used by the tests."""
    setup_minutes: Minutes = 15
    """Minutes that making both trees ready may take together."""
    environment: Mapping[Variable, str] = Field(default_factory=dict)
    """Variables for suites and commands, e.g. HF_HOME."""
    python: MachinePath | None = None
    """The interpreter of suites that run without a container, if it is not the bot's own, e.g. one that has torch."""
    volumes: tuple[Volume, ...] = Field(default=(), strict=False)
    """Folders of the machine that suites may read, in a container at a path of its own."""
    without_isolation: Literal["refuse", "allow"] = "refuse"
    """For a machine that cannot isolate suites while the bot holds a token: `allow` runs them and risks the token."""
    readable: tuple[MachinePath, ...] = Field(default=(), strict=False)
    """Paths of this machine that suites may read besides the system's and the tree, e.g. a folder of models."""
    network: bool = False
    """Let suites and commands reach the network. A carried patch's suite needs none."""
    limits: Limits = Limits()
    """The limits of a suite process."""
    tests: Tests = Tests()
    """The tests of the original pull request."""
    commands: tuple[OwnCommand, ...] = Field(default=(), strict=False)
    """Commands of your own suite, which also run on the branch without and with the fix."""

    @property
    def devices_that_count(self) -> tuple[str, ...]:
        """The devices whose verdict may open a pull request; empty for any."""
        # With `cpu` a suite sees no GPU, so it cannot have used another device.
        return self.required_devices or (() if self.device in ("auto", "cpu") else (self.device,))

    def for_device(self, name: str) -> ProveConfig:
        """Return the settings of the proof on one of the `devices`, as if it were the only one."""
        entry = next(entry for entry in self.devices if entry.name == name)
        changes: dict[str, object] = {
            "devices": (),
            "device": entry.device or kind_of(name) or self.device,
            "required_devices": entry.required(self.required_devices),
        }
        if entry.images:
            changes["containers"] = entry.images
        if entry.labels:
            changes["actions"] = self.actions.model_copy(update={"labels": entry.labels})
        return self.model_copy(update=changes)

    def on_device(self, device: str) -> ProveConfig:
        """Return the settings of the proof on one device: on one of the `devices`, or on a kind of device instead."""
        if any(entry.name == device for entry in self.devices):
            return self.for_device(device)
        return self.model_copy(update={"device": device, "devices": ()})

    @field_validator("required", mode="before")
    @classmethod
    def _reads_a_truth_value(cls, value: object) -> object:
        """`true` and `false` are what this key had before it had three values."""
        if not isinstance(value, bool):
            return value
        return Required.ALWAYS if value else Required.NEVER

    @field_validator("devices", mode="after")
    @classmethod
    def _has_each_device_once(cls, devices: tuple[ProofDevice, ...]) -> tuple[ProofDevice, ...]:
        names = [entry.name for entry in devices]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names the device `{twice}` twice")
        return devices

    @model_validator(mode="after")
    def _can_count(self) -> Self:
        """A device that `required_devices` rules out could never give a verdict that counts."""
        for entry in self.devices if self.required_devices else ():
            if entry.is_ruled_out(self.required_devices):
                raise ValueError(f"has `{entry.name}` in `devices`, which `required_devices` rules out")
        return self

    @model_validator(mode="after")
    def _can_install(self) -> Self:
        """tox and nox install what they need while they run."""
        if self.tests.command in (Preset.TOX, Preset.NOX) and not self.network:
            raise ValueError(
                f"has the preset `{self.tests.command}`, which installs packages while it runs, and `network` is false"
            )
        return self

    def commands_for(self, branch: str) -> tuple[OwnCommand, ...]:
        """Return the commands of the target's own suite for a branch, in order."""
        return tuple(entry for entry in self.commands if _is_for(entry, branch))

    def image_for(self, branch: str) -> str | None:
        """Return the container image for a branch, or None for the machine itself.

        Raises:
            SuiteError: the image's name takes a version, and the branch's name has none.
        """
        entry = next((entry for entry in self.containers if _is_for(entry, branch)), None)
        name = entry.name_for(branch) if entry else None
        if entry is not None and name is None:
            raise SuiteError(
                f"The image {entry.image} is named by a version, and the branch {branch} has none in its name.",
                hint="Give the branch an image of its own in `prove.containers`.",
            )
        return name


def _is_for(entry: OwnCommand | ContainerImage, branch: str) -> bool:
    return any(matches_glob(pattern, branch) for pattern in entry.branches)
