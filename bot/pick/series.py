"""A series of commits picked one on top of the other.

Owns the order of the series and what a cherry-picked commit says: the original's commit author, dates and message, the
committer given, and the line that names the original. What to do about a conflict is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.git.commit_message import backport_message
from bot.git.diff_text import commit_patches, compare
from bot.git.repository import Repository
from bot.git.trees import commit_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import Fidelity, MergeMethod, Sha, Signature
from bot.pick.attempt import Attempt

Resolve = Callable[[UnmergedPick], Sha | None]
"""Turns a conflicting pick into a whole tree, or gives up with None."""


def pick_series(attempt: Attempt, resolve: Resolve = lambda _conflict: None) -> tuple[Sha, ...] | UnmergedPick:
    """Pick what is left of the originals onto the base commit; return the cherry-picked commits, oldest first.

    A commit whose pick is empty leaves none. Returns the first conflict that `resolve` gives up on.
    """
    tip = attempt.plan.base_commit
    series = []
    for original in attempt.commits:
        onto = attempt.repository.commit(tip).tree
        pick = attempt.try_pick(original, onto)
        if isinstance(pick, EmptyPick):
            continue
        tree = pick.tree if isinstance(pick, CleanPick) else resolve(pick)
        if tree is None:
            assert isinstance(pick, UnmergedPick)  # noqa: S101 -- for the type checker: only these are resolved
            return pick
        if tree != onto:
            notes = _credit(attempt) if original == attempt.commits[-1] else ()
            tip = write_pick(attempt.repository, original, tree, tip, attempt.committer, notes)
            series.append(tip)
    return tuple(series)


def _credit(attempt: Attempt) -> Sequence[str]:
    """Name everybody in the last commit of what one merge brought.

    The title of the merge, which would tell that the commits belong together, does not come along.
    """
    commits = [attempt.repository.commit(sha) for sha in attempt.plan.commits]
    people = dict.fromkeys(f"{commit.author.name} <{commit.author.email}>" for commit in commits)
    if attempt.plan.merge_method is not MergeMethod.MERGE or len(people) < 2:
        return ()
    *first_people, last = people
    return (f"The last of {len(commits)} commits of one pull request, by {', '.join(first_people)} and {last}.",)


def write_pick(
    repository: Repository, original: Sha, tree: Sha, parent: Sha, committer: Signature, notes: Sequence[str] = ()
) -> Sha:
    """Write the cherry-picked commit with a tree on top of a parent."""
    commit = repository.commit(original)
    message = backport_message(commit.message, (original,), notes)
    return repository.writer.write_commit(tree, (parent,), message, commit.author, committer)


def series_fidelity(repository: Repository, originals: Sequence[Sha], series: Sequence[Sha]) -> Fidelity:
    """Compare a series with its originals, commit by commit; the least faithful one decides.

    An original that changes nothing leaves no commit, and that is no adaptation.
    """
    changing_originals = [
        sha for sha in originals if next(commit_paths(repository, repository.commit(sha)), None) is not None
    ]
    if len(changing_originals) != len(series):
        return Fidelity.ADAPTED
    texts = commit_patches(repository, [*changing_originals, *series])
    grades = [compare(texts[original], texts[copy]) for original, copy in zip(changing_originals, series, strict=True)]
    return max(grades, key=list(Fidelity).index)
