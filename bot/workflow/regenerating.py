"""Files that a tool of the target's own writes, written anew: a lock file after its manifest was merged, say.

Owns the run of such a command, in a copy of the tree and inside the walls of a suite, and what is taken of what it
wrote: regular files at the paths it was configured for. A link that it left is not followed. Not for a job that holds a
token and runs nobody's code.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.gate.confinement import Confinement, Launch
from bot.gate.environment import command_environment
from bot.gate.place import Shared, interpreter, run_confined
from bot.gate.progress import last_lines
from bot.git.objects import decode_path
from bot.git.repository import Quarantined
from bot.globs import matches_path
from bot.model import Progress, Sha, silent
from bot.pick.rung import Regenerated
from bot.workflow.suites import confinement_for
from bot.workflow.workplace import Workshop

# Together; a vendored tree of dependencies is some tens of megabytes.
_MOST_BYTES = 200_000_000


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
    confinement: Confinement
    progress: Progress = silent

    def covers(self, path: str) -> bool:
        """Say whether there is a tool for a path."""
        return any(tool.writes(path) for tool in self.tools)

    def regenerate(self, repository: Quarantined, tree: Sha, paths: Sequence[str]) -> Regenerated:
        """Run each tool that is for one of the paths, once and in their order, on one copy of the tree."""
        wanted = [tool for tool in self.tools if any(self._tool_for(path) is tool for path in paths)]
        with tempfile.TemporaryDirectory(prefix="backport-regenerate-", ignore_cleanup_errors=True) as scratch:
            home, copy = Path(scratch, "home"), Path(scratch, "tree")
            home.mkdir()
            repository.export(tree, copy)
            before, linked = dict(_files(copy, wanted)), set(_links(copy, wanted))
            for tool in wanted:
                problem = self._run(tool, copy, home)
                if problem:
                    return Regenerated(problem=problem)
            after, links = dict(_files(copy, wanted)), set(_links(copy, wanted)) - linked
        if links:
            return Regenerated(problem=f"{min(links)} became a link, which is not followed")
        if sum(map(len, after.values())) > _MOST_BYTES:
            return Regenerated(problem="what was written is larger than 200 MB")
        changed = {path: after.get(path) for path in sorted({*before, *after}) if before.get(path) != after.get(path)}
        return Regenerated(changed, f"written anew by {', '.join(f'`{_shown(tool)}`' for tool in wanted)}")

    def _tool_for(self, path: str) -> Tool | None:
        return next((tool for tool in self.tools if tool.writes(path)), None)

    def _run(self, tool: Tool, copy: Path, home: Path) -> str:
        """Run a tool and return what went wrong, or nothing."""
        self.progress(f"writing generated files anew: {_shown(tool)}")
        launch = Launch(
            command=[word.replace("{python}", interpreter(self.confinement)) for word in tool.command],
            directory=copy,
            environment=command_environment(home, kernels=home / "triton", target=copy, device="cpu"),
            writable=(home.parent,),
            device="cpu",
        )
        shared = Shared(confinement=self.confinement)
        finished = run_confined(launch, shared, timeout=tool.timeout, watch=lambda _line: None)
        if finished.timed_out:
            return f"`{_shown(tool)}` was stopped after {tool.timeout:g} s"
        return f"`{_shown(tool)}` exited with {finished.code}: {last_lines(finished)}" if finished.code else ""


def tools_for(branch: str, at: Workshop) -> Tools | None:
    """Return the tools that are configured, where this machine is the one that runs somebody's code; else None."""
    if not at.config.pick.generated or at.config.prove.runner != "local":
        return None
    tools = tuple(
        Tool(paths=each.paths, command=each.command, timeout=each.timeout_minutes * 60)
        for each in at.config.pick.generated
    )
    return Tools(tools=tools, confinement=confinement_for(branch, at.config.prove), progress=at.progress)


def _shown(tool: Tool) -> str:
    return " ".join(tool.command).replace("`", "'")


def _files(root: Path, tools: Sequence[Tool]) -> Iterator[tuple[str, bytes]]:
    yield from ((path, file.read_bytes()) for path, file in _written(root, tools) if not file.is_symlink())


def _links(root: Path, tools: Sequence[Tool]) -> Iterator[str]:
    yield from (path for path, file in _written(root, tools) if file.is_symlink())


def _written(root: Path, tools: Sequence[Tool]) -> Iterator[tuple[str, Path]]:
    """Yield what lies at the tools' paths: links, and files that can be read to an end."""
    for folder, folders, names in os.walk(root):
        for file in (Path(folder, name) for name in (*names, *folders)):
            path = decode_path(os.fsencode(file.relative_to(root).as_posix()))
            if any(tool.writes(path) for tool in tools) and (file.is_symlink() or file.is_file()):
                yield path, file
