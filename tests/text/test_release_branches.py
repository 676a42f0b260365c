"""Release branches by their names, and the globs for them."""

from __future__ import annotations

import pytest

from bot.text.branch_names import matches_glob
from bot.text.release_branches import looks_like_release, release_globs


@pytest.mark.parametrize(
    ("names", "globs"),
    [
        (["release/1.0", "release/1.1", "topic"], ("release/*",)),
        (["release/v0.5.9", "release/v0.5.10", "release/next"], ("release/v*",)),
        (["stable-2.15", "stable-2.16", "v3.x", "main"], ("stable-*", "v*")),
        (["3.12", "3.13", "topic"], ("[0-9]*",)),
        (["v1.2", "v2.0", "vendoring"], ("v1.2", "v2.0")),
        (["release/1.0", "backport/7-to-release-1.0"], ("release/*",)),
        (["main", "topic"], ()),
    ],
)
def test_globs_match_the_release_branches_and_no_other(names: list[str], globs: tuple[str, ...]) -> None:
    assert release_globs(names) == globs
    matched = {name for name in names if any(matches_glob(glob, name) for glob in globs)}
    assert matched == set(filter(looks_like_release, names))
