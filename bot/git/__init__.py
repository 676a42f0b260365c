"""Git repositories, through GitPython where it has what is needed."""

import os

# Without git on the PATH the import of GitPython would fail, and with it commands that need no repository:
# https://gitpython.readthedocs.io/en/stable/reference.html#git.cmd.Git.refresh
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
