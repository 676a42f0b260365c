"""Makes suites of the tests that come with a change: one for each command that runs a part of them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.config.prove import ProveConfig
from bot.config.tests import KnownFailureConfig, Preset
from bot.models import OWN_TESTS, CommandSuite, KnownFailure, SourceTree
from bot.proof.changed_tests import files_of_tests, fill_command, manifests, steering_files, tests_by_folder
from bot.proof.presets import PresetCommand, commands_for
from bot.proof.rust_modules import has_other_tests


def own_tests(
    changed_files: Sequence[str], base: SourceTree, candidate: SourceTree, settings: ProveConfig
) -> list[CommandSuite]:
    """Return the suites of the tests that a change of these files brings; none if it brings no tests."""
    names, overlay = files_of_tests(changed_files, settings.tests.paths)
    command = settings.tests.command
    spliced: tuple[str, ...] = ()
    if command is None or isinstance(command, Preset):
        by_folder = tests_by_folder(changed_files, candidate.read)
        names, overlay = (tuple(dict.fromkeys([*paths, *by_folder])) for paths in (names, overlay))
        spliced = _with_test_modules(changed_files, overlay, base, candidate)
    run = [path for path in names if candidate.read(path) is not None]  # what the change removes cannot be run
    if not run and not spliced:
        return []
    commands = (
        commands_for(command, [*run, *spliced], candidate)
        if command is None or isinstance(command, Preset)
        else [PresetCommand(folder="", command=fill_command(command, run))]
    )
    return [
        CommandSuite(
            name=OWN_TESTS if number == 1 else f"{OWN_TESTS}-{number}",
            command=entry.command,
            format=entry.format,
            folder=entry.folder,
            tools=entry.tools,
            overlay=overlay,
            spliced=spliced,
            manifests=manifests(path for path in changed_files if path not in overlay),
            steering=steering_files(changed_files),
            known_failures=known_failures(settings.tests.known_failures),
            timeout=settings.timeout_minutes * 60,
        )
        for number, entry in enumerate(commands, start=1)
    ]


def _with_test_modules(
    paths: Sequence[str], overlay: Sequence[str], base: SourceTree, candidate: SourceTree
) -> tuple[str, ...]:
    """Return the changed Rust files that are no tests themselves, and have test modules that the change touches."""
    sources = [path for path in paths if path.endswith(".rs") and path not in overlay]
    return tuple(path for path in sources if has_other_tests(base.read(path), candidate.read(path)))


def known_failures(cases: Sequence[KnownFailureConfig]) -> tuple[KnownFailure, ...]:
    """Return the declarations of a configuration."""
    return tuple(KnownFailure(entry.cases, entry.reason) for entry in cases)
