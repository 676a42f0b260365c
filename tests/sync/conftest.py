"""The repositories of the git room's tests, for looking at by git alone."""

from tests.git.conftest import history, repository

__all__ = ["history", "repository"]
