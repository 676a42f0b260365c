"""The proposers: every way in which a conflict region may be answered, by name.

A new way is one function here and its weight in the table of `chance`. A proposer only says what the region could
become; how likely that is what people would commit is judged there. What joins statements dangerously is no proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.pick.finer import absent, imports, lines, sides, spelling, tokens
from bot.pick.finer.dialect import translate
from bot.pick.finer.joining import joins_dangerously
from bot.pick.finer.regions import LineRegion, Lines, merge_trivially, split_lines

Proposer = Callable[[LineRegion], Lines | None]
Proposals = Mapping[Lines, tuple[str, ...]]

PROPOSERS: dict[str, Proposer] = {
    "neighbouring lines": lines.merge_adjacent,
    "independent words": tokens.merge_tokens,
    "touching lines": lines.merge_touching,
    "sorted insertions": lines.insert_sorted,
    "both insertions": lines.insert_both,
    "import names": imports.merge_imports,
    "removed, respelled here": spelling.remove_respelled,
    "removed, shorter here": spelling.remove_changed,
    "removed, similar here": spelling.remove_similar,
    "edits of absent text dropped": absent.drop_edits,
    "insertion beside absent text": absent.keep_at_edge,
    "insertion within absent text": absent.keep_pure_insertion,
    "insertions kept, edits of absent text dropped": absent.keep_inserted,
    "same change": spelling.same_change,
    "original only respelled": spelling.original_respelled,
    "target only respelled": spelling.target_respelled,
    "target only annotated": spelling.target_reannotated,
    "original has all lines": spelling.contains_target_lines,
    "original has all words": spelling.contains_target_words,
    "target has all words": spelling.has_original_words,
    "words apart": tokens.merge_words,
    "original's text": sides.take_original,
    "target's text": sides.keep_target,
}


def propose(region: LineRegion, renames: Mapping[bytes, bytes], siblings: Sequence[Lines]) -> Proposals:
    """Return each distinct answer with the names of those who propose it.

    `renames` are the target's own words for the original's; `siblings` what the region became where the original was
    backported before, newest first.
    """
    found: dict[Lines, tuple[str, ...]] = {}
    for answer, name in (*_by_proposers(region), *_translated(region, renames), *_as_siblings(siblings)):
        if not joins_dangerously(region, answer):
            found[answer] = (*found.get(answer, ()), name)
    return found


def _by_proposers(region: LineRegion) -> Iterator[tuple[Lines, str]]:
    for name, proposer in PROPOSERS.items():
        answer = proposer(region)
        if answer is not None:
            yield answer, name


def _translated(region: LineRegion, renames: Mapping[bytes, bytes]) -> Iterator[tuple[Lines, str]]:
    base, theirs = (tuple(split_lines(translate(b"".join(side), renames))) for side in (region.base, region.theirs))
    if (base, theirs) == (region.base, region.theirs):
        return
    merged = merge_trivially(base, region.ours, theirs)
    if merged is not None:
        yield merged, "translated merge"
        return
    for answer in dict.fromkeys(answer for answer, _name in _by_proposers(LineRegion(base, region.ours, theirs))):
        yield answer, "translated"


def _as_siblings(siblings: Sequence[Lines]) -> Iterator[tuple[Lines, str]]:
    for at, answer in enumerate(siblings):
        yield answer, "older sibling" if at else "sibling"
