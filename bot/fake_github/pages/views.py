"""Each page: which template, filled with what. Raises `Missing` for what is not there, or not for everybody."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bot.fake_github.accounts import Level
from bot.fake_github.conversation import Issue, Label
from bot.fake_github.git_diff import changes
from bot.fake_github.pages import markdown, timeline
from bot.fake_github.pages.diff import read
from bot.fake_github.pull_requests import commits_of, files_of, latest_runs, mergeable_state, missing_checks
from bot.fake_github.serializers.commits import account_of
from bot.fake_github.state import Repository
from bot.fake_github.world import World

MOST_COMMITS = 100


class Missing(Exception):
    """There is no such page for somebody without a login."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bot.fake_github.pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["stamp"] = lambda date: date.strftime("%Y-%m-%d %H:%M")
    environment.filters["hue"] = hue_of
    environment.globals.update(rollup=timeline.rollup, saying=timeline.saying)
    return environment


def hue_of(label: Label) -> str:
    """Name the colour class nearest to a label's colour. A page's policy allows no style of its own."""
    try:
        red, green, blue = (int(label.color[at : at + 2], 16) / 255 for at in (0, 2, 4))
    except ValueError:
        return "grey"
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    return "grey" if saturation < 0.15 else f"hue-{round(hue * 12) % 12}"


_TEMPLATES = _environment()


def render(name: str, **values: Any) -> str:  # noqa: ANN401 - what a template takes
    """Fill a template."""
    return _TEMPLATES.get_template(name).render(**values)


def _repository(world: World, owner: str, name: str) -> Repository:
    repository = world.repository(owner, name)
    if repository is None or repository.level_of(None) < Level.READ:
        raise Missing(f"{owner}/{name}")
    return repository


def index(world: World) -> str:
    """Show the repositories."""
    shown = [one for one in world.repositories.values() if one.level_of(None) >= Level.READ]
    return render("index.html", repositories=shown, url=world.url)


def repository(world: World, owner: str, name: str) -> str:
    """Show a repository: its pull requests, issues and branches."""
    here = _repository(world, owner, name)
    newest = [issue for _, issue in sorted(here.issues.items(), reverse=True)]
    branches = [
        (ref.removeprefix("refs/heads/"), here.git.commit(sha)) for ref, sha in here.git.refs("refs/heads").items()
    ]
    branches.sort(key=lambda branch: (branch[0] != here.default_branch, branch[0]))
    return render("repository.html", repository=here, issues=newest, branches=branches, url=world.url)


def conversation(world: World, owner: str, name: str, number: int) -> str:
    """Show an issue, or a pull request with everything in it."""
    here = _repository(world, owner, name)
    issue = here.issues.get(number)
    if issue is None:
        raise Missing(f"{owner}/{name}#{number}")
    values: dict[str, Any] = {"repository": here, "issue": issue, "entries": timeline.entries(issue), "url": world.url}
    values["markdown"] = _writer(world, here)
    return render("conversation.html", **values, pull=issue.pull, **_pull_values(world, here, issue))


def _pull_values(world: World, here: Repository, issue: Issue) -> dict[str, Any]:
    pull = issue.pull
    if pull is None:
        return {"commits": [], "files": [], "checks": [], "state": "", "missing": (), "author": None}
    return {
        "commits": commits_of(here, pull)[-MOST_COMMITS:],
        "files": read(files_of(here, pull)),
        "checks": latest_runs(here, pull.head_sha),
        "state": "" if issue.state == "closed" else mergeable_state(here, pull),
        "missing": missing_checks(here, pull),
        "author": lambda person: account_of(world, person),
    }


def _writer(world: World, here: Repository) -> Callable[[str | None], Markup]:
    """Return the filter that turns somebody's Markdown into safe HTML."""
    page = f"{world.url}/{here.full_name}"

    def resolve(kind: str, text: str) -> str | None:
        if kind == "number":
            issue = here.issues.get(int(text))
            return f"{page}/{'pull' if issue.pull else 'issues'}/{text}" if issue else None
        return f"{page}/commit/{text}" if here.git.kind(text) == "commit" else None

    return lambda text: Markup(markdown.render(text or "", resolve))  # noqa: S704 - cleaned by nh3


def commits(world: World, owner: str, name: str, ref: str) -> str:
    """Show the newest commits of a branch."""
    here = _repository(world, owner, name)
    sha = here.git.branch(ref) or here.git.resolve(ref)
    if sha is None:
        raise Missing(ref)
    shown = here.git.log(sha, limit=MOST_COMMITS)
    return render("commits.html", repository=here, ref=ref, commits=shown, url=world.url)


def commit(world: World, owner: str, name: str, ref: str) -> str:
    """Show one commit and what it changes."""
    here = _repository(world, owner, name)
    sha = here.git.resolve(ref)
    if sha is None:
        raise Missing(ref)
    found = here.git.commit(sha)
    files = read(changes(here.git, found.parents[0] if found.parents else None, sha))
    return render("commit.html", repository=here, commit=found, files=files, url=world.url)


def check(world: World, owner: str, name: str, number: int) -> str:
    """Show one check run with its report."""
    here = _repository(world, owner, name)
    run = here.check_runs.get(number)
    if run is None:
        raise Missing(str(number))
    return render("check.html", repository=here, run=run, markdown=_writer(world, here), url=world.url)


def blob(world: World, owner: str, name: str, where: str) -> tuple[str, str, bytes]:
    """Find a file by "ref/path", where a ref may have slashes itself: return ref, path and content."""
    here = _repository(world, owner, name)
    parts = where.split("/")
    for cut in range(1, len(parts)):
        ref, path = "/".join(parts[:cut]), "/".join(parts[cut:])
        sha = here.git.branch(ref) or here.git.resolve(ref)
        content = here.git.read(sha, path) if sha else None
        if content is not None:
            return ref, path, content
    raise Missing(where)


def blob_page(world: World, owner: str, name: str, where: str) -> str:
    """Show a file with numbered lines."""
    ref, path, content = blob(world, owner, name, where)
    lines = content.decode(errors="replace").splitlines()
    here = _repository(world, owner, name)
    return render("blob.html", repository=here, ref=ref, path=path, lines=lines, url=world.url)


def text(world: World, owner: str, name: str, number: int, kind: str) -> bytes:
    """Give a pull request as a diff or as patches."""
    here = _repository(world, owner, name)
    issue = here.issues.get(number)
    if issue is None or issue.pull is None:
        raise Missing(f"#{number}")
    between = f"{issue.pull.base_sha}{'...' if kind == 'diff' else '..'}{issue.pull.head_sha}"
    return here.git.run(*(["diff", "--full-index"] if kind == "diff" else ["format-patch", "--stdout"]), between)
