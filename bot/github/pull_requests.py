"""Finds, opens and updates our pull requests, by the branches that they are from and into.

GitHub refuses a second open pull request from one branch into another. Then the first one is looked for.
"""

from __future__ import annotations

from typing import Any

from github.Repository import Repository as PyGithubRepository

from bot.github.convert import convert_pull_request
from bot.github.fork import Fork
from bot.github.graphql import make_draft, mark_ready
from bot.github.retrying_caller import RetryingCaller, sendable
from bot.github.translate_errors import translate_errors
from bot.models import PullRequest


def read_pull(repository: PyGithubRepository, number: int) -> PullRequest:
    """Return a pull request; raises NotFound if there is none."""
    with translate_errors(f"read pull request #{number}"):
        return convert_pull_request(repository.get_pull(number))


def list_pulls(repository: PyGithubRepository, head: str, base: str) -> tuple[PullRequest, ...]:
    """Return the pull requests from a branch into `base` in any state, newest first.

    `head` is a branch of the repository itself, or owner:branch of a fork.
    """
    qualified = head if ":" in head else f"{repository.owner.login}:{head}"
    with translate_errors(f"list pull requests from {head}"):
        pulls = repository.get_pulls(state="all", head=qualified, base=base)
        return tuple(sorted(map(convert_pull_request, pulls), key=lambda pull: -pull.number))


def open_pull(
    repository: PyGithubRepository,
    caller: RetryingCaller,
    *,
    title: str,
    body: str,
    head: str,
    base: str,
    draft: bool,
    fork: Fork | None = None,
) -> tuple[PullRequest, str]:
    """Open a pull request, or bring the open one from `head` into `base` up to date. With a `fork`, `head` is there.

    Returns it with its GraphQL id if it was opened; the id is empty for one that was there.
    """
    title, body = sendable(title), sendable(body)
    options: dict[str, Any] = {}
    if fork is not None:
        head = fork.qualify(head)
        # The name of the fork is needed if both have one owner: https://docs.github.com/rest/pulls/pulls#create-a-pull-request
        options = {"head_repo": fork.repository.name, "maintainer_can_modify": fork.can_modify}
    opened: dict[int, str] = {}

    def find() -> PullRequest | None:
        return next((pull for pull in list_pulls(repository, head, base) if pull.state == "open"), None)

    def create() -> PullRequest:
        with translate_errors(f"open a pull request from {head} into {base}"):
            created = repository.create_pull(base, head, title=title, body=body, draft=draft, **options)
        opened[created.number] = created.node_id
        return convert_pull_request(created)

    pull = caller.create_or_find(create, find)
    updated = update_pull(repository, caller, pull, title=title, body=body, draft=draft)
    return updated, opened.get(updated.number, "")


def update_pull(
    repository: PyGithubRepository, caller: RetryingCaller, existing: PullRequest, *, title: str, body: str, draft: bool
) -> PullRequest:
    """Give a pull request these texts and this state; costs nothing if it has them."""
    title, body = sendable(title), sendable(body)
    same_text = existing.title == title and _plain(existing.body) == _plain(body)
    if same_text and existing.draft == draft:
        return existing

    def update() -> None:
        with translate_errors(f"update #{existing.number}"):
            pull = repository.get_pull(existing.number)
            if not same_text:
                pull.edit(title=title, body=body)
            if existing.draft and not draft:
                mark_ready(pull)
            elif draft and not existing.draft:
                make_draft(pull)

    caller.retry_once(update)
    return read_pull(repository, existing.number)


def _plain(body: str) -> str:
    # GitHub keeps line ends and white space at the end its own way.
    return body.replace("\r\n", "\n").strip()
