"""Check runs on a commit: one for each name, created once and then updated."""

from __future__ import annotations

from github.CheckRun import CheckRun
from github.Repository import Repository as PyGithubRepository

from bot.github.lazy_objects import lazy_commit
from bot.github.retrying_caller import sendable
from bot.models import CheckRunText, Sha


def write_check_run(repository: PyGithubRepository, sha: Sha, text: CheckRunText, *, is_absent: bool = False) -> None:
    """Create our check run of that name on a commit, or update it. It is not looked for if it `is_absent`."""
    title, summary = sendable(text.title), sendable(text.summary)
    output: dict[str, str | list[dict[str, str | int]]] = {"title": title, "summary": summary}
    existing = None if is_absent else _find(repository, sha, text.name)
    if existing is None:
        repository.create_check_run(
            text.name, sha, status="completed", conclusion=text.conclusion, output=output, external_id=_OURS
        )
    elif (existing.conclusion, existing.output.title, existing.output.summary) != (
        text.conclusion,
        title,
        summary,
    ):
        existing.edit(status="completed", conclusion=text.conclusion, output=output)


# Another App may use the same name for a check run of its own, which ours must not touch.
_OURS = "backport-bot"


def _find(repository: PyGithubRepository, sha: Sha, name: str) -> CheckRun | None:
    runs = lazy_commit(repository, sha).get_check_runs(check_name=name)
    return next((run for run in runs if run.external_id == _OURS), None)
