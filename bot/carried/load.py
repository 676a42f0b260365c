"""Finds and reads carried patches, and looks them up by the original that they carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import bot
from bot.carried import ast_grep_rules
from bot.carried.rewrite import check_template
from bot.carried.schema import Companion, FollowUp, PatchFile, Provenance
from bot.config.validation import validate
from bot.config.yaml_source import parse_yaml
from bot.errors import ConfigError
from bot.models import KnownFailure, Suite
from bot.text.suggestions import suggest

_SHORTEST_SHA = 7  # git's own shortest abbreviation of an object name


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedPatch:
    """A fix described by rules instead of lines: one folder with a patch.yaml and its regression suite."""

    name: str
    directory: Path
    file: PatchFile
    suite: Suite

    @property
    def provenance(self) -> Provenance:
        """The original pull request, its risks and open questions."""
        return self.file.provenance

    @property
    def follow_ups(self) -> tuple[FollowUp, ...]:
        """Sites to list in a pull request; `detect.find_follow_ups` finds them in a tree."""
        return self.file.follow_ups

    @property
    def companions(self) -> tuple[Companion, ...]:
        """Other carried patches that belong with this one, in the order to apply them."""
        return self.file.companions

    def carries(self, *, pull_request: int | None = None, commit: str | None = None) -> bool:
        """Return True if this is the patch for that merged pull request or (possibly abbreviated) merge commit."""
        original = self.provenance.original
        if commit is not None and original.commit is not None and len(commit) >= _SHORTEST_SHA:
            return commit.startswith(original.commit) or original.commit.startswith(commit)
        return pull_request is not None and pull_request == original.pull_request


def bundled_patches() -> Path:
    """Return the folder of the carried patches that ship with the bot: in a wheel its own, in a checkout `patches/`."""
    package = Path(bot.__file__).parent
    # A wheel contains the patches as package data, because it has no folder beside the package.
    in_wheel = package / "_patches"
    return in_wheel if in_wheel.is_dir() else package.parent / "patches"


def configured_patches(folders: Iterable[str], parent: Path) -> Mapping[str, CarriedPatch]:
    """Read the bundled carried patches and those of the configured folders, which are relative to `parent`.

    Raises:
        ConfigError: a folder is missing, or holds a patch that cannot be used.
    """
    directories = [parent / folder for folder in folders]
    for directory in directories:
        check_patch_folder(directory, name=str(directory))
    return load_patches([bundled_patches(), *directories])


def check_patch_folder(directory: Path, *, name: str) -> None:
    """Raise ConfigError if a folder of `patches`, called `name` there, is missing or is a carried patch itself."""
    if not directory.is_dir():
        raise ConfigError(
            f"`patches` names {name}, which is no folder, so no carried patch was read.",
            hint="Correct `patches` in backport.yaml: folders relative to that file.",
        )
    if (directory / "patch.yaml").exists():
        raise ConfigError(
            f"`patches` names {name}, which is a carried patch itself, so none was read.",
            hint="Name the folder above it in `patches` of backport.yaml.",
        )


def load_patches(directories: Iterable[Path]) -> Mapping[str, CarriedPatch]:
    """Read every folder with a patch.yaml below the given ones, keyed by folder name.

    Raises:
        ConfigError: a patch.yaml that cannot be used, or two patches of one name.
    """
    patches: dict[str, CarriedPatch] = {}
    for file in (file for directory in directories for file in sorted(directory.glob("*/patch.yaml"))):
        patch = load_patch(file.parent)
        if patch.name in patches:
            raise ConfigError(
                f"Two carried patches are called {patch.name}: {patches[patch.name].directory} and {patch.directory}.",
                hint="Rename one of the folders.",
            )
        patches[patch.name] = patch
    return patches


def load_patch(directory: Path) -> CarriedPatch:
    """Read one folder's patch.yaml and validate its references, its rules and its templates.

    Raises:
        ConfigError: the file has a mistake; the message names file, line and key path.
    """
    path = directory / "patch.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Check the path; the file is UTF-8 text.") from error
    file = _parse(text, str(path))
    section = file.suite
    suite = Suite(
        name=directory.name,
        directory=directory / section.directory,
        import_paths=tuple((directory / extra).resolve() for extra in section.import_paths),
        known_failures=tuple(KnownFailure(f.cases, f.reason, f.fixed_by) for f in section.known_failures),
        timeout=section.timeout,
        takes_turns=section.takes_turns,
    )
    return CarriedPatch(name=directory.name, directory=directory, file=file, suite=suite)


def find_original(
    patches: Mapping[str, CarriedPatch], repository: str, *, pull_request: int | None = None, commit: str | None = None
) -> CarriedPatch | None:
    """Return the patch that carries a merged pull request (or its merge commit) of a repository, if there is one."""
    for patch in patches.values():
        # GitHub's names are case-insensitive.
        is_same_repository = patch.provenance.original.repository.casefold() == repository.casefold()
        if is_same_repository and patch.carries(pull_request=pull_request, commit=commit):
            return patch
    return None


@lru_cache(maxsize=64)  # a service and a CI job read the same files again and again, and each takes 30 ms
def _parse(text: str, name: str) -> PatchFile:
    source = parse_yaml(text, name=name, aliases=True)
    file = validate(PatchFile, source)
    for path, reference, names in file.references():
        if reference not in names:
            hint = suggest(reference, names, listing="Defined are")
            raise source.mistake(path, f"names `{reference}`, which is not defined", hint=hint)
    for path, rule in file.all_rules():
        ast_grep_rules.validate(rule, file.shared_rules, partial(source.mistake, path))
    for index, step in enumerate(file.steps):
        for position, edit in enumerate(step.edits):
            check_template(edit, step, file, partial(source.mistake, ("steps", index, "edits", position, edit.action)))
    return file
