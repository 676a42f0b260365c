"""Reactions to a comment, by which the bot acknowledges a request."""

from __future__ import annotations

from github.Repository import Repository as PyGithubRepository

from bot.github.protocol import Reaction
from bot.text.logins import same_login


def add_reaction(repository: PyGithubRepository, comment_id: int, reaction: Reaction) -> None:
    """React; reacting twice is the same as reacting once."""
    # The lazy comment object would be fetched first; a reaction needs only the address.
    repository.requester.requestJsonAndCheck("POST", _url(repository, comment_id), input={"content": reaction})


def remove_reaction(repository: PyGithubRepository, comment_id: int, reaction: Reaction, *, login: str) -> None:
    """Remove an account's reaction, if there is one."""
    url = _url(repository, comment_id)
    _, reactions = repository.requester.requestJsonAndCheck(
        "GET", url, parameters={"content": reaction, "per_page": 100}
    )
    for entry in reactions:
        if entry["content"] == reaction and same_login((entry["user"] or {}).get("login"), login):
            repository.requester.requestJsonAndCheck("DELETE", f"{url}/{entry['id']}")


def _url(repository: PyGithubRepository, comment_id: int) -> str:
    return f"{repository.url}/issues/comments/{comment_id}/reactions"
