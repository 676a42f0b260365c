"""argv → one call. The only place that exits."""

from __future__ import annotations

import difflib
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot import __version__
from bot.carried.apply import Applied, apply, render_diff, write
from bot.carried.detect import check
from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.carried.tree import DirectoryTree
from bot.errors import BackportError, ConfigError
from bot.report import terminal
from bot.report.data import check_to_json, verdict_to_json
from bot.workflow.proof import prove_trees

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

Tree = Annotated[
    Path,
    typer.Argument(help="A checkout or unpacked package of the target.", exists=True, file_okay=False, metavar="TREE"),
]
PatchName = Annotated[str, typer.Option("--patch", help="The carried patch, e.g. sglang-24587.", metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for scripts.")]


class DeviceKind(StrEnum):
    """Where a regression suite may run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"


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


@app.command("check")
def check_tree(tree: Tree, patch: PatchName, as_json: AsJson = False) -> None:
    """Say whether TREE has the fault: affected, fixed, not-affected or unknown, with the evidence."""
    report = check(DirectoryTree(tree), _named(patch, _patches()))
    typer.echo(json.dumps(check_to_json(report), indent=2) if as_json else terminal.render_check(report))


@app.command("apply")
def apply_patch(
    tree: Tree,
    patch: PatchName,
    diff: Annotated[bool, typer.Option("--diff", help="Print the change and write nothing.")] = False,
) -> None:
    """Apply a carried patch to TREE in place; applying twice is the same as applying once."""
    applied = _apply(tree, _named(patch, _patches()))
    if diff:
        typer.echo(render_diff(DirectoryTree(tree), applied.changes), nl=False)
        return
    write(applied.changes, tree)
    typer.echo(terminal.render_applied(patch, list(applied.changes)))


@app.command("prove")
def prove_fix(
    tree: Tree,
    patch: PatchName,
    candidate: Annotated[
        Path | None,
        typer.Option(
            help="The tree with the fix. Without it the carried patch is applied to a copy of TREE.",
            exists=True,
            file_okay=False,
            metavar="TREE2",
        ),
    ] = None,
    device: Annotated[DeviceKind, typer.Option(help="Where the suite runs.")] = DeviceKind.AUTO,
    as_json: AsJson = False,
) -> None:
    """Run the regression suite on TREE without and with the fix; exit 0 only if that proves it."""
    patches = _patches()
    carried = _named(patch, patches)
    with tempfile.TemporaryDirectory(prefix="backport-candidate-") as scratch:
        fixed = candidate or _fixed_copy(tree, carried, Path(scratch, "candidate"))
        verdict = prove_trees(tree, fixed, carried, patches=patches, device=device.value, progress=_tell)
    typer.echo(json.dumps(verdict_to_json(verdict), indent=2) if as_json else terminal.render_verdict(verdict))
    raise typer.Exit(0 if verdict.proven else 1)


@app.command("demo")
def demo(
    as_json: AsJson = False,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the pages up until Ctrl-C.")] = False,
    device: Annotated[DeviceKind, typer.Option(help="Where the suites run.")] = DeviceKind.AUTO,
) -> None:
    """Run the main job on real sglang releases, against a GitHub on loopback: no account, no GPU needed."""
    # Here and not above: the sandbox needs the `server` extra, which the other commands do without.
    from bot.demo.show import show_demo  # noqa: PLC0415

    raise typer.Exit(show_demo(as_json=as_json, serve=serve, device=device.value))


@app.command("serve")
def serve_webhooks(
    config: Annotated[Path, typer.Option(help="The configuration of the repository.")] = Path("backport.yaml"),
    data: Annotated[Path, typer.Option(help="Where the mirror and the journal are kept.")] = Path("backport-data"),
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.")] = 8080,
    api_url: Annotated[str, typer.Option(help="GitHub's API.")] = "https://api.github.com",
    login: Annotated[str | None, typer.Option(help="The bot's account, where its token cannot say.")] = None,
) -> None:
    """Answer webhooks until Ctrl-C. BACKPORT_BOT_TOKEN and BACKPORT_BOT_SECRET hold the token and the secret."""
    from bot.service.run import serve_until_interrupted  # noqa: PLC0415 - needs the `server` extra, as the demo does

    serve_until_interrupted(config, data=data, port=port, api_url=api_url, login=login, progress=_tell)


def main() -> None:
    """Run the command line; an error of ours ends it with what happened and what to do, and exit code 2."""
    try:
        app()
    except BackportError as error:
        typer.echo(terminal.render_error(error), err=True)
        raise SystemExit(2) from None


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _patches() -> Mapping[str, CarriedPatch]:
    return load_patches([bundled_patches()])


def _named(name: str, patches: Mapping[str, CarriedPatch]) -> CarriedPatch:
    if name not in patches:
        near = difflib.get_close_matches(name, patches, n=1)
        known = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(patches))}."
        raise ConfigError(f"There is no carried patch called {name!r}; nothing was done.", hint=known)
    return patches[name]


def _apply(tree: Path, patch: CarriedPatch) -> Applied:
    """Work out the change, or end with exit code 1 and the step that did not fit."""
    applied = apply(DirectoryTree(tree), patch)
    if isinstance(applied, Applied):
        return applied
    said = terminal.render_step_failure(
        patch=applied.patch, step=applied.step, file=applied.file, expected=applied.expected, found=applied.found
    )
    typer.echo(said, err=True)
    raise typer.Exit(1)


def _fixed_copy(tree: Path, patch: CarriedPatch, copy: Path) -> Path:
    applied = _apply(tree, patch)
    shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    write(applied.changes, copy)
    return copy
