"""Files that a tool of the target's own writes, written anew: a lock file after its manifest was merged, say.

Owns the run of such a command, in a copy of the tree and inside the walls of a suite, and what is taken of what it
wrote: regular files at the paths it was configured for. A link that it left is not followed. Not for a job that holds a
token and runs nobody's code.
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
from bot.proof.isolation import IsolationSettings, Launch
from bot.proof.launcher import RunOptions, interpreter, run_isolated
from bot.proof.progress import last_lines, why_stopped
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
        """Say whether a path is one of those."""
        return any(matches_path(pattern, path) for pattern in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The tools of a project, and the walls that they run in. The first that writes a path is the one for it."""

    tools: tuple[Tool, ...]
    isolation: IsolationSettings
    progress: Progress = silent

    def covers(self, path: str) -> bool:
        """Say whether there is a tool for a path."""
        return any(tool.writes(path) for tool in self.tools)

    def regenerate(self, repository: Quarantine, tree: Sha, paths: Sequence[str]) -> RegeneratedFiles:
        """Run each tool that is for one of the paths, once and in their order, on one copy of the tree."""
        wanted = [tool for tool in self.tools if any(self._tool_for(path) is tool for path in paths)]
        with scratch_folder("backport-regenerate-") as scratch:
            home, copy = scratch / "home", scratch / "tree"
            home.mkdir()
            repository.export(tree, copy)
            try:
                before = _found(copy, wanted)
                for tool in wanted:
                    problem = self._run(tool, copy, home)
                    if problem:
                        return RegeneratedFiles(problem=problem)
                after = _found(copy, wanted)
            except OSError as error:
                return RegeneratedFiles(problem=f"what was written cannot be taken: {error}")
        odd = _became_odd(before, after, wanted)
        if odd:
            return RegeneratedFiles(problem=f"{odd[0]} became a link, a pipe or the like, which is not followed")
        paths_then = sorted({*before.files, *after.files})
        changed = {
            path: after.files.get(path) for path in paths_then if before.files.get(path) != after.files.get(path)
        }
        return RegeneratedFiles(changed, f"written anew by {', '.join(f'`{_shown(tool)}`' for tool in wanted)}")

    def _tool_for(self, path: str) -> Tool | None:
        return next((tool for tool in self.tools if tool.writes(path)), None)

    def _run(self, tool: Tool, copy: Path, home: Path) -> str:
        """Run a tool and return what went wrong, or nothing."""
        self.progress(f"writing generated files anew: {_shown(tool)}")
        launch = Launch(
            command=[word.replace("{python}", interpreter(self.isolation)) for word in tool.command],
            directory=copy,
            environment=command_environment(home, kernels=home / "triton", target=copy, device="cpu"),
            writable=(home.parent,),
            device="cpu",
        )
        options = RunOptions(isolation=self.isolation)
        finished = run_isolated(launch, options, timeout=tool.timeout, watch=lambda _line: None)
        stopped = why_stopped(finished, tool.timeout)
        if stopped:
            return f"`{_shown(tool)}`: {stopped}"
        return f"`{_shown(tool)}` exited with {finished.code}: {last_lines(finished)}" if finished.code else ""


def tools_for(branch: str, context: PickContext) -> Tools | None:
    """Return the tools that are configured, where this machine is the one that runs somebody's code; else None."""
    if not context.config.pick.generated or context.config.prove.runner != "local":
        return None
    tools = tuple(
        Tool(paths=each.paths, command=each.command, timeout=each.timeout_minutes * 60)
        for each in context.config.pick.generated
    )
    return Tools(tools=tools, isolation=isolation_settings(branch, context.config.prove), progress=context.progress)


def _shown(tool: Tool) -> str:
    return " ".join(tool.command).replace("`", "'")


@dataclass(frozen=True, slots=True)
class _Found:
    """The files at the tools' paths, and whatever lies in the copy that is neither a plain file nor a folder."""

    files: Mapping[str, bytes]
    odd: frozenset[str]


def _found(root: Path, tools: Sequence[Tool]) -> _Found:
    """Read what lies at the tools' paths. Raises TooLarge before anything is read that would be too much together."""
    entries = {decode_path(os.fsencode(entry.path)): entry for entry in list_entries(root, _BOUNDS)}
    plain = {path: entry for path, entry in entries.items() if entry.is_plain and any(t.writes(path) for t in tools)}
    if sum(entry.status.st_size for entry in plain.values()) > _MOST_BYTES:
        raise TooLarge(f"it is larger than {_MOST_BYTES // 10**6} MB")
    left, files = _MOST_BYTES, {}
    for path, entry in plain.items():
        with contextlib.suppress(FileNotFoundError, NotPlain):
            files[path] = read_file(root, entry.path, largest=left)
            left -= len(files[path])
    return _Found(files, frozenset(path for path, entry in entries.items() if not entry.is_plain))


def _became_odd(before: _Found, after: _Found, tools: Sequence[Tool]) -> list[str]:
    """Return what is not followed any more, of the tools' paths and of the folders that they lay in."""
    folders = {str(folder) for path in before.files for folder in PurePosixPath(path).parents}
    odd = after.odd - before.odd
    return sorted(path for path in odd if path in folders or any(tool.writes(path) for tool in tools))
