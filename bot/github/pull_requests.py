"""Our pull requests: found by the branches that they are from and into, opened, and brought up to date.

Owns these requests. A pull request is looked for before one is made, so that an answer that was lost opens none twice.
"""

from __future__ import annotations

from github.Repository import Repository as ForgeRepository

from bot.github import convert
from bot.github.delivery import Sender, sendable
from bot.github.graphql import make_draft, mark_ready
from bot.github.translate import translated
from bot.models import PullRequest


def read_pull(repository: ForgeRepository, number: int) -> PullRequest:
    """Return a pull request; raises NotFound where there is none."""
    with translated(f"read pull request #{number}"):
        return convert.pull_request(repository.get_pull(number))


def list_pulls(repository: ForgeRepository, head: str, base: str) -> tuple[PullRequest, ...]:
    """Return the pull requests from the repository's own branch `head` into `base` in any state, newest first."""
    with translated(f"list pull requests from {head}"):
        listed = repository.get_pulls(state="all", head=f"{repository.owner.login}:{head}", base=base)
        return tuple(sorted(map(convert.pull_request, listed), key=lambda pull: -pull.number))


def open_pull(
    repository: ForgeRepository, send: Sender, *, title: str, body: str, head: str, base: str, draft: bool
) -> PullRequest:
    """Open a pull request, or bring the open one from `head` into `base` up to date."""
    title, body = sendable(title), sendable(body)

    def find() -> PullRequest | None:
        return next((pull for pull in list_pulls(repository, head, base) if pull.state == "open"), None)

    def create() -> PullRequest:
        with translated(f"open a pull request from {head} into {base}"):
            return convert.pull_request(repository.create_pull(base, head, title=title, body=body, draft=draft))

    opened = send.find_or_create(find, create)
    return update_pull(repository, send, opened, title=title, body=body, draft=draft)


def update_pull(
    repository: ForgeRepository, send: Sender, standing: PullRequest, *, title: str, body: str, draft: bool
) -> PullRequest:
    """Give a pull request these texts and this state; costs nothing where it has them."""
    title, body = sendable(title), sendable(body)
    same_text = standing.title == title and _plain(standing.body) == _plain(body)
    if same_text and standing.draft == draft:
        return standing

    def update() -> None:
        with translated(f"update #{standing.number}"):
            forge = repository.get_pull(standing.number)
            if not same_text:
                forge.edit(title=title, body=body)
            if standing.draft and not draft:
                mark_ready(forge)
            elif draft and not standing.draft:
                make_draft(forge)

    send.twice(update)
    return read_pull(repository, standing.number)


def _plain(body: str) -> str:
    # GitHub keeps line ends and white space at the end its own way.
    return body.replace("\r\n", "\n").strip()
