"""The repositories of the tests of git, for findings in picked trees."""

from tests.git.conftest import history, judge, repository

__all__ = ["history", "judge", "repository"]
