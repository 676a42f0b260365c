"""npm packages that the tests compare the fake GitHub with: fetched once, pinned, without their install scripts.

Owns the cache folder and the pins. Nothing of the packages is kept in the repository.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.environment.cache_folder import cache_directory

PINS = {
    "@octokit/graphql-schema": "15.26.1",
    "@octokit/openapi": "23.0.2",
    "@octokit/rest": "22.0.1",
    "@octokit/webhooks-schemas": "7.6.1",
}
_DESCRIPTION = "@octokit/openapi/generated/api.github.com.json"


def install_once() -> Path:
    """Return the node_modules folder. Skips the asking test where Node is not there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node and npm, which are not on this machine")
    key = hashlib.sha256(json.dumps(PINS, sort_keys=True).encode()).hexdigest()[:12]
    home = cache_directory() / "npm"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not (home / key).is_dir():
            _install(home / f"{key}.partial").rename(home / key)
    return home / key / "node_modules"


def _install(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": PINS}))
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    result = subprocess.run(["npm", "install", *options], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"npm could not install {sorted(PINS)}:\n{result.stderr[-2000:]}"
    # The package holds the descriptions of eleven products, 380 MB; ours is one of them.
    for file in (folder / "node_modules/@octokit/openapi/generated").iterdir():
        if file != folder / "node_modules" / _DESCRIPTION:
            file.unlink()
    return folder
