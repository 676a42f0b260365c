"""Searching issues and pull requests, as far as GitHub's qualifiers are usually used."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from bot.fake_github.accounts import Level
from bot.fake_github.api import Call, Reply, Routes, invalid
from bot.fake_github.conversation import Issue
from bot.fake_github.serializers.issues import found_issue_json
from bot.fake_github.state import Repository

routes = Routes()
_TERM = re.compile(r'(-?)(?:(\w+):)?(?:"([^"]*)"|(\S+))')
Found = tuple[Repository, Issue]


@routes.add("GET", "/search/issues")
def search_issues(call: Call) -> Reply:
    """Answer what every term of the query fits, newest first. Words are looked for in title, body and comments."""
    query = call.query.get("q", "")
    if not query.strip():
        raise invalid("Search", "q", "missing")
    viewer = call.token.user if call.token else None
    readable = [one for one in call.world.repositories.values() if one.level_of(viewer) >= Level.READ]
    found: list[Found] = [(one, issue) for one in readable for issue in one.issues.values()]
    for minus, qualifier, quoted, bare in _TERM.findall(query):
        fits = _test_of(qualifier.lower(), quoted or bare)
        found = [pair for pair in found if fits(*pair) != bool(minus)]
    found.sort(key=lambda pair: pair[1].id, reverse=True)
    reply = call.page(found, lambda pair: found_issue_json(call.world, *pair), "items")
    return Reply(reply.body | {"incomplete_results": False, "search_type": "lexical"}, headers=reply.headers)


def _test_of(qualifier: str, value: str) -> Callable[[Repository, Issue], bool]:
    wanted = value.lower()
    tests: dict[str, Callable[[Repository, Issue], bool]] = {
        "repo": lambda repository, _: repository.full_name.lower() == wanted,
        "org": lambda repository, _: repository.owner.login.lower() == wanted,
        "is": lambda _, issue: wanted in _states(issue),
        "state": lambda _, issue: wanted in _states(issue),
        "type": lambda _, issue: wanted in _states(issue),
        "author": lambda _, issue: issue.user.login.lower() == wanted.removeprefix("app/"),
        "label": lambda _, issue: any(fnmatchcase(label.name.lower(), wanted) for label in issue.labels),
        "base": lambda _, issue: issue.pull is not None and issue.pull.base.lower() == wanted,
        "head": lambda _, issue: issue.pull is not None and issue.pull.head.lower().startswith(wanted),
        "milestone": lambda _, issue: issue.milestone is not None and issue.milestone.title.lower() == wanted,
        "in": lambda _repository, _issue: True,
    }
    return tests.get(qualifier, lambda _, issue: wanted in _text(issue))


def _states(issue: Issue) -> set[str]:
    pull = issue.pull
    if pull is None:
        return {"issue", issue.state}
    return {"pr", "pull-request", issue.state, "merged" if pull.merged else "unmerged"} | (
        {"draft"} if pull.draft else set()
    )


def _text(issue: Issue) -> str:
    return "\n".join([issue.title, issue.body or "", *(comment.body for comment in issue.comments)]).lower()
