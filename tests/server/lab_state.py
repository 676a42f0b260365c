"""What became of an original: everything that is on GitHub about it, so that it can be compared with another's."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.pipeline.office import git
from tests.server.lab_history import TARGETS

State = dict[str, Any]


class StateReader:
    """Reads the state of originals. `api` asks GitHub (method, path); `bot` is the bot's login."""

    def __init__(self, api: Callable[[str, str], Any], git_dir: Path, bot: str) -> None:
        self._api, self._git_dir, self._bot = api, git_dir, bot

    def read(self, number: int) -> State:
        """Return all that is there of an original, without the numbers and commits that differ from run to run."""
        comments = self._api("GET", f"/issues/{number}/comments?per_page=100")
        answers = [comment["body"] for comment in comments if comment["user"]["login"] == self._bot]
        asked = [comment for comment in comments if comment["user"]["login"] != self._bot]
        return {
            "comments": [_neutral(answer, number) for answer in answers],
            "reactions": [self._reactions(comment["id"]) for comment in asked],
            "checks": self._checks(self._api("GET", f"/pulls/{number}")["head"]["sha"]),
            "backports": {target: [*self._backports(number, target)] for target in TARGETS},
            "branches": self._branches(number),
        }

    def _reactions(self, comment: int) -> list[str]:
        return sorted(
            reaction["content"] for reaction in self._api("GET", f"/issues/comments/{comment}/reactions?per_page=100")
        )

    def _checks(self, sha: str) -> list[tuple[str, str]]:
        runs = self._api("GET", f"/commits/{sha}/check-runs?per_page=100")["check_runs"]
        return sorted((run["name"], run["conclusion"]) for run in runs)

    def _branches(self, number: int) -> list[str]:
        names = git(self._git_dir, "for-each-ref", "--format=%(refname)", "refs/heads/backport").splitlines()
        return sorted(name.replace(str(number), "N") for name in names if str(number) in name)

    def _backports(self, number: int, target: str) -> Iterator[State]:
        for page in range(1, 100):
            pulls = self._api("GET", f"/pulls?state=all&base={target}&per_page=100&page={page}")
            for pull in pulls:
                if re.search(rf"\b{number}\b", pull["head"]["ref"]):
                    yield self._backport(pull["number"], number)
            if len(pulls) < 100:
                return

    def _backport(self, pull: int, number: int) -> State:
        whole = self._api("GET", f"/pulls/{pull}")
        return {
            "title": _neutral(whole["title"], number),
            "body": _neutral(whole["body"], number),
            "draft": whole["draft"],
            "state": whole["state"],
            "labels": sorted(label["name"] for label in whole["labels"]),
            "assignees": sorted(person["login"] for person in whole["assignees"]),
            "reviewers": sorted(person["login"] for person in whole["requested_reviewers"]),
            "checks": self._checks(whole["head"]["sha"]),
            "change": _neutral(git(self._git_dir, "diff", f"{whole['base']['ref']}...{whole['head']['sha']}"), number),
        }


_CHANGING = (
    (r"\b[0-9a-f]{40}\b", "SHA"),
    (r"\b[0-9a-f]{12}\b", "SHA"),
    (r"\b[0-9a-f]{7,10}\b", "SHA"),
    (r"(#|/pull/|comment[-:]|issuecomment-)[0-9]+(-[0-9]+)?", r"\1N"),
    (r",? in [0-9.]+ s in total|\b[0-9.]+ s\b", ""),
    (r"signature=\S+|:[0-9a-f]{64}", "SIGNATURE"),
)


def _neutral(text: str, number: int) -> str:
    text = re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", text.replace("\r\n", "\n"))
    text = re.sub(rf"(\b|old|table|t){number}\b", r"\1N", text)
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    return text


def difference(expected: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Return the lines in which two states differ."""
    before, after = (json.dumps(value, indent=1).replace("\\n", "\n").splitlines() for value in (expected, state))
    return "\n".join(difflib.unified_diff(before, after, "expected", "after", lineterm="", n=1))
