"""The strategy "sibling": it picks the backport of the same original to another branch.

The message and the commit author stay the original's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.analysis.file_checks import find_faults
from bot.git.commit_message import picked_from
from bot.git.diff_text import commit_patches, compare
from bot.git.trial_pick import CleanPick, EmptyPick, UnmergedPick
from bot.models import AlreadyApplied, Certainty, Fidelity, Method, Sha
from bot.pick.attempt import Attempt
from bot.pick.precedent import is_precedent
from bot.pick.series import left_out_note, write_pick
from bot.pick.strategy import NotApplicable, Picked

_MOST_TRIALS = 6


class Sibling:
    """Picks a backport of each original that applies: of this request first, then merged ones, newest first."""

    name = "sibling"

    def apply(self, attempt: Attempt) -> Picked | AlreadyApplied | NotApplicable:
        """Pick siblings of the originals that do not apply. Not applicable if one of them has no sibling that does."""
        tip, commits, used = attempt.plan.base_commit, [], []
        certain = True
        for original in attempt.commits:
            tree = attempt.repository.commit(tip).tree
            sibling = _first_clean(attempt, original, tree)
            if sibling is None:
                return NotApplicable(f"no backport of {original[:12]} to another branch applies here")
            source, sibling_tree = sibling
            used.append(source)
            # A sibling is certain only if it resolved the same conflict. An original that applies needs no precedent.
            conflict = attempt.try_pick(original, tree)
            if isinstance(conflict, UnmergedPick):
                certain = certain and is_precedent(attempt, conflict, source, sibling_tree)
            if sibling_tree != tree:
                from_sibling = () if source == original else (f"Picked from its backport {source}.",)
                notes = (*from_sibling, *left_out_note(attempt.left_out(original)))
                tip = write_pick(attempt.repository, original, sibling_tree, tip, attempt.committer, notes)
                commits.append((source, tip))
        if not commits:
            # An empty pick does not show that the fix is there: in all 3 such cases people had lines to bring over.
            return NotApplicable(
                f"picking {used[-1][:12]} changes nothing here, which does not show that the fix is there"
            )
        return _check_series(attempt, commits, certain=certain)


def _first_clean(attempt: Attempt, original: Sha, tree: Sha) -> tuple[Sha, Sha] | None:
    """Return the first commit that applies, and its tree. The original itself is tried first."""
    for source in [original, *list(_siblings(attempt, original))[:_MOST_TRIALS]]:
        pick = attempt.try_pick(source, tree)
        if isinstance(pick, EmptyPick):
            return source, tree
        if isinstance(pick, CleanPick):
            return source, pick.tree
    return None


def _siblings(attempt: Attempt, original: Sha) -> Iterator[Sha]:
    sources: set[Sha] = set()
    ours = (sha for sha in _of_this_request(attempt) if _is_pick(attempt, sha, original))
    for sha in (*ours, *(backport.commit for backport in attempt.backports(original))):
        if sha not in sources:
            sources.add(sha)
            yield sha


def _of_this_request(attempt: Attempt) -> list[Sha]:
    return [sha for candidate in attempt.siblings for sha in candidate.commits]


def _is_pick(attempt: Attempt, sha: Sha, original: Sha) -> bool:
    return original in picked_from(attempt.repository.commit(sha).message)


def _check_series(attempt: Attempt, pairs: Sequence[tuple[Sha, Sha]], *, certain: bool) -> Picked | NotApplicable:
    repository = attempt.repository
    commits = tuple(tip for _source, tip in pairs)
    base = attempt.plan.base_commit
    last = repository.commit(pairs[-1][0])
    # The other branch may have names that this one lacks.
    faults = find_faults(
        repository,
        repository.commit(commits[-1]).tree,
        target=repository.commit(base).tree,
        theirs=last.tree,
        paths=repository.changed_paths(base, commits[-1]),
    )
    if faults:
        return NotApplicable(
            f"a backport applies but does not pass: {faults[0].file}:{faults[0].line} {faults[0].detail}"
        )
    texts = commit_patches(repository, {sha for pair in pairs for sha in pair})
    # The trial merges, so the lines around the change may differ from the sibling's.
    is_same = all(compare(texts[source], texts[tip]) is not Fidelity.ADAPTED for source, tip in pairs)
    sources = [source for source, _tip in pairs]
    names = ", ".join(source[:12] for source in sources)
    return Picked(
        commits=commits,
        method=Method.SIBLING,
        fidelity=Fidelity.ADAPTED,
        detail=f"picked {names}, as backported before" + ("" if is_same else ", with other lines around it"),
        certainty=Certainty.CERTAIN if certain else Certainty.PROPOSED,
        siblings=tuple(sha for sha in _of_this_request(attempt) if sha in sources),
    )
