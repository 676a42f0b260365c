"""The repositories of the git room's tests, for picking."""

from tests.git.conftest import history, judge, repository

__all__ = ["history", "judge", "repository"]
