"""argv → one call. The only room that exits; one module for each group of commands."""

from __future__ import annotations

import importlib
import logging
from collections import UserDict
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot import __version__
from bot.cli.failures import explain, some_home
from bot.cli.signals import end_with_signals
from bot.environment.safe_output import neutral_output
from bot.report import terminal

COMMANDS = {
    "preflight": "preflight",
    "check": "carried_patch",
    "apply": "carried_patch",
    "prove": "carried_patch",
    "demo": "server",
    "serve": "server",
    "reconcile": "server",
    "sync": "sync",
    "rehearse": "rehearse",
    "stage": "stage",
}
"""The commands in the order of the help, each with the module of this room that has it."""


class _Loaded(UserDict[str, Any]):
    """Names to commands. A module is imported for its command: imports are most of a short command's time."""

    def __getitem__(self, name: str) -> object:
        commands = _typer()
        importlib.import_module(f"bot.cli.{super().__getitem__(name)}").add_to(commands)
        return typer.main.get_group(commands).commands[name]


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - they are typer's
        super().__init__(**attributes | {"commands": _Loaded(COMMANDS)})


def _typer(cls: type[TyperGroup] | None = None) -> typer.Typer:
    return typer.Typer(
        cls=cls,
        no_args_is_help=cls is not None,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = _typer(_Commands)


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
    if not verbose:
        # It warns of each connection that is tried again; of the last one an error tells.
        logging.getLogger("urllib3").setLevel(logging.ERROR)


def main() -> None:
    """Run the command line; an error that is no fault of ours ends it with what happened and what to do, and code 2."""
    end_with_signals()
    with neutral_output(), some_home():
        try:
            app()
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            logging.getLogger(__name__).info("The error as it was raised:", exc_info=error)
            typer.echo(terminal.render_error(explained), err=True)
            raise SystemExit(2) from None
