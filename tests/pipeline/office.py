"""A small project on a GitHub on loopback, and the bot at work there.

main:         A ── B ── C ── #7 ── #9        A: no ring   B: a ring   C: the ring with neighbouring lines
release/1.0:  A          release/1.1:  A ── B          release/1.2:  A ── B ── C

#7 sizes the ring by entry and is carried by the patch `widget-7`: not affected on 1.0, a conflict for git on 1.1, clean
on 1.2. #9 changes another file and has no suite. #11 is open.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from github import Auth, Github
from github.Issue import Issue
from github.PullRequest import PullRequest

from bot.commands.triggers import CommentTrigger
from bot.fake_github import FakeGitHub
from bot.handlers.serve_trigger import answer
from bot.models import TargetOutcome
from bot.pipeline.context import RepositoryContext

REPOSITORY = "acme/widget"
BOT = "widget-bot"
MAINTAINER = "mia"

_PLAIN = "class Ring:\n    def allocate(self, slots, width):\n        self.entries = bytearray(slots)\n"
_NEIGHBOURS = (
    "class Ring:\n    def allocate(self, slots, width):\n        self.width = width\n"
    "        self.entries = bytearray(slots)\n        self.slots = slots\n"
)
_FIXED = _NEIGHBOURS.replace("bytearray(slots)", "bytearray(slots * width)")


def git(directory: Path, *arguments: str, stdin: str = "", **variables: str) -> str:
    """Run git with nobody's settings and a fixed clock, but for these variables."""
    identity = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in _IDENTITY.items()}
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **identity}
    process = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**environment, **variables},
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.strip()


_IDENTITY = {"NAME": "Ann", "EMAIL": "ann@widget.example", "DATE": "1767225600 +0000"}


def commit(directory: Path, message: str, files: Mapping[str, str]) -> None:
    """Commit files (path → text)."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", message)


def write_history(directory: Path) -> None:
    """Make the checkout whose history is drawn above."""
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "Begin", {"widget/__init__.py": ""})
    git(directory, "branch", "release/1.0")
    commit(directory, "Add the ring", {"widget/ring.py": _PLAIN})
    git(directory, "branch", "release/1.1")
    commit(directory, "Remember the sizes", {"widget/ring.py": _NEIGHBOURS})
    git(directory, "branch", "release/1.2")
    commit(directory, "Size the ring by entry (#7)", {"widget/ring.py": _FIXED})
    git(directory, "tag", "pull-7")
    commit(directory, "Say hello (#9)", {"widget/hello.py": "GREETING = 'hello'\n"})
    git(directory, "tag", "pull-9")


@dataclass
class Office:
    """The bot at work on the small project; `mia` is its maintainer."""

    fake_github: FakeGitHub
    git_dir: Path
    context: RepositoryContext
    people: dict[str, Github] = field(default_factory=dict)

    def say(self, body: str, *, on: int = 7, as_: str = MAINTAINER) -> tuple[TargetOutcome, ...]:
        """Write a comment as somebody and let the bot answer it."""
        comment = self.issue(on, as_=as_).create_comment(body)
        return self.serve(comment.id, body, on=on, author=as_)

    def serve(self, comment_id: int, body: str, *, on: int = 7, author: str = MAINTAINER) -> tuple[TargetOutcome, ...]:
        trigger = CommentTrigger(
            repository=REPOSITORY, pull_request=on, comment_id=comment_id, author=author, body=body
        )
        return answer(trigger, self.context)

    def person(self, login: str) -> Github:
        """Return a client for one more account."""
        token = self.fake_github.add_user(login)
        client = Github(auth=Auth.Token(token), base_url=self.fake_github.api_url, seconds_between_requests=0)
        self.people[login] = client
        return client

    def issue(self, number: int, *, as_: str = MAINTAINER) -> Issue:
        return self.people[as_].get_repo(REPOSITORY).get_issue(number)

    def answers(self, on: int = 7) -> list[str]:
        """Return the bot's comments, oldest first."""
        return [comment.body for comment in self.issue(on).get_comments() if comment.user.login == BOT]

    def reactions(self, on: int = 7) -> list[str]:
        """Return the bot's reactions to the newest comment of a person."""
        comment = [comment for comment in self.issue(on).get_comments() if comment.user.login != BOT][-1]
        return [reaction.content for reaction in comment.get_reactions() if reaction.user.login == BOT]

    def backports(self) -> list[PullRequest]:
        """Return the bot's pull requests, oldest first."""
        pulls = self.people[MAINTAINER].get_repo(REPOSITORY).get_pulls(state="all")
        return sorted((pull for pull in pulls if pull.user.login == BOT), key=lambda pull: pull.number)

    def branches(self) -> dict[str, str]:
        """Return the branches on the forge and their tips."""
        listed_output = git(self.git_dir, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.split() for line in listed_output.splitlines())


def with_pick(context: RepositoryContext, **changes: Any) -> RepositoryContext:
    """Return the context with these fields of its `pick` changed."""
    return replace(context, pick=replace(context.pick, **changes))


def seed_pull_requests(fake_github: FakeGitHub, git_dir: Path, repository: str = REPOSITORY) -> None:
    """Make the pull requests that the history speaks of."""
    for number, title in ((7, "Size the ring by entry"), (9, "Say hello")):
        fake_github.seed_pull_request(
            repository,
            number=number,
            title=title,
            author="ann",
            head=f"topic-{number}",
            merged_by=MAINTAINER,
            merge_commit_sha=git(git_dir, "rev-parse", f"pull-{number}^{{commit}}"),
        )
    git(git_dir, "branch", "open-topic", "main~1")
    fake_github.seed_pull_request(
        repository, number=11, title="Not done yet", author="ann", head="open-topic", base="release/1.2", merged=False
    )
