"""The repositories of the git room's tests, for commands that look at one."""

from tests.git.conftest import history

__all__ = ["history"]
