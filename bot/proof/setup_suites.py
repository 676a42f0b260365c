"""Chooses the setup steps for the suites of a proof: those of the configuration, or those that their tools need."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models import CommandSuite, SourceTree
from bot.proof.setup_detection import own_steps, setup_steps
from bot.proof.setup_step import SetupStep

_TOOLS = {
    "python": ("{python}", "python", "python3", "pytest"),
    "npm": ("node", "npm", "npx", "yarn", "pnpm"),
    "go": ("go", "gotestsum"),
    "cargo": ("cargo",),
    "mvn": ("mvn",),
}
_ANY = ("sh", "bash", "make")
"""Programs that may start any other."""


def steps_for(
    tree: SourceTree, suites: Sequence[CommandSuite], setup: str | Sequence[Sequence[str]], *, own_python: bool = False
) -> list[SetupStep]:
    """Return the steps that make a tree ready for these suites. `setup` is auto, none or a list of commands.

    With an `own_python`, which is configured and has what it needs, nothing is installed for Python.
    """
    if not suites or setup == "none":
        return []
    if not isinstance(setup, str):
        return own_steps(setup)
    tools = [tool for tool in _TOOLS if not (own_python and tool == "python")]
    steps = [step for tool in tools for step in setup_steps(tree, _folders(suites, tool), (tool,))]
    return list({(step.name, step.folder, step.sources): step for step in steps}.values())


def _folders(suites: Sequence[CommandSuite], tool: str) -> list[str]:
    return [suite.folder for suite in suites if _uses(suite, tool)]


def _uses(suite: CommandSuite, tool: str) -> bool:
    words = {word.rpartition("/")[2] for word in (*suite.command, *suite.tools)}
    names = _TOOLS[tool] if suite.tools or not words & {*_ANY} else (*_TOOLS[tool], *_ANY)
    return bool(words & {*names})
