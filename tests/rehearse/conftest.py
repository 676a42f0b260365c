"""The repositories of the git room's tests, to rehearse on."""

from tests.git.conftest import history, repository

__all__ = ["history", "repository"]
