"""Builds the environment of a git process, and holds the settings that each one gets.

Nothing of the caller's configuration or credentials reaches git except the variables listed here. A token travels only
in the environment of a process that talks to a remote.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping
from functools import cache

from bot.errors import GitError

_PASSED_VARIABLES = (
    *("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy"),
)
# https://git-scm.com/docs/git#_environment_variables
_OUR_VARIABLES = {
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
# git runs on directories that the bot created itself, with their configuration. A repository that others set up is
# read through `bot.git.untrusted_repository`, without its own.
SETTINGS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
    *("-c", "core.sharedRepository=0600"),  # only the owner may read what git writes, as with the data folder
    *("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"),  # git waits without end for a silent server
    *("-c", "fetch.writeCommitGraph=true"),
)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment of a git process. What is empty in `extra` is left out."""
    passed_variables = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
    variables = {**passed_variables, **_OUR_VARIABLES, **(extra or {})}
    return {name: value for name, value in variables.items() if value or name in passed_variables}


def require_git() -> str:
    """Return the path of git.

    Raises:
        GitError: it is not installed.
    """
    return _find_git(os.environ.get("PATH"))


@cache
def _find_git(path: str | None) -> str:
    # Cached, because a start through the search path takes a tenth longer.
    program = shutil.which("git", path=path)
    if program is None:
        raise GitError("git is not on the PATH, so nothing was done.", hint="Install git 2.38 or newer.")
    return program


def authorization(url: str, token: str) -> dict[str, str]:
    """Return the variables that let git send a token to one URL, and to nothing else.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
    }


def with_settings(variables: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return variables that give git these settings besides those that the given ones hold."""
    first = int(variables.get("GIT_CONFIG_COUNT", "0"))
    more = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start=first):
        more |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {**variables, **more}
