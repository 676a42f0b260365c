"""Reactions to a comment: what the bot thinks of a request, in one sign."""

from __future__ import annotations

from github.Repository import Repository as PyGithubRepository

from bot.github.protocol import Reaction
from bot.text.logins import same_login


def add_reaction(repository: PyGithubRepository, comment_id: int, reaction: Reaction) -> None:
    """React; who reacts twice has reacted once."""
    # The lazy comment object would be fetched first; a reaction needs only the address.
    repository.requester.requestJsonAndCheck("POST", _url(repository, comment_id), input={"content": reaction})


def remove_reaction(repository: PyGithubRepository, comment_id: int, reaction: Reaction, *, login: str) -> None:
    """Take back what an account put there, if it did."""
    url = _url(repository, comment_id)
    _, found = repository.requester.requestJsonAndCheck("GET", url, parameters={"content": reaction, "per_page": 100})
    for each in found:
        if each["content"] == reaction and same_login((each["user"] or {}).get("login"), login):
            repository.requester.requestJsonAndCheck("DELETE", f"{url}/{each['id']}")


def _url(repository: PyGithubRepository, comment_id: int) -> str:
    return f"{repository.url}/issues/comments/{comment_id}/reactions"
