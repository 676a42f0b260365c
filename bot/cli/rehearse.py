"""`rehearse`: what the bot would have made of a repository's past backports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.options import AsJson, tell
from bot.environment.safe_output import to_json
from bot.rehearse import rehearsal
from bot.rehearse.record import record_directory
from bot.rehearse.rehearsal import Rehearsal, rehearse
from bot.rehearse.summary import Summary, summarize, summary_to_json
from bot.report.rehearsal import render_summary, summary_tables
from bot.report.rehearsal_page import render_page


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("rehearse")(rehearse_past)


def rehearse_past(
    repository: Annotated[
        Path, typer.Argument(metavar="REPO", exists=True, file_okay=False, help="A checkout or git directory.")
    ],
    branches: Annotated[
        str | None, typer.Option(help="Target branches, as a glob. Without it: what looks like a release branch.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay only so many, the newest.")] = None,
    html: Annotated[Path | None, typer.Option(help="Where the report goes; in the user's cache without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the past backports of REPO again and compare them with what people committed. REPO is not written to.

    A run that was stopped goes on where it was.
    """
    with _progress() as progress:
        done = rehearse(repository, branches=branches, limit=limit, progress=progress)
    summary = summarize(done)
    page = html or record_directory(repository) / "report.html"
    page.write_text(render_page(done, summary), encoding="utf-8", errors="replace")
    if as_json:
        typer.echo(to_json(_to_json(done, summary)))
    else:
        _print(done, summary)
    tell(f"Report with every difference: {page}")


@contextmanager
def _progress() -> Iterator[rehearsal.Progress]:
    # On standard error, so that standard output stays data; a pipe gets no bar.
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("looking for past backports", total=None)

        def update(done: int, total: int) -> None:
            bar.update(task, description="replaying", completed=done, total=total)

        yield update


def _print(done: Rehearsal, summary: Summary) -> None:
    console = Console()
    for table in summary_tables(summary, f"past backports of {done.repository}"):
        console.print(table)
    console.print(render_summary(summary), markup=False, highlight=False)


def _to_json(done: Rehearsal, summary: Summary) -> dict[str, object]:
    pairs = []
    for each in done.replays:
        data = asdict(each)
        pairs.append({**data.pop("pair"), **data})
    return {
        "repository": done.repository,
        "left_out": dict(summary.left_out),
        "pairs": pairs,
        "summary": summary_to_json(summary),
    }
