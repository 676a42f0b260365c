"""Regenerates conflicting files by the target's own tools, e.g. a lock file after its manifest was merged.

A tool runs in a copy of the tree, isolated like a suite. Only regular files at its configured paths are taken; a link
is not followed. A tool is untrusted code, so a job that holds a token must not run it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.environment.temporary_folders import scratch_folder
from bot.environment.untrusted_files import Bounds, NotPlain, TooLarge, list_entries, read_file
from bot.git.objects import decode_path
from bot.git.repository import Quarantine
from bot.models import Progress, Sha, silent
from bot.pick.context import PickContext
from bot.pick.regenerator import RegeneratedFiles
from bot.proof.isolated_command import IsolationSettings, Launch
from bot.proof.progress import last_lines, why_stopped
from bot.proof.run_isolated import RunOptions, interpreter, run_isolated
from bot.proof.select_suites import isolation_settings
from bot.proof.suite_environment import command_environment
from bot.text.globs import matches_path

# Together; a vendored tree of dependencies is some tens of megabytes.
_MOST_BYTES = 200_000_000
_BOUNDS = Bounds(entries=2_000_000, depth=200)
"""Of the copy of the tree; its files are judged by their size before they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A command and the paths that it writes; `timeout` is in seconds."""

    paths: tuple[str, ...]
    command: tuple[str, ...]
    timeout: float

    def writes(self, path: str) -> bool:
        """Return whether the tool writes a path."""
        return any(matches_path(pattern, path) for pattern in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools of a project and their isolation. The first tool that writes a path is the one for it."""

    tools: tuple[Tool, ...]
    isolation: IsolationSettings
    progress: Progress = silent

    def covers(self, path: str) -> bool:
        """Return whether there is a tool for a path."""
        return any(tool.writes(path) for tool in self.tools)

    def regenerate(self, repository: Quarantine, tree: Sha, paths: Sequence[str]) -> RegeneratedFiles:
        """Run each tool that is for one of the paths, once and in their order, on one copy of the tree."""
        needed_tools = [tool for tool in self.tools if any(self._tool_for(path) is tool for path in paths)]
        with scratch_folder("backport-regenerate-") as scratch:
            home, copy = scratch / "home", scratch / "tree"
            home.mkdir()
            repository.export(tree, copy)
            try:
                # Compared by content: a tool may write a file again that it leaves unchanged.
                before = _read_files(copy, needed_tools)
                for tool in needed_tools:
                    problem = self._run(tool, copy, home)
                    if problem:
                        return RegeneratedFiles(problem=problem)
                after = _read_files(copy, needed_tools)
            except OSError as error:
                return RegeneratedFiles(problem=f"the written files cannot be read: {error}")
        odd_files = _became_odd(before, after, needed_tools)
        if odd_files:
            return RegeneratedFiles(problem=f"{odd_files[0]} became a link, a pipe or the like, which is not followed")
        paths_then = sorted({*before.files, *after.files})
        changes = {
            path: after.files.get(path) for path in paths_then if before.files.get(path) != after.files.get(path)
        }
        return RegeneratedFiles(
            changes, f"written again by {', '.join(f'`{_command_text(tool)}`' for tool in needed_tools)}"
        )

    def _tool_for(self, path: str) -> Tool | None:
        return next((tool for tool in self.tools if tool.writes(path)), None)

    def _run(self, tool: Tool, copy: Path, home: Path) -> str:
        """Run a tool and return what went wrong, or nothing."""
        self.progress(f"writing generated files again: {_command_text(tool)}")
        launch = Launch(
            command=[word.replace("{python}", interpreter(self.isolation)) for word in tool.command],
            directory=copy,
            environment=command_environment(home, kernels=home / "triton", target=copy, device="cpu"),
            writable=(home.parent,),
            device="cpu",
        )
        options = RunOptions(isolation=self.isolation)
        process = run_isolated(launch, options, timeout=tool.timeout, watch=lambda _line: None)
        reason = why_stopped(process, tool.timeout)
        if reason:
            return f"`{_command_text(tool)}`: {reason}"
        return f"`{_command_text(tool)}` exited with {process.code}: {last_lines(process)}" if process.code else ""


def tools_for(branch: str, context: PickContext) -> Tools | None:
    """Return the configured tools if this machine is the one that runs untrusted code, else None."""
    if not context.config.pick.generated or context.config.prove.runner != "local":
        return None
    tools = tuple(
        Tool(paths=setting.paths, command=setting.command, timeout=setting.timeout_minutes * 60)
        for setting in context.config.pick.generated
    )
    return Tools(tools=tools, isolation=isolation_settings(branch, context.config.prove), progress=context.progress)


def _command_text(tool: Tool) -> str:
    return " ".join(tool.command).replace("`", "'")


@dataclass(frozen=True, slots=True)
class _Files:
    """The files at the tools' paths, and the paths in the copy that are neither plain files nor folders."""

    files: Mapping[str, bytes]
    odd: frozenset[str]


def _read_files(root: Path, tools: Sequence[Tool]) -> _Files:
    """Read the files at the tools' paths. Raises TooLarge before it reads any, if they are too large together."""
    entries = {decode_path(os.fsencode(entry.path)): entry for entry in list_entries(root, _BOUNDS)}
    plain = {path: entry for path, entry in entries.items() if entry.is_plain and any(t.writes(path) for t in tools)}
    if sum(entry.status.st_size for entry in plain.values()) > _MOST_BYTES:
        raise TooLarge(f"it is larger than {_MOST_BYTES // 10**6} MB")
    bytes_left, files = _MOST_BYTES, {}
    for path, entry in plain.items():
        with contextlib.suppress(FileNotFoundError, NotPlain):
            files[path] = read_file(root, entry.path, largest=bytes_left)
            bytes_left -= len(files[path])
    return _Files(files, frozenset(path for path, entry in entries.items() if not entry.is_plain))


def _became_odd(before: _Files, after: _Files, tools: Sequence[Tool]) -> list[str]:
    """Return the tools' paths, and the folders of their files, that became links, pipes or the like."""
    folders = {str(folder) for path in before.files for folder in PurePosixPath(path).parents}
    odd_files = after.odd - before.odd
    return sorted(path for path in odd_files if path in folders or any(tool.writes(path) for tool in tools))
