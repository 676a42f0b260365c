"""argv → one call. The only room that exits; one module for each group of commands."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from bot import __version__
from bot.cli import preflight, rehearse, running, stage, sync, trees
from bot.errors import BackportError
from bot.report import terminal

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"backport-bot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is asked of GitHub and git.")] = False,
) -> None:
    """Backport merged fixes to release branches, and prove each one before its pull request opens."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


for group in (preflight, trees, running, sync, rehearse, stage):
    group.add_to(app)


def main() -> None:
    """Run the command line; an error of ours ends it with what happened and what to do, and exit code 2."""
    try:
        app()
    except BackportError as error:
        typer.echo(terminal.render_error(error), err=True)
        raise SystemExit(2) from None
