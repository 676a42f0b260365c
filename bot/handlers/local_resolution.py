"""A conflict that a person resolves in a worktree of their own clone, and the backport that goes on from there.

The worktree is the state: a file of ours in git's folder for it says which request it belongs to, and goes with it.
So an interruption loses nothing, and the request goes on from whatever the person has committed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import GitError, RequestRejected
from bot.git.hosted_repository import find_checkout
from bot.git.worktree import Worktree
from bot.models import Conflicted, MergeMethod, Sha, Target
from bot.pipeline.branch_naming import name_for_recipe
from bot.pipeline.context import RepositoryContext
from bot.pipeline.request import BackportRequest
from bot.pipeline.target_repository import resolve_repository
from bot.text.branch_names import slug

_FILE = "backport-bot.json"
CONTINUE, ABORT = "backport-bot backport --continue", "backport-bot backport --abort"


class Resolution(BaseModel):
    """What a worktree is for. `command` is the line for this target alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str
    pull_request: int
    command: str
    target: str
    base: Sha


def find_clone() -> Worktree:
    """Return the clone that the person stands in; raises RequestRejected if there is none."""
    top = find_checkout(Path.cwd())
    if top is None:
        raise RequestRejected(
            "This folder is in no clone of the repository, so a conflict has no place to be resolved in.",
            hint="Run the command in your clone.",
        )
    return Worktree(top)


def begin_resolution(
    outcome: Conflicted, request: BackportRequest, clone: Worktree, context: RepositoryContext
) -> Worktree:
    """Pick the originals in a new worktree, and leave the conflict in it as git leaves it.

    Raises:
        GitError: the commits cannot be had, or the folder is there already. Nothing of the clone was changed.
    """
    target = Target.parse(outcome.target)
    base = outcome.conflict.base_commit
    name = slug(name_for_recipe(outcome.target, request.original, context))
    directory = clone.directory.parent / f"{clone.directory.name}-{name}"
    if directory.exists():
        raise GitError(
            f"{directory} is there already, so the conflict was not written there.",
            hint=f"Go on with what is in it by `{CONTINUE}`, drop it by `{ABORT}`, or remove the folder.",
        )
    _fetch(clone, resolve_repository(target, context), [base])
    _fetch(clone, context, request.commits)
    worktree = clone.add(directory, base)
    try:
        _pick(outcome, request, worktree, context)
    except BaseException:
        # Without its file it would be nobody's, and stand in the way of the next attempt.
        worktree.remove()
        raise
    return worktree


def _pick(outcome: Conflicted, request: BackportRequest, worktree: Worktree, context: RepositoryContext) -> None:
    resolution = Resolution(
        repository=context.config.repository,
        pull_request=request.original.number,
        command=str(request.command_for(outcome.target)),
        target=outcome.target,
        base=outcome.conflict.base_commit,
    )
    (worktree.git_dir / _FILE).write_text(resolution.model_dump_json(indent=1), encoding="utf-8")
    # If git sees no conflict in what the bot saw one in, the person looks at git's result.
    worktree.pick(request.commits, mainline=request.merge_method is MergeMethod.MERGE)
    worktree.take_back(outcome.conflict.left_out)


def _fetch(clone: Worktree, context: RepositoryContext, names: Sequence[Sha]) -> None:
    clone.fetch(context.github.clone_url, list(names), context.mirror.connection.authorization())


def describe_resolution(worktree: Worktree, target: str) -> str:
    """Say where the conflict is, which files it is in, and what to do."""
    files = [f"  {kind}: {path}" for path, kind in worktree.unmerged().items()]
    return "\n".join(
        [
            f"{target}: the conflict is in {worktree.directory}",
            *files,
            "Resolve it there and `git add` the files. Then, in that folder:",
            f"  cd {shlex.quote(str(worktree.directory))} && {CONTINUE}",
            f"`{ABORT}` drops it.",
        ]
    )


def find_resolution() -> tuple[Worktree, Resolution]:
    """Return the worktree that the person stands in, or the only one of their clone.

    Raises:
        RequestRejected: there is none, or several.
    """
    clone = find_clone()
    here = _read(clone)
    if here is not None:
        return clone, here
    all_of_clone = [(worktree, state) for worktree in clone.all() if (state := _read(worktree)) is not None]
    if len(all_of_clone) == 1:
        return all_of_clone[0]
    if not all_of_clone:
        raise RequestRejected(
            "No conflict is being resolved in this clone, so there is nothing to go on with.",
            hint="Begin with `backport-bot backport --pr N BRANCH --resolve`.",
        )
    folders = ", ".join(str(worktree.directory) for worktree, _ in all_of_clone)
    raise RequestRejected("Several conflicts are being resolved in this clone.", hint=f"Run it in one of: {folders}.")


def _read(worktree: Worktree) -> Resolution | None:
    file = worktree.git_dir / _FILE
    try:
        return Resolution.model_validate_json(file.read_bytes()) if file.exists() else None
    except (OSError, ValidationError) as error:
        raise GitError(
            f"{file} cannot be read ({type(error).__name__}), so nothing was done.",
            hint="Finish the pick by hand, or remove the worktree.",
        ) from None


def finish_pick(worktree: Worktree) -> None:
    """Commit what the person resolved, and pick what is left of the originals.

    Raises:
        RequestRejected: files are unmerged or not committed. Nothing was lost.
    """
    _require_merged(worktree)
    if not worktree.continue_pick():
        _require_merged(worktree)
    changed = worktree.changed()
    if changed:
        raise RequestRejected(
            f"{', '.join(changed[:5])} in {worktree.directory} has uncommitted changes, so nothing was done.",
            hint=f"`git add` and `git commit --amend` them, or restore them; then `{CONTINUE}`.",
        )


def _require_merged(worktree: Worktree) -> None:
    unmerged = worktree.unmerged()
    if unmerged:
        raise RequestRejected(
            f"{', '.join(list(unmerged)[:5])} in {worktree.directory} is not resolved, so nothing was opened.",
            hint=f"Resolve and `git add` it, then `{CONTINUE}`.",
        )


def abort_resolution(worktree: Worktree, resolution: Resolution) -> str:
    """Remove the worktree, and say what is gone and how to have its last commit back."""
    head = worktree.head
    worktree.remove()
    kept = "" if head == resolution.base else f" Its last commit was {head}: `git branch NAME {head[:12]}` keeps it."
    return f"{resolution.target}: {worktree.directory} is removed; nothing was pushed.{kept}"
