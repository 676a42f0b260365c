"""The `prove` section: how and where a candidate is proven."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.config.values import Pattern, Section
from bot.text.branch_names import matches_glob

Minutes = Annotated[float, Field(gt=0, le=24 * 60, strict=False)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, strict=False)]


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"`{path}` does not stay inside the tree")
    return path


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/") or not path.strip("/"):
        raise ValueError(f"`{path}` is no absolute path below /")
    return path


MachinePath = Annotated[str, Field(min_length=1), AfterValidator(_absolute)]
PathPattern = Annotated[str, Field(min_length=1), AfterValidator(_inside)]


class KnownFailureConfig(Section):
    """Cases that fail for another reason, with and without the fix."""

    cases: Annotated[str, Field(min_length=1)]
    """Their names; `*` is any text."""
    reason: Annotated[str, Field(min_length=1)]
    """Why, for the reader of the verdict."""


class Tests(Section):
    """The tests that an original pull request brings: its proof where no carried patch has one."""

    paths: tuple[PathPattern, ...] = Field(
        default=("test_*.py", "*_test.py", "**/conftest.py", "**/tests/**", "**/test/**"), strict=False, min_length=1
    )
    """What belongs to the tests and is laid over the branch without the fix; those matched without a slash are run."""
    command: Words = ("{python}", "-m", "pytest", "--junitxml={junit}", "{files}")
    """Runs them, in the tree. `{files}` are the tests, `{junit}` the report to write, `{python}` an interpreter."""
    known_failures: tuple[KnownFailureConfig, ...] = Field(default=(), strict=False)
    """Cases among them that fail on your branches for another reason."""


class OwnCommand(Section):
    """A command of the target's own suite. It must not regress; what failed before may fail after."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Its name in the verdict."""
    command: Words
    """The command, word by word; no shell reads it."""
    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The target branches it is for."""
    junit: PathPattern | None = None
    """Where in the tree it writes a JUnit XML report; without one its exit code is the outcome."""
    timeout_minutes: Minutes = 60
    """Minutes that one run of it gets at most."""
    known_failures: tuple[KnownFailureConfig, ...] = Field(default=(), strict=False)
    """Cases that fail for another reason."""


class ContainerImage(Section):
    """An image for some branches: a release is tested in the image of its own time, not in today's."""

    image: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")]
    """The image, best by digest."""
    branches: tuple[Pattern, ...] = Field(default=("**",), strict=False, min_length=1)
    """The target branches it is for; the first entry that matches is taken."""


class Limits(Section):
    """What a process that runs somebody's code may take."""

    memory_gib: Annotated[float, Field(gt=0, strict=False)] | None = None
    """Address space of one process. None, as a GPU's driver maps far more than it uses."""
    file_gib: Annotated[float, Field(gt=0, strict=False)] = 4
    """Size of one file."""
    disk_gib: Annotated[float, Field(gt=0, strict=False)] | None = None
    """Size of all files together that one run adds. None is four times `file_gib`."""
    files: Annotated[int, Field(ge=100)] = 500_000
    """Number of files and folders that one run adds."""
    processes: Annotated[int, Field(ge=16)] = 2048
    """Processes and threads at one time."""


class Actions(Section):
    """What the runner `github-actions` dispatches."""

    workflow: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.ya?ml$")] = "regression.yml"
    """The workflow's file in .github/workflows of the default branch."""
    labels: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=("ubuntu-latest",), strict=False, min_length=1
    )
    """The labels of the runner to run on, e.g. linux-mi325-1gpu-sglang."""
    queue_minutes: Minutes = 120
    """Minutes that a run may wait for a runner."""
    run_minutes: Minutes = 60
    """Minutes that a run may take once it has one."""
    poll_seconds: Annotated[float, Field(gt=0, le=600, strict=False)] = 15
    """Seconds between two looks at a run."""


class ProveConfig(Section):
    """How a candidate is proven."""

    device: Literal["auto", "cpu", "cuda", "rocm"] = "auto"
    """Where the regression suite runs; `auto` takes a GPU where there is one."""
    timeout_minutes: Annotated[float, Field(gt=0, le=360, strict=False)] = 15
    """Minutes that one run of the suite gets at most; a base run and a candidate run get as much each."""
    required: bool = True
    """Open only what is proven. With `false`, what is not proven opens as a draft that says so."""
    runner: Literal["local", "github-actions"] = "local"
    """Who runs the suites: this machine, or a workflow run on a runner with the right labels."""
    actions: Actions = Actions()
    """For the runner `github-actions`."""
    containers: tuple[ContainerImage, ...] = Field(default=(), strict=False)
    """Images to run the suites in; none runs them on the machine itself."""
    container_runtime: Literal["docker", "podman"] = "docker"
    """What starts a container."""
    without_isolation: Literal["refuse", "allow"] = "refuse"
    """What becomes of a proof beside a token on a machine that cannot isolate suites; `allow` risks the token."""
    readable: tuple[MachinePath, ...] = Field(default=(), strict=False)
    """Paths of this machine that suites may read besides the system's and the tree, e.g. a folder of models."""
    network: bool = False
    """Let suites and commands reach the network. A carried patch's suite needs none."""
    limits: Limits = Limits()
    """What a suite process may take."""
    tests: Tests = Tests()
    """The tests that an original pull request brings."""
    commands: tuple[OwnCommand, ...] = Field(default=(), strict=False)
    """Commands of your own suite, run on the branch without and with the fix as well."""

    def commands_for(self, branch: str) -> tuple[OwnCommand, ...]:
        """Return the commands of the target's own suite for a branch, in order."""
        return tuple(each for each in self.commands if _is_for(each, branch))

    def image_for(self, branch: str) -> str | None:
        """Return the container image for a branch, or None for the machine itself."""
        return next((each.image for each in self.containers if _is_for(each, branch)), None)


def _is_for(entry: OwnCommand | ContainerImage, branch: str) -> bool:
    return any(matches_glob(pattern, branch) for pattern in entry.branches)
