"""Which target branches a command means: by name, by pattern, or by what a carried patch finds affected.

Owns that in every repository that targets may be in, and the words for those that are not to be had.
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
from bot.pipeline.repositories import repository_not_visible, resolve_repository, target_branches
from bot.report import replies


def resolve_command_targets(
    command: Command, patch: CarriedPatch | None, context: RepositoryContext
) -> ResolvedTargets:
    """Return the targets of a command, and what it names that is not there.

    Raises:
        RequestRejected: more than `max_targets`, or `auto` where nothing tells what is affected.
    """
    tips = target_branches(context)
    resolved = resolve_targets(command.targets, tips, context.config)
    if {ALL, AUTO} & set(command.targets):
        resolved = replace(resolved, unknown=(*resolved.unknown, *_invisible_repositories(context)))
    if not command.auto:
        return resolved
    if patch is None:
        raise RequestRejected(
            "`auto` asks a carried patch which branches are affected, and none carries this pull request. "
            "Nothing was started.",
            hint="Name the branches.",
        )
    return replace(resolved, branches=_affected(resolved.branches, tips, patch, context))


def unknown_target_error(unknown: UnknownTarget, context: RepositoryContext) -> RequestRejected:
    """Word why a target is none."""
    repository = Target.parse(unknown.name).repository
    if repository is not None and repository in context.unseen:
        return repository_not_visible(repository, context)
    return replies.unknown_branch(unknown.name, unknown.nearest)


def _affected(
    targets: Sequence[str], tips: Mapping[str, Sha], patch: CarriedPatch, context: RepositoryContext
) -> tuple[str, ...]:
    by_repository: defaultdict[str | None, list[str]] = defaultdict(list)
    for target in targets:
        by_repository[Target.parse(target).repository].append(target)
    found = set()
    for beside in by_repository.values():
        there = resolve_repository(Target.parse(beside[0]), context)
        there.mirror.fetch([tips[target] for target in beside])
        trees = {target: CommitTree(there.mirror, tips[target]) for target in beside}
        found |= {each for each, tree in trees.items() if check(tree, patch).status is Affectedness.AFFECTED}
    return tuple(target for target in targets if target in found)


def _invisible_repositories(context: RepositoryContext) -> list[UnknownTarget]:
    """Return what `all` and `auto` mean in repositories that this account cannot see."""
    return [
        UnknownTarget(f"{other.repository}:{pattern}", ())
        for other in context.config.elsewhere
        for pattern in other.branches
        if other.repository in context.unseen
    ]
