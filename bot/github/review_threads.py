"""Unresolved review threads of a pull request. Only GraphQL says which are resolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from github.Repository import Repository as PyGithubRepository

from bot.github.convert import GHOST
from bot.github.graphql import ask
from bot.models import ReviewThread

_QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        nodes {
          isResolved path line
          comments(first: 1) { nodes { author { login } body url } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


def unresolved_threads(repository: PyGithubRepository, number: int) -> Iterator[ReviewThread]:
    """Yield the unresolved threads in GitHub's order, from all pages."""
    after = None
    while True:
        page = _page(repository, number, after)
        for node in page["nodes"]:
            if node and not node["isResolved"] and node["comments"]["nodes"]:
                yield _thread(node)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _page(repository: PyGithubRepository, number: int, after: str | None) -> dict[str, Any]:
    data = ask(repository, _QUERY, owner=repository.owner.login, name=repository.name, number=number, after=after)
    page: dict[str, Any] = data["repository"]["pullRequest"]["reviewThreads"]
    return page


def _thread(node: dict[str, Any]) -> ReviewThread:
    first = node["comments"]["nodes"][0]
    # The author's account may be deleted, and the line may be gone once the file has changed.
    author = (first["author"] or {}).get("login", GHOST)
    return ReviewThread(path=node["path"], line=node["line"] or 0, author=author, body=first["body"], url=first["url"])
