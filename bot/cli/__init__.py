"""The command line. Each group of commands has a module of its own here; only this package ends the process."""

from __future__ import annotations

import atexit
import gc
import importlib
import logging
from collections import UserDict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot import __version__
from bot.cli.machine_failures import explain, some_home
from bot.cli.signals import end_with_signals
from bot.environment.data_folder import private_file
from bot.environment.safe_output import neutral_output
from bot.environment.trace import Render, record, render_json

COMMANDS = {
    "init": "init",
    "doctor": "doctor",
    "app": "github_app",  # not `app`: a module of that name would take the place of the application here
    "backport": "backport",
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
"""The commands in the order of the help, each with its module in this package."""


class _LazyCommands(UserDict[str, Any]):
    """Maps names to commands. A module is imported when its command runs, as imports take most of a short run."""

    def __getitem__(self, name: str) -> object:
        commands = _typer()
        gc.disable()  # it finds nothing in what is imported, and takes a tenth of the time
        try:
            importlib.import_module(f"bot.cli.{super().__getitem__(name)}").add_to(commands)
        finally:
            gc.enable()
        return typer.main.get_group(commands).commands[name]


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer passes them
        super().__init__(**attributes | {"commands": _LazyCommands(COMMANDS)})


def _typer(cls: type[TyperGroup] | None = None) -> typer.Typer:
    return typer.Typer(
        cls=cls,
        no_args_is_help=cls is not None,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = _typer(_Commands)


def _print_version(version: bool) -> None:
    if version:
        typer.echo(f"backport-bot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log the requests to GitHub and the git commands.")
    ] = False,
    trace_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--trace",
            help="Write what git, GitHub and the proofs took: FILE.html as a picture, else as OpenTelemetry's JSON. "
            "May be given twice.",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """Backport merged fixes to release branches, and prove each one before its pull request opens."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    if not verbose:
        # It warns of each retry. If the last one fails, an error says so.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
    if trace_files:
        renders = {_writable(file): _trace_render(file) for file in trace_files}
        context.with_resource(record(renders, context.invoked_subcommand or ""))


def _trace_render(file: Path) -> Render:
    if file.suffix not in (".html", ".htm"):
        return render_json
    from bot.report.trace_page import render_trace

    return render_trace


def _writable(file: Path) -> Path:
    try:
        return private_file(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror or error}.") from error


def main() -> None:
    """Run the command line. An expected error ends it with a message, a remedy and exit code 2."""
    end_with_signals()
    atexit.register(gc.freeze)  # to look through all objects for garbage once more takes a tenth of a short run
    with neutral_output(), some_home():
        try:
            app()
        except Exception as error:
            # A bug keeps its traceback, which the person who reports it needs.
            message = explain(error)
            if message is None:
                raise
            logging.getLogger(__name__).info("The error as it was raised:", exc_info=error)
            # Only an error needs it, and it is slow to import.
            from bot.report import terminal

            typer.echo(terminal.render_error(message), err=True)
            raise SystemExit(2) from None
