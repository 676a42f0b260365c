"""`check`, `apply` and `prove`: a carried patch on a local tree."""

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
from bot.carried.source_tree import DirectoryTree, differing_paths
from bot.cli.options import AsJson, DeviceKind, OwnConfig, PatchName, Tree, WithCompanions, tell
from bot.config import ProveConfig, load_config
from bot.environment.safe_output import to_json
from bot.environment.temporary_folders import scratch_folder
from bot.errors import ConfigError
from bot.git.untrusted_repository import head_commit
from bot.proof.change import Change
from bot.proof.prove_trees import prove_trees
from bot.proof.source_copy import copy_sources
from bot.report import terminal
from bot.report.json_data import check_to_json, verdict_to_json
from bot.text.suggestions import suggest

_ProvenPatch = Annotated[
    str | None,
    typer.Option(
        "--patch",
        help="The carried patch. Without it, the tests that differ in TREE2 are the proof.",
        metavar="NAME",
    ),
]
_CandidateTree = Annotated[
    Path | None,
    typer.Option(
        help="The tree with the fix. Without it, the carried patch is applied to a copy of TREE.",
        exists=True,
        file_okay=False,
        metavar="TREE2",
    ),
]
_EvidenceFolder = Annotated[
    Path | None,
    typer.Option(help="A folder to write verdict.json and both runs' JUnit XML to.", file_okay=False, metavar="DIR"),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("check")(check_tree)
    app.command("apply")(apply_patch)
    app.command("prove")(prove_fix)


def check_tree(tree: Tree, patch: PatchName, config: OwnConfig = None, as_json: AsJson = False) -> None:
    """Check whether TREE has the fault. Prints affected, fixed, not-affected or unknown, and where it shows."""
    report = check(DirectoryTree(tree), _find_patch(patch, _load_settings(config)[1]))
    typer.echo(to_json(check_to_json(report), indent=2) if as_json else terminal.render_check(report))


def apply_patch(
    tree: Tree,
    patch: PatchName,
    diff: Annotated[bool, typer.Option("--diff", help="Print the change and write nothing.")] = False,
    with_companions: WithCompanions = False,
    config: OwnConfig = None,
) -> None:
    """Apply a carried patch to TREE in place. A patch that is applied already changes nothing."""
    patches = _load_settings(config)[1]
    results = _apply(tree, _find_patch(patch, patches), patches if with_companions else {})
    changes = _changes(results)
    if diff:
        typer.echo(render_diff(DirectoryTree(tree), changes), nl=False)
        return
    write(changes, tree)
    for result in results:
        typer.echo(terminal.render_applied(result.patch, list(result.changes)))


def prove_fix(
    tree: Tree,
    *,
    patch: _ProvenPatch = None,
    candidate: _CandidateTree = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda, rocm, or the name of one of `prove.devices`. By default as configured.",
            metavar="NAME",
        ),
    ] = None,
    with_companions: WithCompanions = False,
    config: OwnConfig = None,
    branch: Annotated[str, typer.Option(help="The target branch, which selects what is configured by branch.")] = "",
    evidence: _EvidenceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Run the regression suite on TREE without and with the fix. The exit code is 0 only if the fix is proven."""
    settings, patches = _load_settings(config)
    carried_patch = _find_patch(patch, patches) if patch else None
    with scratch_folder("backport-candidate-") as scratch:
        fixed_tree = candidate or scratch / "candidate"
        lay_out = (
            None if candidate else _copy_maker(tree, carried_patch, patches if with_companions else {}, fixed_tree)
        )
        if with_companions and lay_out is not None:
            lay_out()  # the result decides which companions' suites run
            lay_out = None
        verdict = prove_trees(
            Change(
                tree,
                fixed_tree,
                carried_patch,
                companions=needed_companions(DirectoryTree(tree), DirectoryTree(fixed_tree), carried_patch, patches)
                if carried_patch and with_companions
                else (),
                patches=patches,
                branch=branch,
                changed_files=() if carried_patch else differing_paths(tree, fixed_tree),
                commits=(head_commit(tree), head_commit(fixed_tree)),
            ),
            lay_out=lay_out,
            settings=settings,
            device=_device_of(device, settings),
            evidence=evidence,
            progress=tell,
        )
    typer.echo(to_json(verdict_to_json(verdict), indent=2) if as_json else terminal.render_verdict(verdict))
    raise typer.Exit(0 if verdict.proven else 1)


def _copy_maker(
    tree: Path, patch: CarriedPatch | None, companions_among: Mapping[str, CarriedPatch], copy: Path
) -> Callable[[], None]:
    if patch is None:
        raise ConfigError(
            "There is neither a carried patch nor a tree with the fix; nothing was run.",
            hint="Give `--patch NAME`, or `--candidate TREE2`, or both.",
        )
    return partial(_fix_copy, tree, patch, companions_among, copy)


def _load_settings(file: Path | None) -> tuple[ProveConfig, Mapping[str, CarriedPatch]]:
    if file is None:
        return ProveConfig(), configured_patches((), Path())
    config = load_config(file)
    return config.prove, configured_patches(config.patches, file.parent)


def _device_of(name: str | None, settings: ProveConfig) -> str | None:
    """Return the device that a person named: a kind, or one of `prove.devices`. Raises ConfigError."""
    names = [*DeviceKind, *(entry.name for entry in settings.devices)]
    if name is None or name in names:
        return name
    hint = suggest(name, names, listing="The devices are")
    raise ConfigError(f"There is no device called {name!r}; nothing was run.", hint=hint)


def _find_patch(name: str, patches: Mapping[str, CarriedPatch]) -> CarriedPatch:
    if name not in patches:
        hint = suggest(name, sorted(patches), listing="The carried patches are")
        raise ConfigError(f"There is no carried patch called {name!r}; nothing was done.", hint=hint)
    return patches[name]


def _apply(tree: Path, patch: CarriedPatch, companions_among: Mapping[str, CarriedPatch]) -> tuple[Applied, ...]:
    """Compute the changes of the patch and its companions. If a step does not fit, print it and exit with code 1."""
    source = DirectoryTree(tree)
    first = _require_success(apply(source, patch))
    companions = apply_companions(ChangedTree(source, first.changes), patch, companions_among)
    return first, *map(_require_success, companions)


def _require_success(outcome: Applied | StepFailure) -> Applied:
    if isinstance(outcome, Applied):
        return outcome
    message = terminal.render_step_failure(
        patch=outcome.patch, step=outcome.step, file=outcome.file, expected=outcome.expected, actual=outcome.found
    )
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _changes(results: Iterable[Applied]) -> dict[str, bytes]:
    """Merge the changes of several patches. Each has whole files, which include the changes before it."""
    return {path: content for result in results for path, content in result.changes.items()}


def _fix_copy(tree: Path, patch: CarriedPatch, companions_among: Mapping[str, CarriedPatch], copy: Path) -> None:
    changes = _changes(_apply(tree, patch, companions_among))
    copy_sources(tree, copy, without=frozenset({".git", "__pycache__"}))
    write(changes, copy)
