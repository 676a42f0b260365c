"""Reads and writes git repositories, with GitPython if it can do the work and with processes of our own if not."""

import os

# Without git on the PATH the import of GitPython would fail, and with it commands that need no repository:
# https://gitpython.readthedocs.io/en/stable/reference.html#git.cmd.Git.refresh
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
