"""`check`, `apply` and `prove`: a carried patch on a tree that somebody has at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot.carried.apply import Applied, ChangedTree, StepFailure, apply, render_diff, write
from bot.carried.companions import apply_companions, needed_companions
from bot.carried.detect import check
from bot.carried.load import CarriedPatch, configured_patches
from bot.carried.tree import DirectoryTree, differing_paths
from bot.cli.options import AsJson, DeviceKind, OwnConfig, PatchName, Tree, WithCompanions, tell
from bot.config import ProveConfig, load_config
from bot.environment.safe_output import to_json
from bot.environment.temporary_folders import scratch_folder
from bot.errors import ConfigError
from bot.git.untrusted_repository import head_commit
from bot.proof.prove_trees import prove_trees
from bot.proof.source_copy import copy_sources
from bot.report import terminal
from bot.report.json_data import check_to_json, verdict_to_json
from bot.text.suggestions import suggest


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("check")(check_tree)
    app.command("apply")(apply_patch)
    app.command("prove")(prove_fix)


def check_tree(tree: Tree, patch: PatchName, config: OwnConfig = None, as_json: AsJson = False) -> None:
    """Say whether TREE has the fault: affected, fixed, not-affected or unknown, with the evidence."""
    report = check(DirectoryTree(tree), _named(patch, _configured(config)[1]))
    typer.echo(to_json(check_to_json(report), indent=2) if as_json else terminal.render_check(report))


def apply_patch(
    tree: Tree,
    patch: PatchName,
    diff: Annotated[bool, typer.Option("--diff", help="Print the change and write nothing.")] = False,
    with_companions: WithCompanions = False,
    config: OwnConfig = None,
) -> None:
    """Apply a carried patch to TREE in place; applying twice is the same as applying once."""
    patches = _configured(config)[1]
    applied = _apply(tree, _named(patch, patches), patches if with_companions else {})
    changes = _changes(applied)
    if diff:
        typer.echo(render_diff(DirectoryTree(tree), changes), nl=False)
        return
    write(changes, tree)
    for each in applied:
        typer.echo(terminal.render_applied(each.patch, list(each.changes)))


def prove_fix(
    tree: Tree,
    *,
    patch: Annotated[
        str | None,
        typer.Option(help="The carried patch. Without one the tests that TREE2 changes prove it.", metavar="NAME"),
    ] = None,
    candidate: Annotated[
        Path | None,
        typer.Option(
            help="The tree with the fix. Without it the carried patch is applied to a copy of TREE.",
            exists=True,
            file_okay=False,
            metavar="TREE2",
        ),
    ] = None,
    device: Annotated[DeviceKind | None, typer.Option(help="Where the suite runs; auto by default.")] = None,
    with_companions: WithCompanions = False,
    config: OwnConfig = None,
    branch: Annotated[str, typer.Option(help="The target branch, for what is configured by branch.")] = "",
    evidence: Annotated[
        Path | None,
        typer.Option(help="A folder to keep verdict.json and both runs' JUnit XML in.", file_okay=False, metavar="DIR"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the regression suite on TREE without and with the fix; exit 0 only if that proves it."""
    settings, patches = _configured(config)
    carried = _named(patch, patches) if patch else None
    with scratch_folder("backport-candidate-") as scratch:
        fixed = candidate or scratch / "candidate"
        lay_out = None if candidate else _making(tree, carried, patches if with_companions else {}, fixed)
        if with_companions and lay_out is not None:
            lay_out()  # only what came of it tells which companions' suites are to run
            lay_out = None
        verdict = prove_trees(
            tree,
            fixed,
            carried,
            lay_out=lay_out,
            companions=needed_companions(DirectoryTree(tree), DirectoryTree(fixed), carried, patches)
            if carried and with_companions
            else (),
            patches=patches,
            settings=settings,
            branch=branch,
            changed_files=() if carried else differing_paths(tree, fixed),
            commits=(head_commit(tree), head_commit(fixed)),
            device=device.value if device else None,
            evidence=evidence,
            progress=tell,
        )
    typer.echo(to_json(verdict_to_json(verdict), indent=2) if as_json else terminal.render_verdict(verdict))
    raise typer.Exit(0 if verdict.proven else 1)


def _making(
    tree: Path, patch: CarriedPatch | None, companions_among: Mapping[str, CarriedPatch], copy: Path
) -> Callable[[], None]:
    if patch is None:
        raise ConfigError(
            "There is neither a carried patch nor a tree with the fix; nothing was run.",
            hint="Give `--patch NAME`, or `--candidate TREE2`, or both.",
        )
    return partial(_fix_copy, tree, patch, companions_among, copy)


def _configured(file: Path | None) -> tuple[ProveConfig, Mapping[str, CarriedPatch]]:
    if file is None:
        return ProveConfig(), configured_patches((), Path())
    config = load_config(file)
    return config.prove, configured_patches(config.patches, file.parent)


def _named(name: str, patches: Mapping[str, CarriedPatch]) -> CarriedPatch:
    if name not in patches:
        hint = suggest(name, sorted(patches), listing="The carried patches are")
        raise ConfigError(f"There is no carried patch called {name!r}; nothing was done.", hint=hint)
    return patches[name]


def _apply(tree: Path, patch: CarriedPatch, companions_among: Mapping[str, CarriedPatch]) -> tuple[Applied, ...]:
    """Work out the change and those of the companions, or end with exit code 1 and the step that did not fit."""
    source = DirectoryTree(tree)
    first = _applied(apply(source, patch))
    rest = apply_companions(ChangedTree(source, first.changes), patch, companions_among)
    return first, *map(_applied, rest)


def _applied(outcome: Applied | StepFailure) -> Applied:
    if isinstance(outcome, Applied):
        return outcome
    said = terminal.render_step_failure(
        patch=outcome.patch, step=outcome.step, file=outcome.file, expected=outcome.expected, actual=outcome.found
    )
    typer.echo(said, err=True)
    raise typer.Exit(1)


def _changes(applied: Iterable[Applied]) -> dict[str, bytes]:
    """Put changes together; each holds whole files, on top of those before it."""
    return {path: content for each in applied for path, content in each.changes.items()}


def _fix_copy(tree: Path, patch: CarriedPatch, companions_among: Mapping[str, CarriedPatch], copy: Path) -> None:
    changes = _changes(_apply(tree, patch, companions_among))
    copy_sources(tree, copy, without=frozenset({".git", "__pycache__"}))
    write(changes, copy)
