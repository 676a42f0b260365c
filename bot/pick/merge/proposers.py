"""All proposers by name: each proposes one resolution of a conflict region.

A new proposer is a function here and a weight in `bot.pick.merge.scoring_weights`. A proposer does not rate its text;
`bot.pick.merge.scoring` does. Texts that join statements dangerously are not proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.pick.merge import absent_text, formatting_only, imports, lines, take_side, tokens
from bot.pick.merge.regions import LineRegion, Lines, merge_trivially, split_lines
from bot.pick.merge.renamed_identifiers import translate
from bot.pick.merge.unsafe_joins import joins_dangerously

Proposer = Callable[[LineRegion], Lines | None]
Proposals = Mapping[Lines, tuple[str, ...]]

# If several propose the same text, the first one's name is shown to the reviewer.
PROPOSERS: dict[str, Proposer] = {
    "neighbouring lines": lines.merge_adjacent,
    "independent words": tokens.merge_tokens,
    "touching lines": lines.merge_touching,
    "sorted insertions": lines.insert_sorted,
    "both insertions": lines.insert_both,
    "import names": imports.merge_imports,
    "removed, respelled here": formatting_only.remove_respelled,
    "removed, shorter here": formatting_only.remove_changed,
    "removed, similar here": formatting_only.remove_similar,
    "edits of absent text dropped": absent_text.drop_edits,
    "insertion beside absent text": absent_text.keep_at_edge,
    "insertion within absent text": absent_text.keep_pure_insertion,
    "insertions kept, edits of absent text dropped": absent_text.keep_inserted,
    "same change": formatting_only.same_change,
    "original only respelled": formatting_only.original_respelled,
    "target only respelled": formatting_only.target_respelled,
    "target only annotated": formatting_only.target_reannotated,
    "original has all lines": formatting_only.contains_target_lines,
    "original has all words": formatting_only.contains_target_words,
    "target has all words": formatting_only.has_original_words,
    "words apart": tokens.merge_words,
    "original's text": take_side.take_original,
    "target's text": take_side.keep_target,
}


def propose(region: LineRegion, renames: Mapping[bytes, bytes], siblings: Sequence[Lines]) -> Proposals:
    """Return each distinct resolution with the names of its proposers.

    `renames` map the base's identifiers to the target's. `siblings` are the texts of the region in earlier backports of
    the original, newest first.
    """
    proposals: dict[Lines, tuple[str, ...]] = {}
    for text, name in (*_by_proposers(region), *_by_translation(region, renames), *_as_siblings(siblings)):
        # A text that is never proposed can never be the likeliest one.
        if not joins_dangerously(region, text):
            proposals[text] = (*proposals.get(text, ()), name)
    return proposals


def _by_proposers(region: LineRegion) -> Iterator[tuple[Lines, str]]:
    for name, proposer in PROPOSERS.items():
        text = proposer(region)
        if text is not None:
            yield text, name


def _by_translation(region: LineRegion, renames: Mapping[bytes, bytes]) -> Iterator[tuple[Lines, str]]:
    base, theirs = (tuple(split_lines(translate(b"".join(side), renames))) for side in (region.base, region.theirs))
    # Nothing was renamed here.
    if (base, theirs) == (region.base, region.theirs):
        return
    merge = merge_trivially(base, region.ours, theirs)
    if merge is not None:
        yield merge, "translated merge"
        return
    for text in dict.fromkeys(text for text, _name in _by_proposers(LineRegion(base, region.ours, theirs))):
        yield text, "translated"


def _as_siblings(siblings: Sequence[Lines]) -> Iterator[tuple[Lines, str]]:
    for index, text in enumerate(siblings):
        yield text, "older sibling" if index else "sibling"
