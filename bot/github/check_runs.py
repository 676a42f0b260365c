"""Check runs on a commit: one for each name, made once and then brought up to date."""

from __future__ import annotations

from github.CheckRun import CheckRun
from github.Repository import Repository as ForgeRepository

from bot.github.delivery import sendable
from bot.github.lazy import unread_commit
from bot.models import CheckRunText, Sha


def write_check_run(repository: ForgeRepository, sha: Sha, text: CheckRunText) -> None:
    """Create our check run of that name on a commit, or replace what it says."""
    title, summary = sendable(text.title), sendable(text.summary)
    output: dict[str, str | list[dict[str, str | int]]] = {"title": title, "summary": summary}
    standing = _standing(repository, sha, text.name)
    if standing is None:
        repository.create_check_run(
            text.name, sha, status="completed", conclusion=text.conclusion, output=output, external_id=_OURS
        )
    elif (standing.conclusion, standing.output.title, standing.output.summary) != (
        text.conclusion,
        title,
        summary,
    ):
        standing.edit(status="completed", conclusion=text.conclusion, output=output)


# Another App may use the same name for a check run of its own, which ours must not touch.
_OURS = "backport-bot"


def _standing(repository: ForgeRepository, sha: Sha, name: str) -> CheckRun | None:
    found = unread_commit(repository, sha).get_check_runs(check_name=name)
    return next((run for run in found if run.external_id == _OURS), None)
