"""Renders each page. Raises `PageNotFound` for a page that does not exist or that the public may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bot.fake_github.accounts import Level
from bot.fake_github.conversation import Issue
from bot.fake_github.git_diff import changes
from bot.fake_github.github_state import World
from bot.fake_github.pages import markdown, timeline
from bot.fake_github.pages.diff import read
from bot.fake_github.pull_requests import commits_of, files_of, latest_runs, mergeable_state, missing_checks
from bot.fake_github.repository_records import Repository

MOST_COMMITS = 100


class PageNotFound(Exception):
    """There is no such page for a visitor without a login."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.fake_github.pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["stamp"] = lambda date: date.strftime("%Y-%m-%d %H:%M")
    environment.globals.update(rollup=timeline.rollup, phrase=timeline.phrase)
    return environment


_TEMPLATES = _environment()


def render(name: str, **values: Any) -> str:  # noqa: ANN401 - what a template takes
    """Fill a template."""
    return _TEMPLATES.get_template(name).render(**values)


def _repository(world: World, owner: str, name: str) -> Repository:
    record = world.repository(owner, name)
    if record is None or record.level_of(None) < Level.READ:
        raise PageNotFound(f"{owner}/{name}")
    return record


def index(world: World) -> str:
    """Show the repositories."""
    public = [record for record in world.repositories.values() if record.level_of(None) >= Level.READ]
    return render("index.html", repositories=public, url=world.url)


def repository(world: World, owner: str, name: str) -> str:
    """Show a repository: its pull requests, issues and branches."""
    record = _repository(world, owner, name)
    issues = [issue for _, issue in sorted(record.issues.items(), reverse=True)]
    tips = record.git.refs("refs/heads").items()
    branches = [(ref.removeprefix("refs/heads/"), record.git.commit(sha)) for ref, sha in tips]
    branches.sort(key=lambda branch: (branch[0] != record.default_branch, branch[0]))
    return render("repository.html", repository=record, issues=issues, branches=branches, url=world.url)


def conversation(world: World, owner: str, name: str, number: int) -> str:
    """Show an issue, or a pull request with everything in it."""
    record = _repository(world, owner, name)
    issue = record.issues.get(number)
    if issue is None:
        raise PageNotFound(f"{owner}/{name}#{number}")
    values = {"repository": record, "issue": issue, "entries": timeline.entries(issue), "url": world.url}
    values |= {"markdown": _markdown_filter(world, record), "pull": issue.pull}
    return render("conversation.html", **values, **_pull_values(record, issue))


def _pull_values(record: Repository, issue: Issue) -> dict[str, Any]:
    pull = issue.pull
    if pull is None:
        return {"commits": [], "files": [], "checks": [], "state": "", "missing": ()}
    return {
        "commits": commits_of(record, pull)[-MOST_COMMITS:],
        "files": read(files_of(record, pull)),
        "checks": latest_runs(record, pull.head_sha),
        "state": "" if issue.state == "closed" else mergeable_state(record, pull),
        "missing": missing_checks(record, pull),
    }


def _markdown_filter(world: World, record: Repository) -> Callable[[str | None], Markup]:
    """Return the filter that turns Markdown, whoever wrote it, into safe HTML."""
    page = f"{world.url}/{record.full_name}"

    def resolve(kind: str, text: str) -> str | None:
        if kind == "number":
            issue = record.issues.get(int(text))
            return f"{page}/{'pull' if issue.pull else 'issues'}/{text}" if issue else None
        return f"{page}/commit/{text}" if record.git.kind(text) == "commit" else None

    return lambda text: Markup(markdown.render(text or "", resolve))  # noqa: S704 - cleaned by nh3


def commits(world: World, owner: str, name: str, ref: str) -> str:
    """Show the newest commits of a branch."""
    record = _repository(world, owner, name)
    sha = record.git.branch(ref)
    if sha is None:
        raise PageNotFound(ref)
    log = record.git.log(sha, limit=MOST_COMMITS)
    return render("commits.html", repository=record, ref=ref, commits=log, url=world.url)


def commit(world: World, owner: str, name: str, ref: str) -> str:
    """Show one commit and what it changes."""
    record = _repository(world, owner, name)
    sha = record.git.resolve(ref)
    if sha is None:
        raise PageNotFound(ref)
    values = record.git.commit(sha)
    files = read(changes(record.git, values.parents[0] if values.parents else None, sha))
    return render("commit.html", repository=record, commit=values, files=files, url=world.url)


def check(world: World, owner: str, name: str, number: int) -> str:
    """Show one check run with its report."""
    record = _repository(world, owner, name)
    run = record.check_runs.get(number)
    if run is None:
        raise PageNotFound(str(number))
    return render("check.html", repository=record, run=run, markdown=_markdown_filter(world, record), url=world.url)
