"""The repository's workflows, run by `act` on this machine against a GitHub on loopback.

Owns what is not as on GitHub: `act` does not know `uses: $/…` and `cache-mode` yet, so the one is written out and the
other left out; the bot comes from this checkout instead of a registry; artifacts lie in a folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.actions import warm_bot

ROOT = Path(__file__).parents[2]
STANDINS = Path(__file__).with_name("standins")
BOT = "example/backport-bot"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PINNED = re.compile(r"uses: (actions/(?:upload-artifact|download-artifact|setup-python))@([0-9a-f]{40})")


def tool(name: str) -> str:
    """Return the path of a development tool beside this Python, or skip the asking test."""
    program = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"needs {name}, which is not on this machine")
    return program


def readme_caller() -> str:
    """Return the workflow that the README gives to maintainers."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (caller,) = [block for block in blocks if "/.github/workflows/backport.yml@" in block]
    return str(caller)


def dispatching_caller() -> str:
    """Return the documented workflow that is run by hand and uses the outputs."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/ci.md").read_text(encoding="utf-8"), re.DOTALL)
    (caller,) = [block for block in blocks if "workflow_dispatch" in block and "/workflows/backport.yml@" in block]
    return str(caller)


@dataclass(frozen=True)
class Ran:
    """A finished run: its log, and by job what the bot was told and could see in its environment."""

    code: int
    log: str
    calls: Path

    def jobs(self) -> set[str]:
        """Return the stages that ran."""
        return {file.name.split("-")[0] for file in self.calls.iterdir()}

    def saw(self, stage: str) -> str:
        """Return the environment of every run of a stage."""
        return "\n".join(file.read_text() for file in self.calls.glob(f"{stage}-*"))


class Act:
    """One repository's Actions."""

    def __init__(self, directory: Path, repository: str, *, api_url: str, token: str, bot: Path) -> None:
        self.directory, self.repository, self.token = directory, repository, token
        self.api_url, self._socket = api_url, bot
        self.bot, self.caller = directory / "bot", directory / "caller"
        self._meanwhile = directory / "meanwhile"
        self._stage_bot()
        self.stage_caller(readme_caller())

    def _stage_bot(self) -> None:
        shutil.copytree(ROOT / ".github", self.bot / ".github")
        for file in (self.bot / ".github/workflows").glob("*.yml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(r"uses: \$/(\S+)", rf"uses: {BOT}/\1@{_COMMIT}", text))

    def stage_caller(self, caller: str) -> None:
        """Make a workflow that calls the bot's the only one of the repository."""
        shutil.rmtree(self.caller, ignore_errors=True)
        caller = re.sub(r"uses: \S+/\.github/workflows/backport\.yml@\S+", _called("backport"), caller)
        caller = caller.replace("cache-mode: none\n", "")
        file = self.caller / ".github/workflows/backport.yml"
        file.parent.mkdir(parents=True)
        file.write_text(caller, encoding="utf-8")
        for arguments in (
            ["init", "--quiet", "--initial-branch=main"],
            ["remote", "add", "origin", f"https://github.com/{self.repository}.git"],
            ["add", "--all"],
            ["-c", "user.name=Mia", "-c", "user.email=mia@widget.example", "commit", "--quiet", "--message=Begin"],
        ):
            subprocess.run(["git", *arguments], cwd=self.caller, check=True)

    def run(self, event: str, payload: Mapping[str, Any], *, crash: str = "", meanwhile: str = "") -> Ran:
        """Run the caller's workflow for an event.

        `crash` names a stage and target whose job dies, as "prove 1" or "pick "; `meanwhile` is a shell command that
        runs once while something is being proven.
        """
        self._meanwhile.write_text(meanwhile)
        (self.directory / "event.json").write_text(json.dumps(payload))
        calls, artifacts = self.directory / "calls", self.directory / "artifacts"
        for folder in (calls, artifacts):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        environment = {
            "ARTIFACTS": str(artifacts),
            "BACKPORT_BOT": str(self._command(calls, crash)),
            "GITHUB_API_URL": self.api_url,
        }
        result = subprocess.run(
            [
                tool("act"),
                event,
                "--eventpath=" + str(self.directory / "event.json"),
                *(f"--platform={label}=-self-hosted" for label in ("ubuntu-latest", "ubuntu-24.04")),
                f"--local-repository={BOT}@{_COMMIT}={self.bot}",
                *(f"--local-repository={name}@{ref}={STANDINS / name.split('/')[1]}" for name, ref in self._pinned()),
                *(f"--env={name}={value}" for name, value in environment.items()),
                f"--secret=BACKPORT_TOKEN={self.token}",
                f"--secret=GITHUB_TOKEN={self.token}",
            ],
            cwd=self.caller,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory / "home")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Ran(result.returncode, result.stdout + result.stderr, calls)

    def _pinned(self) -> set[tuple[str, str]]:
        files = (self.bot / ".github").rglob("*.yml")
        return {pin for file in files for pin in _PINNED.findall(file.read_text(encoding="utf-8"))}

    def _command(self, calls: Path, crash: str) -> Path:
        """Write the `backport-bot` of the runner's image: this checkout's, noting what each stage could see."""
        command = self.directory / "backport-bot"
        command.write_text(
            "#!/bin/bash\n"
            f'if [ "$1" = stage ]; then env >> "{calls}/$2-${{TARGET:-all}}"; fi\n'
            f'if [ "$2 ${{TARGET:-}}" = "{crash}" ]; then kill -9 $$; fi\n'
            f'once="{self._meanwhile}"\n'
            'if [ "$2" = prove ] && [ -e "$once" ]; then bash "$once"; rm "$once"; fi\n'
            f'exec "{sys.executable}" -I -S "{Path(warm_bot.__file__)}" "{self._socket}" "$@"\n'
        )
        command.chmod(0o755)
        return command


def _called(workflow: str) -> str:
    return f"uses: {BOT}/.github/workflows/{workflow}.yml@{_COMMIT}"
