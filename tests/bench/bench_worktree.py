"""The peers' way, a `git cherry-pick` in a worktree, beside a trial pick of the same commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.trial_pick import try_pick
from tests.bench.conftest import Field, show, timed
from tests.git.history import Judge


class _Worktree(Judge):
    """A judge over a repository that is there already."""

    def __init__(self, repository: Path, directory: Path) -> None:
        self.directory = directory
        self._run("init", "--quiet", str(directory), cwd=None)
        (directory / ".git/objects/info/alternates").write_text(f"{repository / 'objects'}\n")


def test_worktree_beside_trial(field: Field, tmp_path: Path) -> None:
    pairs = list(field.pairs())[:10]
    worktree = _Worktree(field.directory, tmp_path / "worktree")
    if worktree.git("reset", "--quiet", "--hard", pairs[0][1]).returncode:
        pytest.skip("objects of this repository are missing, so nothing can be checked out")

    def peers() -> None:
        for original, tip in pairs:
            worktree.cherry_pick(original, tip)

    with field.repository.quarantine() as quarantine:

        def ours() -> None:
            for original, tip in pairs:
                try_pick(quarantine, original, quarantine.commit(tip).tree)

        rows = [("worktree, checkout and pick", timed(peers, 1)), ("trial pick", timed(ours))]
    show(
        f"one pick ({field.name}), {len(pairs)} picks",
        [(name, f"{seconds / len(pairs) * 1000:.1f} ms") for name, seconds in rows],
    )
