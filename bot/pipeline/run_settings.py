"""The configuration and the carried patches of a run. The plan stage copies them for every later stage.

plan/backport.yaml and plan/patches/ come from the default branch, so only maintainers change them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.carried.load import CarriedPatch, bundled_patches, check_patch_folder, load_patches
from bot.config import FILE_NAME, Config, load_config, parse_config
from bot.errors import ConfigError
from bot.git.repository import Repository
from bot.github.client import GitHubClient
from bot.models import Progress, Sha, silent
from bot.pipeline.run_folder import RunFolder

_CONFIG, _REPOSITORY, _PATCHES = f"plan/{FILE_NAME}", "plan/repository", "plan/patches"


ReadFile = Callable[[str, Sha], bytes | None]
"""Returns a file of a commit; None where there is none."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run."""

    config: Config
    patches: Mapping[str, CarriedPatch]


def read_settings(folder: RunFolder) -> RunSettings:
    """Read what the plan stage copied; raises ConfigError or RunFolderError."""
    config = parse_config(folder.text(_CONFIG), name=_CONFIG, repository=folder.text(_REPOSITORY))
    patch_folder = sorted(folder_path for folder_path in folder.path(_PATCHES).glob("*") if folder_path.is_dir())
    return RunSettings(config, load_patches([bundled_patches(), *patch_folder]))


def keep_local_settings(path: Path, folder: RunFolder, repository: str) -> RunSettings:
    """Copy the settings from a file; its folders of carried patches are relative to it."""
    config = load_config(path, repository=repository)
    _keep(folder, path.read_bytes(), repository)
    for index, patch_folder in enumerate(config.patches):
        check_patch_folder(path.parent / patch_folder, name=patch_folder)
        shutil.copytree(path.parent / patch_folder, folder.path(f"{_PATCHES}/{index}"), dirs_exist_ok=True)
    return read_settings(folder)


def keep_repository_settings(
    client: GitHubClient,
    mirror: Repository,
    folder: RunFolder,
    progress: Progress = silent,
    *,
    former_names: Collection[str] = (),
    read_file: ReadFile | None = None,
) -> RunSettings:
    """Copy the settings from one commit of the repository's default branch, and say which commit it is.

    Without backport.yaml every key has its default. It may name the repository by one of its `former_names`
    (lower case). `read_file` reads the file in place of the client.

    Raises:
        ConfigError: backport.yaml cannot be used or is another repository's.
    """
    branch, commit = mirror.remote_head()
    read_file = read_file or client.read_file
    content = read_file(FILE_NAME, commit) if commit is not None else None
    place = f"`{branch}` of {client.repository}" + (f" at {commit[:12]}" if commit is not None else "")
    if content is None:
        progress(f"Configuration: {place} has no {FILE_NAME}, so each key has its default.")
    else:
        progress(f"Configuration: {FILE_NAME} on {place}.")
    text = (content or b"").decode(errors="replace")
    config = parse_config(text, repository=client.repository)
    if config.repository.casefold() not in (client.repository.casefold(), *former_names):
        raise ConfigError(
            f"{FILE_NAME}: `repository` is {config.repository}, and this is {client.repository}; nothing was done.",
            hint=f"Write `repository: {client.repository}`.",
        )
    _keep(folder, text.encode(), client.repository)
    if config.patches and commit is not None:
        _export_patches(config, commit, mirror, folder)
    return read_settings(folder)


def _keep(folder: RunFolder, text: bytes, repository: str) -> None:
    folder.write_bytes(_CONFIG, text)
    # Not in the file, which may lack the key and may be of any style of YAML.
    folder.write_bytes(_REPOSITORY, repository.encode())


def _export_patches(config: Config, commit: Sha, mirror: Repository, folder: RunFolder) -> None:
    mirror.fetch([commit])
    for index, patch_folder in enumerate(config.patches):
        export = folder.path(f"{_PATCHES}/.{index}")
        mirror.export(commit, export, [patch_folder])
        check_patch_folder(export / patch_folder, name=patch_folder)
        (export / patch_folder).rename(folder.path(f"{_PATCHES}/{index}"))
        shutil.rmtree(export)
