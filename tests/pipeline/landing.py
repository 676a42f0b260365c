"""Pull requests that a test makes, merges the way it wants, and asks to have backported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from github.PullRequest import PullRequest

from bot.config import parse_config
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git, with_pick


def unproven(office: Office, settings: str = "") -> Office:
    """Return the office without carried patches, where what is not proven opens as a draft: nothing is run there."""
    text = f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n{settings}"
    return replace(office, context=with_pick(office.context, patches={}, config=parse_config(text)))


def write(
    office: Office,
    branch: str,
    files: Mapping[str, str | None],
    message: str,
    *,
    onto: str | None = None,
    also: str | None = None,
    author: str = "Bea <bea@widget.example>",
    date: str = "1767312000 +0200",
) -> str:
    """Put a commit on a branch of the forge, which is made if need be; `also` is a second parent. Returns its name."""
    start = git(office.git_dir, "rev-parse", onto or branch)
    tree = _tree(office, start, files)
    name, _, email = author.partition(" <")
    output = git(
        office.git_dir,
        *("commit-tree", tree, "-p", start, *(["-p", also] if also else []), "-m", message),
        GIT_AUTHOR_NAME=name,
        GIT_AUTHOR_EMAIL=email.rstrip(">"),
        GIT_AUTHOR_DATE=date,
    )
    git(office.git_dir, "update-ref", f"refs/heads/{branch}", output)
    return output


def _tree(office: Office, start: str, files: Mapping[str, str | None]) -> str:
    index = {"GIT_INDEX_FILE": str(office.git_dir / "landing-index")}
    git(office.git_dir, "read-tree", start, **index)
    for path, text in files.items():
        if text is None:
            git(office.git_dir, "rm", "--cached", "--quiet", path, **index)
            continue
        blob = git(office.git_dir, "hash-object", "-w", "--stdin", stdin=text)
        git(office.git_dir, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
    return git(office.git_dir, "write-tree", **index)


def open_pull(
    office: Office, branch: str, *, title: str = "Two halves", body: str = "", base: str = "main"
) -> PullRequest:
    """Open a pull request from a branch as the maintainer."""
    return office.people[MAINTAINER].get_repo(REPOSITORY).create_pull(base, branch, title=title, body=body)


def picked(office: Office, branch: str, target: str) -> list[str]:
    """List the commits that a backport branch adds to its target, oldest first, as author, date and subject."""
    listed_output = git(office.git_dir, "log", "--reverse", "--format=%an %ad %s", "--date=raw", f"{target}..{branch}")
    return listed_output.splitlines()


def message(office: Office, commit: str) -> str:
    """Return a commit's whole message."""
    return git(office.git_dir, "show", "--no-patch", "--format=%B", commit)
