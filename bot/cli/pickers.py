"""Asks a person at a terminal which pull request and which branches they mean.

The library for it is imported when a question is asked: it takes longer to load than most of a short run.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

from bot.commands.targets import newest_first, stable_branches
from bot.errors import RequestRejected
from bot.models import ListedPullRequest
from bot.pipeline.context import RepositoryContext
from bot.report.terminal import plain
from bot.text.branch_names import pattern_problem
from bot.text.logins import same_login

_READ = 300
"""Pull requests that are looked at, the last changed first: three requests."""
_SHOWN = 50


def is_interactive() -> bool:
    """Return whether a person can be asked. The questions are written to standard error."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_for_pull_request(context: RepositoryContext) -> int:
    """Let the person choose one of their merged pull requests; without any, one of everybody's.

    Raises:
        RequestRejected: no pull request was merged lately.
        KeyboardInterrupt: the person does not choose.
    """
    listed = [pull for pull in islice(context.github.changed_pull_requests(), _READ) if pull.merged]
    own = [pull for pull in listed if same_login(pull.author, context.github.login)]
    pulls = (own or listed)[:_SHOWN]
    if not pulls:
        raise RequestRejected(
            f"None of the last {_READ} pull requests of {context.github.repository} is merged, so none can be chosen.",
            hint="Give its number: --pr N.",
        )
    import questionary  # noqa: PLC0415

    choices = [questionary.Choice(_title(pull), value=pull.number) for pull in pulls]
    question = "Which pull request?" if own else "Which pull request? You have none that is merged."
    number: int = questionary.select(
        question, choices=choices, use_search_filter=True, use_jk_keys=False, **_options()
    ).unsafe_ask()
    return number


def ask_for_branches(context: RepositoryContext) -> Sequence[str]:
    """Let the person choose stable branches; if there is none, any branches.

    Raises:
        KeyboardInterrupt: the person does not choose.
    """
    import questionary  # noqa: PLC0415

    tips = context.mirror.branches()
    names = stable_branches(tips, context.config) or newest_first(tips)
    branches: list[str] = questionary.checkbox(
        "Which branches?",
        choices=[questionary.Choice(plain(name), value=name) for name in names],
        validate=lambda chosen: bool(chosen) or "Choose at least one with the space bar.",
        **_options(),
    ).unsafe_ask()
    return branches


def ask_for_globs(found: Sequence[str]) -> Sequence[str]:
    """Let the person say which branches are stable; what was `found` is there to be changed.

    Raises:
        KeyboardInterrupt: the person does not answer.
    """
    import questionary  # noqa: PLC0415

    text: str = questionary.text(
        "Which branches are stable? Globs, with blanks between them:",
        default=" ".join(found),
        validate=lambda answer: _glob_problem(answer.split()) or True,
        **_options(),
    ).unsafe_ask()
    return text.split()


def _glob_problem(globs: Sequence[str]) -> str:
    """Return what is wrong with globs that a person typed; empty if nothing is."""
    problems = [f"{glob} {problem}." for glob in globs if (problem := pattern_problem(glob))]
    return " ".join(problems) if globs else "Name at least one, e.g. release/*."


def confirm(question: str) -> bool:
    """Let the person agree. Raises KeyboardInterrupt if they do not answer."""
    import questionary  # noqa: PLC0415

    answer: bool = questionary.confirm(question, **_options()).unsafe_ask()
    return answer


def _title(pull: ListedPullRequest) -> str:
    return plain(f"#{pull.number} {pull.title} ({pull.author})", 110)


def _options() -> dict[str, Any]:
    from prompt_toolkit.output import create_output  # noqa: PLC0415

    # Standard output has only results.
    return {"output": create_output(sys.stderr)}
