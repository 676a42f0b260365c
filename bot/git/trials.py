"""Many trial picks at once: one git process for all of them.

Owns the batch. What a trial means, and each answer, is the same as of `trial.try_pick`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import GitError
from bot.git.repository import Quarantined
from bot.git.tree import differing_paths
from bot.git.trial import (
    Attributes,
    CleanPick,
    EmptyPick,
    UnmergedPick,
    attributes_directory,
    conclude,
    merge,
    merge_attributes,
    parse_answer,
    stand_ins,
    tree_before,
    try_pick,
)
from bot.model import Sha

Trial = CleanPick | EmptyPick | UnmergedPick


@dataclass(frozen=True, slots=True)
class _Asked:
    """A pick that waits for its answer, as yet without a tree, and the .gitattributes that bear on it."""

    pick: UnmergedPick
    labels: tuple[Sha, Sha]
    attributes: Attributes


def try_picks(repository: Quarantined, wanted: Iterable[tuple[Sha, Sha]]) -> dict[tuple[Sha, Sha], Trial | GitError]:
    """Pick commits onto trees, given as (commit, tree); one that git cannot do has its error for an answer."""
    answers: dict[tuple[Sha, Sha], Trial | GitError] = {}
    batches: dict[Attributes, list[_Asked]] = defaultdict(list)
    for commit, onto in dict.fromkeys(wanted):
        try:
            asked = _prepare(repository, commit, onto)
            batches[asked.attributes].append(asked)
        except GitError as error:
            answers[commit, onto] = error
    # git reads attributes from one directory a process.
    for attributes, batch in batches.items():
        with attributes_directory(attributes) as worktree:
            answers |= _run(repository, batch, worktree)
    return answers


def _prepare(repository: Quarantined, commit: Sha, onto: Sha) -> _Asked:
    picked = repository.commit(commit)
    base = tree_before(repository, picked)
    attributes = tuple(merge_attributes(repository, onto, differing_paths(repository, base, picked.tree)))
    pick = UnmergedPick(commit=commit, base=base, onto=onto, theirs=picked.tree, tree=onto, files=())
    return _Asked(pick, stand_ins(repository, base, onto, picked.tree), attributes)


def _run(
    repository: Quarantined, batch: Sequence[_Asked], worktree: Path | None
) -> dict[tuple[Sha, Sha], Trial | GitError]:
    lines = "".join(f"{ours} {theirs}\n" for each in batch for ours, theirs in [each.labels])
    done = merge(repository, ("--stdin",), worktree, stdin=lines.encode())
    if done.code:  # git knows no batches, or one merge ended them all
        return {(each.pick.commit, each.pick.onto): _alone(repository, each.pick) for each in batch}
    found: dict[tuple[Sha, Sha], Trial | GitError] = {}
    for each, (clean, fields) in zip(batch, _split(done.stdout), strict=True):
        tree, stages = parse_answer(fields, each.labels)
        pick = replace(each.pick, tree=tree)
        found[pick.commit, pick.onto] = conclude(repository, pick, stages, each.labels[0], clean=clean)
    return found


def _split(output: bytes) -> Iterator[tuple[bool, list[bytes]]]:
    """Yield each answer of a batch: git's verdict ("1" is clean), the tree, the stages, and an empty field."""
    fields = output.split(b"\0")
    position = 0
    while position < len(fields) - 1:
        end = fields.index(b"", position)
        yield fields[position] == b"1", fields[position + 1 : end]
        position = end + 1


def _alone(repository: Quarantined, pick: UnmergedPick) -> Trial | GitError:
    try:
        return try_pick(repository, pick.commit, pick.onto)
    except GitError as error:
        return error
