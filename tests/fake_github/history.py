"""The repository that the fake GitHub's tests start from, and git as on a fresh machine.

main        A ── B        B is "Size the buffer (#7)", a squashed pull request
             ╲
release/v1    (A)          the fix applies
release/v2    A ── C       C touches the same lines: the fix conflicts
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ann Author",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_AUTHOR_DATE": "2026-05-01T10:00:00+02:00",
    "GIT_COMMITTER_NAME": "Cora Committer",
    "GIT_COMMITTER_EMAIL": "cora@example.org",
    "GIT_COMMITTER_DATE": "2026-05-02T10:00:00+02:00",
}


def git(*args: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run git in a folder."""
    return subprocess.run(["git", *args], cwd=cwd, env=ENVIRONMENT, check=check, capture_output=True, text=True)


def commit(cwd: Path, message: str, **files: str) -> str:
    """Write files (double underscore for a dot in a name), commit them and return the commit."""
    for name, content in files.items():
        (cwd / name.replace("__", ".")).write_text(content)
    git("add", "--all", cwd=cwd)
    git("commit", "--quiet", "--message", message, cwd=cwd)
    return git("rev-parse", "HEAD", cwd=cwd).stdout.strip()


def build(folder: Path) -> Path:
    """Make the repository and return the bare one."""
    work = folder / "work"
    work.mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", cwd=work)
    commit(work, "Allocate a buffer", buffer__py="size = 1\nunit = 4\nname = 'kv'\n")
    for branch in ("release/v1", "release/v2"):
        git("branch", branch, cwd=work)
    commit(
        work, "Size the buffer (#7)\n\nPer token.", buffer__py="size = 1\nunit = 8\nname = 'kv'\n", new__py="x = 1\n"
    )
    git("switch", "--quiet", "release/v2", cwd=work)
    commit(work, "Count in other units", buffer__py="size = 1\nunit = 2\nname = 'kv'\n")
    git("clone", "--quiet", "--bare", str(work), str(folder / "bare.git"), cwd=folder)
    return folder / "bare.git"


def tip(bare: Path, branch: str) -> str:
    """Return the commit of a branch."""
    return git("rev-parse", f"refs/heads/{branch}", cwd=bare).stdout.strip()
