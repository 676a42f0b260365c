"""A second client that was written apart from PyGithub walks the same journey."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from github.Repository import Repository

from bot.fake_github import FakeGitHub
from tests.fake_github.conftest import NAME


@pytest.mark.node
def test_octokit_walks_the_journey_of_a_backport(
    fake_github: FakeGitHub, original: int, bot: Repository, maintainer: Repository, node_modules: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_MODULES": str(node_modules),
        "GITHUB_TOKEN": fake_github.add_token("backport-bot[bot]"),
    }
    command = ["node", str(Path(__file__).with_name("journey.mjs")), fake_github.api_url, NAME]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "login": "backport-bot[bot]",
        "original": True,
        "comments": [f"comment {number}" for number in range(105)],
        "reactions": ["eyes"],
        "permission": "maintain",
        "refExists": [422, "Reference already exists"],
        "duplicate": [422, "A pull request already exists for acme:backport/7."],
        "found": [8],
        "checks": ["success"],
        "files": ["fix.py"],
        "graphql": {"isDraft": False},
        "merged": True,
        "tip": "Fix",
    }
    assert bot.get_pull(8).merged_by.login == "backport-bot[bot]"
