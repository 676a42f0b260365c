"""Pulls the image of a proof before any suite's time counts, and records its digest.

Both runs of a proof start from the very same image, even if its tag moves meanwhile.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.errors import SuiteError
from bot.models import Progress, StopWhen
from bot.proof.container import PYTHON, client_environment
from bot.proof.isolated_command import IsolationSettings
from bot.text.sanitize import printable_line

FIRST_PAUSE, LONGEST_PAUSE = 15.0, 300.0
"""Seconds between two attempts; each pause is twice the one before."""
_GLANCE, _REPORT_EVERY = 1.0, 60.0
_FINAL = re.compile(r"manifest unknown|not found|denied|unauthorized|invalid reference|no basic auth", re.IGNORECASE)
"""What a registry answers however often it is asked."""
_HINT = (
    "Check `prove.containers`, or the device's `images`: `docker manifest inspect` says whether a registry has an "
    "image. If it wants a login, log in in a step before or in `prove.prepare`."
)
_LIMIT_HINT = (
    "The machine of the daemon allows less than that. Lower the `--ulimit` in `prove.container_options` to what "
    "`ulimit -Hn` says there, or leave it out."
)
_REFUSED = 125
"""docker's and podman's exit code for a container that the runtime did not create or start."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 500
PYTEST = "'pytest>=7.4'"
_PIP = "--no-cache-dir --quiet --no-color --progress-bar off --disable-pip-version-check"
"""Without bars and colours, the end of its output is the reason of a failure."""
_CHECK_SECONDS = 300.0
"""The first container of a large image takes its time."""


def fetch_image(
    isolation: IsolationSettings, *, limit: float, progress: Progress, stop_when: StopWhen
) -> IsolationSettings:
    """Return the settings with the image's id for its name, and its digest; an image that is not here is pulled.

    `limit` is in seconds and holds for all attempts together.

    Raises:
        SuiteError: the image did not arrive in that time, or the request was cancelled.
    """
    name = isolation.image or ""
    details = _inspect(isolation.runtime, name)
    if details is None:
        _pull(isolation.runtime, name, limit, progress, stop_when)
        details = _inspect(isolation.runtime, name)
    if details is None:
        raise SuiteError(f"The image {name} was pulled and is not there; nothing was run.", hint=_HINT)
    image, digest = details
    progress(f"image {name} is {digest}")
    if _lacks_pytest(isolation, image):
        progress(f"image {name} has no pytest: adding it")
        image = _add_pytest(isolation.runtime, image, limit)
        digest += " and pytest"
    return replace(isolation, image=image, image_digest=digest)


def _lacks_pytest(isolation: IsolationSettings, image: str) -> bool:
    """Whether an image has Python and no pytest, as images for serving have it.

    Raises:
        SuiteError: no container starts with the configured options.
    """
    run = [isolation.runtime, "run", "--rm", "--network", "none", *isolation.container_options]
    run += ["--entrypoint", PYTHON, image, "-c"]
    code, problem = _outcome([*run, ""])
    if code == _REFUSED and isolation.container_options:
        options = ", ".join(isolation.container_options)
        raise SuiteError(
            f"{isolation.runtime} starts no container with {options}: {problem}. Nothing was run.",
            hint=_LIMIT_HINT if "rlimit" in problem else "Correct `prove.container_options`.",
        )
    return code == 0 and _outcome([*run, "import pytest"])[0] != 0


def _outcome(command: Sequence[str]) -> tuple[int | None, str]:
    """Run a short command; return its exit code, None if it did not end by itself, and the end of its errors."""
    try:
        result = subprocess.run(
            command, env=client_environment(), capture_output=True, timeout=_CHECK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return result.returncode, _end_of(result.stderr)


def _end_of(output: bytes) -> str:
    """Return the end of what a client of the runtime printed, on one line and without colours."""
    return printable_line(_COLOUR.sub("", output.decode(errors="replace")).strip()[-_LONGEST:], _LONGEST)


def _add_pytest(runtime: str, image: str, limit: float) -> str:
    """Build the same image with pytest, and return its id. Raises SuiteError."""
    recipe = f"FROM {image}\nRUN {PYTHON} -m pip install {_PIP} {PYTEST}\n"
    try:
        result = subprocess.run(
            [runtime, "build", "--quiet", "-"],
            env=client_environment(),
            input=recipe.encode(),
            capture_output=True,
            timeout=limit,
            check=False,
        )
        problem = _end_of(result.stderr)
    except subprocess.TimeoutExpired:
        raise SuiteError("Adding pytest to the image took too long; nothing was run.", hint=_HINT) from None
    if result.returncode:
        hint = "Take an image that has pytest, or let the daemon reach a package index."
        raise SuiteError(f"The image has no pytest, and it could not be added: {problem}. Nothing was run.", hint=hint)
    return result.stdout.decode().split()[-1]


def _inspect(runtime: str, name: str) -> tuple[str, str] | None:
    """Return the id and the digest of an image that is here; one that was never in a registry has its id for both."""
    try:
        result = subprocess.run(
            [runtime, "image", "inspect", name],
            env=client_environment(),
            capture_output=True,
            timeout=_REPORT_EVERY,
            check=False,
        )
        details = json.loads(result.stdout)[0]
        return details["Id"], next(iter(details.get("RepoDigests") or ()), f"{name}@{details['Id']}")
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return None


def _pull(runtime: str, name: str, limit: float, progress: Progress, stop_when: StopWhen) -> None:
    deadline = time.monotonic() + limit
    problem = ""
    for pause in _pauses():
        problem = _pull_once(runtime, name, deadline, progress, stop_when)
        if not problem:
            return
        if _FINAL.search(problem) or time.monotonic() + pause >= deadline:
            break
        progress(f"image {name}: {problem}; next attempt in {pause:g} s")
        _wait(pause, stop_when)
    raise SuiteError(f"The image {name} could not be pulled: {problem}. Nothing was run.", hint=_HINT)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def _wait(seconds: float, stop_when: StopWhen) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _stop_if_unneeded(stop_when)
        time.sleep(min(_GLANCE, max(0.0, end - time.monotonic())))


def _stop_if_unneeded(stop_when: StopWhen) -> None:
    if stop_when():
        raise SuiteError("The proof was not needed any more before its image was there.", hint="Ask again.")


def _pull_once(runtime: str, name: str, deadline: float, progress: Progress, stop_when: StopWhen) -> str:
    """Pull, and return what went wrong, or nothing."""
    try:
        process = subprocess.Popen(
            [runtime, "pull", name],
            env=client_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a line for each layer and second
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        return f"{runtime} cannot be started ({error.strerror}; not found)"
    with process:
        try:
            errors = _watch(process, name, deadline, progress, stop_when)
        finally:
            process.kill()  # the daemon keeps the layers that are complete
    if errors is None:
        return "it took longer than `prove.pull_minutes` allows"
    return "" if process.returncode == 0 else printable_line(errors.strip()[-_LONGEST:], _LONGEST) or "no reason given"


def _watch(
    process: subprocess.Popen[bytes], name: str, deadline: float, progress: Progress, stop_when: StopWhen
) -> str | None:
    """Wait for a pull, and return what it printed as errors; None if its time was over."""
    start = report = time.monotonic()
    while time.monotonic() < deadline:
        _stop_if_unneeded(stop_when)
        try:
            return process.communicate(timeout=_GLANCE)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            if time.monotonic() - report >= _REPORT_EVERY:
                report = time.monotonic()
                progress(f"image {name}: pulling for {report - start:.0f} s")
    return None
