"""`rehearse`: replays a repository's past backports and compares the results with what was merged."""

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
        str | None,
        typer.Option(help="A glob for the target branches; by default those that look like release branches."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Replay only the newest N backports.", metavar="N")] = None,
    html: Annotated[Path | None, typer.Option(help="The file of the report; by default in the user's cache.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the past backports of REPO. The results are compared with what was merged, and REPO is not changed.

    A run that was stopped continues where it stopped.
    """
    with _progress() as progress:
        result = rehearse(repository, branches=branches, limit=limit, progress=progress)
    summary = summarize(result)
    page = html or record_directory(repository) / "report.html"
    page.write_text(render_page(result, summary), encoding="utf-8", errors="replace")
    if as_json:
        typer.echo(to_json(_to_json(result, summary)))
    else:
        _print(result, summary)
    tell(f"The report with all differences: {page}")


@contextmanager
def _progress() -> Iterator[rehearsal.Progress]:
    # On standard error, since standard output has only results. A pipe gets no bar.
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("looking for past backports", total=None)

        def update(count: int, total: int) -> None:
            bar.update(task, description="replaying", completed=count, total=total)

        yield update


def _print(result: Rehearsal, summary: Summary) -> None:
    console = Console()
    for table in summary_tables(summary, f"past backports of {result.repository}"):
        console.print(table)
    console.print(render_summary(summary), markup=False, highlight=False)


def _to_json(result: Rehearsal, summary: Summary) -> dict[str, object]:
    pairs = []
    for replay in result.replays:
        data = asdict(replay)
        pairs.append({**data.pop("pair"), **data})
    return {
        "repository": result.repository,
        "left_out": dict(summary.left_out),
        "pairs": pairs,
        "summary": summary_to_json(summary),
    }
