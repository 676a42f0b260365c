"""`check`, `apply` and `prove`: a carried patch on a tree that somebody has at hand."""

from __future__ import annotations

import difflib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.carried.apply import Applied, apply, render_diff, write
from bot.carried.detect import check
from bot.carried.load import CarriedPatch, bundled_patches, load_patches
from bot.carried.tree import DirectoryTree
from bot.cli.options import AsJson, DeviceKind, PatchName, Tree, tell
from bot.errors import ConfigError
from bot.report import terminal
from bot.report.data import check_to_json, verdict_to_json
from bot.workflow.proof import prove_trees


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("check")(check_tree)
    app.command("apply")(apply_patch)
    app.command("prove")(prove_fix)


def check_tree(tree: Tree, patch: PatchName, as_json: AsJson = False) -> None:
    """Say whether TREE has the fault: affected, fixed, not-affected or unknown, with the evidence."""
    report = check(DirectoryTree(tree), _named(patch, _patches()))
    typer.echo(json.dumps(check_to_json(report), indent=2) if as_json else terminal.render_check(report))


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
        verdict = prove_trees(tree, fixed, carried, patches=patches, device=device.value, progress=tell)
    typer.echo(json.dumps(verdict_to_json(verdict), indent=2) if as_json else terminal.render_verdict(verdict))
    raise typer.Exit(0 if verdict.proven else 1)


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
