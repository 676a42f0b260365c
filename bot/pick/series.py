"""Picks a series of commits, one on top of the other.

A cherry-picked commit has the original's commit author, dates and message, the given committer, and a line that names
the original. The caller decides about conflicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.git.commit_message import backport_message, with_trailer
from bot.git.diff_text import commit_patches, compare
from bot.git.repository import Repository
from bot.git.trees import commit_paths
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import Commit, Fidelity, MergeMethod, Sha, Signature
from bot.pick.attempt import Attempt
from bot.text.closing_keywords import neutralize_keywords

_MOST_NAMED = 20

Resolve = Callable[[UnmergedPick], Sha | None]
"""Turns a conflicting pick into a whole tree, or gives up with None."""


def pick_series(attempt: Attempt, resolve: Resolve = lambda _conflict: None) -> tuple[Sha, ...] | UnmergedPick:
    """Pick the remaining originals onto the base commit. Returns the cherry-picked commits, oldest first.

    An original whose pick is empty has no commit. If `resolve` returns None for a conflict, that conflict is returned.
    """
    tip = attempt.plan.base_commit
    series = []
    for original in attempt.commits:
        target_tree = attempt.repository.commit(tip).tree
        pick = attempt.try_pick(original, target_tree)
        # git cherry-pick would stop here: https://git-scm.com/docs/git-cherry-pick (--empty)
        if isinstance(pick, EmptyPick):
            continue
        tree = pick.tree if isinstance(pick, CleanPick) else resolve(pick)
        if tree is None:
            assert isinstance(pick, UnmergedPick)  # noqa: S101 -- for the type checker: only these are resolved
            return pick
        # A resolution can leave nothing of the original.
        if tree != target_tree:
            credit = _credit(attempt) if original == attempt.commits[-1] else ()
            notes = (*credit, *left_out_note(attempt.left_out(original)))
            tip = write_pick(attempt.repository, original, tree, tip, attempt.committer, notes)
            series.append(tip)
    return tuple(series)


def _credit(attempt: Attempt) -> Sequence[str]:
    """Name all authors of one merge in its last commit, because the merge's title does not come along."""
    commits = [attempt.repository.commit(sha) for sha in attempt.plan.commits]
    people = dict.fromkeys(f"{commit.author.name} <{commit.author.email}>" for commit in commits)
    if attempt.plan.merge_method is not MergeMethod.MERGE or len(people) < 2:
        return ()
    *first_people, last = people
    return (f"The last of {len(commits)} commits of one pull request, by {', '.join(first_people)} and {last}.",)


def left_out_note(paths: Sequence[str]) -> Sequence[str]:
    """Say in a commit's message which files of its original it lacks; nothing if it lacks none."""
    if not paths:
        return ()
    surplus = [f"  and {len(paths) - _MOST_NAMED} more"] if len(paths) > _MOST_NAMED else []
    lines = [f"  {path!r}" if "\n" in path else f"  {path}" for path in paths[:_MOST_NAMED]]
    # A path is the author's text, too.
    return (neutralize_keywords("\n".join(["Left out is what the original changes in:", *lines, *surplus])),)


def write_pick(
    repository: Repository, original: Sha, tree: Sha, parent: Sha, committer: Signature, notes: Sequence[str] = ()
) -> Sha:
    """Write the cherry-picked commit with a tree on top of a parent.

    A merge that is picked as one commit has the person who merged as its author. So the authors of what it brought are
    credited in trailers, as GitHub credits those of a squash.
    """
    commit = repository.commit(original)
    message = backport_message(commit.message, (original,), notes)
    for author in _authors_of_merge(repository, commit):
        message = with_trailer(message, "Co-authored-by", author)
    return repository.writer.write_commit(tree, (parent,), message, commit.author, committer)


def _authors_of_merge(repository: Repository, merge: Commit) -> Sequence[str]:
    """Return who wrote the commits that a merge brought, besides the merge's own author; none for another commit."""
    if len(merge.parents) < 2:
        return ()
    options = (
        "--no-merges",
        "--reverse",
        f"--max-count={_MOST_NAMED * 10}",
        "--format=%an <%ae>",
        "--no-commit-header",
    )
    lines = repository.git.text("rev-list", *options, merge.sha, f"^{merge.parents[0]}").splitlines()
    own = f"{merge.author.name} <{merge.author.email}>"
    return list(dict.fromkeys(line for line in lines if line and line != own))[:_MOST_NAMED]


def series_fidelity(repository: Repository, originals: Sequence[Sha], series: Sequence[Sha]) -> Fidelity:
    """Compare a series with its originals as they are picked, commit by commit; the least faithful commit decides.

    An original that changes nothing has no commit, which is no adaptation.
    """
    changing_originals = [
        sha for sha in originals if next(commit_paths(repository, repository.commit(sha)), None) is not None
    ]
    if len(changing_originals) != len(series):
        return Fidelity.ADAPTED
    texts = commit_patches(repository, [*changing_originals, *series])
    grades = [compare(texts[original], texts[copy]) for original, copy in zip(changing_originals, series, strict=True)]
    return max(grades, key=list(Fidelity).index)
