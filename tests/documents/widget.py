"""A small project on a fake GitHub: three stable branches, and pull request #123 that was merged into main.

The commands of the documents are run on it, and the pictures of the documents show it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.fake_github import FakeGitHub

REPOSITORY, NUMBER = "acme/widget", 123
MAINTAINER, AUTHOR, BOT = "olga", "mia", "backport-bot[bot]"
_MEAN = "def mean(values):\n    return sum(values) / len(values)\n"
_FIXED = "def mean(values):\n    if not values:\n        return 0.0\n    return sum(values) / len(values)\n"
_OTHER = (
    "def mean(values):\n    total = 0\n    for value in values:\n        total += value\n"
    "    return total / len(values)\n"
)
_SPREAD = "\n\ndef spread(values):\n    return max(values) - min(values)\n"
_TEST = "from widget import mean\n\n\ndef test_mean():\n    assert mean([1, 2, 3]) == 2\n"
_NEW_TEST = "\n\ndef test_mean_of_no_values():\n    assert mean([]) == 0\n"


@dataclass(frozen=True, slots=True)
class Widget:
    """The fake GitHub, the tokens of the accounts, and a maintainer's clone."""

    github: FakeGitHub
    tokens: Mapping[str, str]
    clone: Path

    @property
    def page(self) -> str:
        """The address of the original pull request's page."""
        return f"{self.github.url}/{REPOSITORY}/pull/{NUMBER}"

    def comment(self, text: str) -> int:
        """Write a comment on the pull request as the maintainer, and return its number."""
        return self.github.seed_comment(REPOSITORY, NUMBER, author=MAINTAINER, body=text)


@contextmanager
def start_widget(directory: Path) -> Iterator[Widget]:
    """Make the project, start the fake GitHub, and clone from it; all ends with the context, the files stay."""
    git_dir, clone = directory / "widget.git", directory / "widget"
    _run(directory, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(git_dir))
    _run(directory, "git", "init", "--quiet", "--initial-branch=main", str(clone))
    fix = _write_history(clone)
    _run(clone, "git", "push", "--quiet", str(git_dir), "--all")
    with FakeGitHub.start(directory / "github") as github:
        tokens = {login: github.add_user(login) for login in (MAINTAINER, AUTHOR)}
        tokens[BOT] = github.add_user(BOT, type="Bot")
        github.create_repository(REPOSITORY, git_dir)
        github.grant(REPOSITORY, MAINTAINER, "maintain")
        github.grant(REPOSITORY, BOT, "write")
        github.seed_pull_request(
            REPOSITORY,
            number=NUMBER,
            title="Return 0 for the mean of no values",
            body="The page of an empty widget ended with a ZeroDivisionError.",
            author=AUTHOR,
            head="mean-of-nothing",
            merge_commit_sha=fix,
            merged_by=MAINTAINER,
            labels=["bug"],
        )
        _run(clone, "git", "remote", "add", "origin", github.clone_url(REPOSITORY))
        _run(clone, "git", "fetch", "--quiet", "origin")
        yield Widget(github, tokens, clone)


def _write_history(clone: Path) -> str:
    for branch, stats in (("release/1.1", _OTHER), ("release/1.2", _MEAN), ("release/1.3", _MEAN + _SPREAD)):
        _commit(clone, {"widget.py": stats, "test_widget.py": _TEST}, f"Prepare {branch}")
        _run(clone, "git", "branch", branch)
    files = {"widget.py": _FIXED + _SPREAD, "test_widget.py": _TEST + _NEW_TEST}
    return _commit(clone, files, f"Return 0 for the mean of no values (#{NUMBER})", author=AUTHOR)


def _commit(clone: Path, files: Mapping[str, str], message: str, author: str = MAINTAINER) -> str:
    for name, text in files.items():
        (clone / name).write_text(text, encoding="utf-8")
    _run(clone, "git", "add", *files)
    who = ("-c", f"user.name={author}", "-c", f"user.email={author}@example.org")
    _run(clone, "git", *who, "commit", "--quiet", "-m", message)
    return _run(clone, "git", "rev-parse", "HEAD")


def _run(directory: Path, *command: str) -> str:
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()
