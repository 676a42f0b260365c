"""Errors cross the border between processes."""

from __future__ import annotations

import pickle

from bot.errors import GitError


def test_an_error_of_a_worker_process_arrives_whole() -> None:
    error = pickle.loads(pickle.dumps(GitError("It failed.", hint="Try again.", code=128)))  # noqa: S301 - of our own
    assert isinstance(error, GitError)
    assert (str(error), error.message, error.hint, error.code) == ("It failed.", "It failed.", "Try again.", 128)
