"""Git repositories, through GitPython where it has what is needed."""

import os

# Without git on the PATH the import of GitPython would fail, and with it commands that need no repository:
# https://gitpython.readthedocs.io/en/stable/reference.html#git.cmd.Git.refresh
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# A git hook that starts the bot sets them; GitPython would then open the hook's repository in place of ours.
for _name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"):
    os.environ.pop(_name, None)
