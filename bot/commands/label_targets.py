"""Reads the target branch out of a label, by the configuration's template and patterns."""

from __future__ import annotations

from bot.commands.parser import ALL, AUTO
from bot.config import Config
from bot.errors import CommandError
from bot.text.bounded_patterns import has_groups, replace_match
from bot.text.branch_names import is_glob, name_problem
from bot.text.markdown import code


def asks_for_backport(label: str, config: Config) -> bool:
    """Return whether a label requests a backport, even one to a branch that cannot be."""
    try:
        return target_of_label(label, config) is not None
    except CommandError:
        return True


def target_of_label(label: str, config: Config) -> str | None:
    """Return the target that a label requests, or None. The template counts first, then the patterns in their order.

    Raises:
        CommandError: what the groups of a pattern took from the label is no branch name.
    """
    target = _by_template(label, config.trigger_label)
    if target is not None:
        return target
    for entry in config.trigger_labels:
        branch = replace_match(entry.pattern, entry.branch, label)
        if branch is not None:
            # Who may name a label is not who wrote the pattern: from a label comes one branch, no glob and no keyword.
            return _checked(branch, label) if has_groups(entry.branch) else branch
    return None


def _by_template(label: str, template: str) -> str | None:
    """Read `backport release/v0.5.12`, given `backport {target}`."""
    before, _, after = template.partition("{target}")
    if not (label.startswith(before) and label.endswith(after)):
        return None
    target = label[len(before) : len(label) - len(after)].strip()
    return target or None


def _checked(branch: str, label: str) -> str:
    problem = name_problem(branch)
    if is_glob(branch) or branch in (ALL, AUTO) or "," in branch:
        problem = "may mean several branches"
    if problem:
        raise CommandError(
            f"The label {code(label)} asks for {code(branch)}, which {problem}. Nothing was started.",
            hint="Take the label off, and put one on that names a branch.",
            word=branch,
        )
    return branch
