"""Resolves the targets of a command in every configured repository, and words the error for one that does not exist.

A target is a name, a pattern, or `auto`: what a carried patch finds affected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.carried.detect import check
from bot.carried.load import CarriedPatch
from bot.commands.parser import ALL, AUTO, Command
from bot.commands.targets import ResolvedTargets, UnknownTarget, resolve_targets
from bot.errors import RequestRejected
from bot.git.trees import CommitTree
from bot.models import Affectedness, Sha, Target
from bot.pipeline.context import RepositoryContext
from bot.pipeline.target_repository import recent_target_branches, repository_not_visible, resolve_repository
from bot.report import replies


def resolve_command_targets(
    command: Command, patch: CarriedPatch | None, context: RepositoryContext
) -> ResolvedTargets:
    """Return the targets of a command, and what it names that is not there.

    Raises:
        RequestRejected: more than `max_targets`, or `auto` if nothing tells what is affected.
    """
    tips = recent_target_branches(context)  # the request was read a moment ago
    targets_of_command = resolve_targets(command.targets, tips, context.config)
    if {ALL, AUTO} & set(command.targets):
        targets_of_command = replace(
            targets_of_command, unknown=(*targets_of_command.unknown, *_invisible_repositories(context))
        )
    if not command.auto:
        return targets_of_command
    if patch is None:
        raise RequestRejected(
            "`auto` asks a carried patch which branches are affected, and none carries this pull request. "
            "Nothing was started.",
            hint="Name the branches.",
        )
    return replace(targets_of_command, names=_affected_targets(targets_of_command.names, tips, patch, context))


def unknown_target_error(unknown: UnknownTarget, context: RepositoryContext) -> RequestRejected:
    """Return the error for a target that does not exist."""
    repository = Target.parse(unknown.name).repository
    if repository is not None and repository in context.invisible_repositories:
        return repository_not_visible(repository, context)
    return replies.unknown_branch(unknown.name, unknown.nearest)


def _affected_targets(
    targets: Sequence[str], tips: Mapping[str, Sha], patch: CarriedPatch, context: RepositoryContext
) -> tuple[str, ...]:
    by_repository: defaultdict[str | None, list[str]] = defaultdict(list)
    for target in targets:
        by_repository[Target.parse(target).repository].append(target)
    affected_names = set()
    for names in by_repository.values():
        repository = resolve_repository(Target.parse(names[0]), context)
        repository.mirror.fetch([tips[target] for target in names])
        trees = {target: CommitTree(repository.mirror, tips[target]) for target in names}
        affected_names |= {
            target for target, tree in trees.items() if check(tree, patch).status is Affectedness.AFFECTED
        }
    return tuple(target for target in targets if target in affected_names)


def _invisible_repositories(context: RepositoryContext) -> list[UnknownTarget]:
    """Return the targets that `all` and `auto` mean in repositories that this account cannot see."""
    return [
        UnknownTarget(f"{repository.repository}:{pattern}", ())
        for repository in context.config.elsewhere
        for pattern in repository.branches
        if repository.repository in context.invisible_repositories
    ]
