"""From which chance on a whole pick is proposed."""

from __future__ import annotations

import pytest

from bot.git.unmerged_paths import UnmergedFile
from bot.models import Certainty, ConflictKind, Sha
from bot.pick.merge.confidence import rate_confidence
from bot.pick.resolver import ConflictedFile, Decision, FileResolution


def _answered(chance: float, *traits: str) -> tuple[ConflictedFile, FileResolution]:
    path = "ring.c"
    kind = ConflictKind.CONTENT
    unmerged = UnmergedFile(path=path, result_path=path, kind=kind, regions=1, base=None, ours=None, theirs=None)
    file = ConflictedFile(
        commit=Sha("0" * 40), unmerged_file=unmerged, base=b"a\n", ours=b"b\n", theirs=b"c\n", parts=()
    )
    decisions = (Decision(chance, frozenset(traits)),)
    return file, FileResolution({path: b"c\n"}, Certainty.PROPOSED, "", decisions=decisions)


@pytest.mark.parametrize(
    ("chance", "trait", "expected"),
    [
        pytest.param(0.5, "touching lines", Certainty.PROPOSED, id="a merge"),
        pytest.param(0.5, "target's text", Certainty.PROPOSED, id="the target's text, though that is less likely"),
        pytest.param(0.5, "original's text", None, id="the original's text"),
        pytest.param(0.8, "original's text", Certainty.PROPOSED, id="the original's text, likelier"),
        pytest.param(0.2, "touching lines", None, id="a merge that is hardly likely"),
    ],
)
def test_taking_the_original_text_whole_must_be_likelier(chance: float, trait: str, expected: Certainty | None) -> None:
    assert rate_confidence([_answered(chance, trait)]) is expected
