"""What the branches teach is read before the first pick, or with a partial mirror within the pick that asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Config
from bot.errors import FetchFailed
from bot.git.mirror import open_mirror
from bot.models import Sha
from bot.pick.context import PickContext
from bot.pipeline.learn_backports import learn_backports
from tests.git.history import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Return an empty repository that serves as the remote."""
    return History(tmp_path / "remote.git")


def _release(history: History) -> tuple[Sha, Sha]:
    """base ── original (main); base ── backport (release/1)"""
    base = history.commit({"f": "a\n"})
    original = history.branch("main", history.commit({"f": "b\n"}, base))
    message = f"Fix\n\n(cherry picked from commit {original})"
    return original, history.branch("release/1", history.commit({"f": "b\n"}, base, message=message))


def _context(history: History, directory: Path, *, partial: bool) -> PickContext:
    for key in ("allowFilter", "allowAnySHA1InWant"):
        history.git("config", f"uploadpack.{key}", "true")
    mirror = open_mirror(history.directory.as_uri(), directory, partial=partial)
    config = Config.model_validate({"repository": "a/b", "branches": ["release/*"]})
    return PickContext(mirror=mirror, config=config, patches={})


def test_a_server_that_is_gone_within_a_pick_is_an_error_and_no_lack_of_backports(
    history: History, tmp_path: Path
) -> None:
    """A whole mirror would have had them, and made another candidate."""
    original, backport = _release(history)
    context = _context(history, tmp_path / "mirror.git", partial=True)
    with context.mirror:
        learn_backports(context)
        history.directory.rename(history.directory.with_name("gone"))
        for _ in range(2):
            with pytest.raises(FetchFailed):
                context.caches.index.read(context.mirror)
        history.directory.with_name("gone").rename(history.directory)
        context.caches.index.read(context.mirror)
        assert [entry.commit for entry in context.caches.index.backports(original)] == [backport]


def test_a_whole_mirror_goes_on_without_what_cannot_be_read_before_the_picks(history: History, tmp_path: Path) -> None:
    original, _backport = _release(history)
    context = _context(history, tmp_path / "mirror.git", partial=False)
    with context.mirror:
        history.directory.rename(history.directory.with_name("gone"))
        learn_backports(context)
        assert context.caches.index.backports(original) == ()
