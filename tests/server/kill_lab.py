"""A GitHub, and a service that is killed there at any request it makes.

main rewrote the tables in steps, and each branch has them as they were at some time:

    release/2.0  a pick, adapted                         release/1.9  by the version for 2.0
    release/1.8  by a resolution that proves nothing     release/1.7  by the version for 1.9

Each original `N` sizes one table and brings a check, which fails without it. So originals are alike but for their
number, and what became of one that was served with kills can be compared with one that was served without.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.fake_github import FakeGitHub
from bot.server.database import Database
from bot.server.webhooks import signature_of
from tests.pipeline.office import commit, git

REPOSITORY, BOT, MAINTAINER = "acme/widget", "widget-bot", "mia"
SECRET = "It's a Secret to Everybody"
TARGETS = ("release/2.0", "release/1.9", "release/1.8", "release/1.7")
FIRST = 101
_CONFIG = f"""repository: {REPOSITORY}
branches: ["release/*"]
prove:
  device: cpu
  tests: {{paths: ["*.check"], command: ["{{python}}", "{{files}}"]}}
publish: {{on_conflict: draft, copy_labels: ["*"], assignees: [author], reviewers: [merger]}}
"""
# Serves until it is killed. It is forked off a process that has imported everything, which takes longer than the work.
_ZYGOTE = """
import os, sys, time
from functools import partial
from pathlib import Path
import bot.server.run, bot.server.take_step, bot.handlers.backport, bot.proof.prove_trees
from bot.environment.signing import SigningKey
from bot.github.connection_settings import ConnectionSettings
from bot.pipeline.open_context import open_configured_repository
from bot.server.repositories import RepositorySource
from bot.server.service import ServiceSettings, running_service
config, data, api_url, token, secret, database, port = sys.argv[1:]
for line in sys.stdin:
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
        continue
    os.close(0)
    os.setsid()
    settings = ConnectionSettings(api_url, Path(data))
    key = SigningKey.derive(secret)
    open_context = partial(open_configured_repository, Path(config), settings, token, signing_key=key)
    service = ServiceSettings(
        directory=Path(data), secrets=[secret], database=database, port=int(port), reads_github=False
    )
    source = RepositorySource(open=lambda _served: open_context(), names=["acme/widget"])
    with running_service(source, service):
        while True:
            time.sleep(60)
"""


def _text(rewritten: int, size: str, number: int) -> str:
    old_lines = [f"old line {line} of table {number}\n" for line in range(30)]
    new_lines = [f"rewritten {line} for {number}\n" for line in range(30)]
    return "".join([*new_lines[:rewritten], *old_lines[rewritten:], f"size = {size}\n", *old_lines[20:]])


def _check(number: int) -> str:
    return (
        "import pathlib\n"
        f"files = [pathlib.Path(name) for name in ('w/old{number}.py', 'w/table{number}.py')]\n"
        "(file,) = [file for file in files if file.exists()]\n"
        "assert 'size = slots * width' in file.read_text()\n"
    )


def write_history(directory: Path, originals: int) -> dict[int, str]:
    """Make the checkout whose history is drawn above; returns the commit of each original."""
    numbers = range(FIRST, FIRST + originals)
    git(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, "Begin", {f"w/old{number}.py": _text(0, "slots", number) for number in numbers})
    versions: dict[str, Callable[[int], str | None]] = {
        "release/1.7": lambda _number: None,
        "release/1.8": lambda number: _text(0, "five * slots + 7", number),
        "release/1.9": lambda _number: None,
        "release/2.0": lambda number: _text(13, "slots", number),
    }
    for name, version in versions.items():
        git(directory, "checkout", "--quiet", "-b", name, "main")
        texts = {f"w/old{number}.py": text for number in numbers if (text := version(number)) is not None}
        commit(directory, f"Begin {name}", {"VERSION": f"{name}\n", **texts})
        git(directory, "checkout", "--quiet", "main")
    for number in numbers:
        git(directory, "mv", f"w/old{number}.py", f"w/table{number}.py")
    commit(directory, "Rewrite the tables", {f"w/table{number}.py": _text(26, "slots", number) for number in numbers})
    commits = {}
    for number in numbers:
        files = {f"w/table{number}.py": _text(26, "slots * width", number), f"checks/t{number}.check": _check(number)}
        commit(directory, f"Size table {number} (#{number})", files)
        commits[number] = git(directory, "rev-parse", "HEAD")
    return commits


@dataclass
class KillSwitch:
    """An ASGI layer that counts the bot's requests, and kills at one: before its effect, or after it, unanswered."""

    app: ASGIApp
    is_bot: Callable[[str], bool]
    kill: Callable[[], None] = lambda: None
    count: int = 0
    at: int | None = None
    before: bool = False
    only_effects: bool = False
    ending: str = ""
    struck: str = ""
    log: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, at: int | None, *, before: bool = False, only_effects: bool = False, ending: str = "") -> None:
        """Kill at the bot's request of this number from now on, or at none. `ending` counts paths that end so."""
        with self.lock:
            self.count, self.at, self.before, self.struck = 0, at, before, ""
            self.only_effects, self.ending, self.log = only_effects, ending, []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or not self.is_bot(dict(scope["headers"]).get(b"authorization", b"").decode()):
            await self.app(scope, receive, send)
            return
        name = f"{scope['method']} {re.sub('[0-9]+', 'N', scope['path'])}"
        is_effect = scope["method"] not in ("GET", "HEAD") and not name.endswith(("upload-pack", "graphql"))
        with self.lock:
            if (is_effect or not self.only_effects) and scope["path"].endswith(self.ending):
                self.count += 1
                self.log.append(name)
                strikes = self.count == self.at
            else:
                strikes = False
            if strikes:
                self.struck = f"{'before' if self.before else 'after'} {name}"
        if not strikes:
            await self.app(scope, receive, send)
        elif self.before:
            self.kill()
        else:
            await self.app(scope, receive, _discard)
            self.kill()


async def _discard(_message: Message) -> None:
    return


class KillLab:
    """The GitHub, its originals, and the service, which `serving` starts as often as it was killed."""

    def __init__(self, directory: Path, originals: int, database_url: str) -> None:
        (directory / "checkout").mkdir(parents=True)
        commits = write_history(directory / "checkout", originals)
        self.git_dir = directory / "widget.git"
        shutil.copytree(directory / "checkout/.git", self.git_dir)
        git(self.git_dir, "config", "core.bare", "true")
        self.fake_github = FakeGitHub.start(directory / "github")
        self.tokens = {login: self.fake_github.add_user(login) for login in (MAINTAINER, "ann")}
        self.tokens[BOT] = self.fake_github.add_user(BOT, type="Bot")
        self.fake_github.create_repository(REPOSITORY, self.git_dir)
        for login in self.tokens:
            self.fake_github.grant(REPOSITORY, login, "write")
        for number, sha in commits.items():
            self.fake_github.seed_pull_request(
                REPOSITORY, number=number, title=f"Size table {number}", author="ann", head=f"topic-{number}",
                merged_by=MAINTAINER, merge_commit_sha=sha, labels=["bug", "area/io"],
            )  # fmt: skip
        self.database = Database(database_url)
        injector = self.fake_github._fault_injector
        self.switch = KillSwitch(injector._app, self._is_bot, self.kill)
        injector._app = self.switch
        (directory / "backport.yaml").write_text(_CONFIG)
        (directory / "data").mkdir()
        self._port = _free_port()
        self._arguments = [
            str(directory / "backport.yaml"), str(directory / "data"), self.fake_github.api_url, self.tokens[BOT],
            SECRET, database_url, str(self._port),
        ]  # fmt: skip
        self._zygote: subprocess.Popen[str] | None = None
        self._child = 0
        self._temporary = directory / "tmp"
        self._temporary.mkdir()

    def _is_bot(self, authorization: str) -> bool:
        kind, _, secret = authorization.partition(" ")
        if kind.lower() == "basic":
            secret = base64.b64decode(secret).decode().partition(":")[2]
        return secret == self.tokens[BOT]

    def close(self) -> None:
        """End everything."""
        self.switch.arm(None)
        self.kill()
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            for stream in (self._zygote.stdin, self._zygote.stdout):
                if stream is not None:
                    stream.close()
        self.fake_github.stop()
        self.database.close()

    # --- the service

    def start(self) -> None:
        """Start the service; returns at once."""
        if self._zygote is None:
            self._zygote = subprocess.Popen(
                [sys.executable, "-c", _ZYGOTE, *self._arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
                env={**os.environ, "TMPDIR": str(self._temporary)},
            )  # fmt: skip
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write("start\n")
        self._zygote.stdin.flush()
        self._child = int(self._zygote.stdout.readline())

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill the service as it is."""
        child, self._child = self._child, 0
        if child:
            os.kill(child, number)

    def wait_for_its_end(self) -> None:
        """Wait until the killed process is gone."""
        assert self._zygote is not None
        assert self._zygote.stdout is not None
        assert self._zygote.stdout.readline() == "ended\n"

    @property
    def is_serving(self) -> bool:
        """Whether nobody has killed the service."""
        return self._child != 0

    def deliver(self, number: int, comment_id: int, body: str) -> None:
        """Tell the service of a comment, as GitHub's webhook does."""
        raw = _comment_delivery(number, comment_id, body)
        headers = {"X-GitHub-Delivery": str(comment_id), "X-GitHub-Event": "issue_comment"}
        headers["X-Hub-Signature-256"] = signature_of(SECRET, raw)
        for _ in range(600):
            try:
                answer = requests.post(f"http://127.0.0.1:{self._port}/webhook", data=raw, headers=headers, timeout=60)
            except requests.ConnectionError:
                threading.Event().wait(0.05)  # it is still starting
                continue
            assert answer.status_code in (200, 202), answer.text
            return
        raise AssertionError("the service did not come up")

    def is_idle(self) -> bool:
        """Say whether everything that was asked for has ended."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM backport_delivery WHERE ended_at IS NULL), "
                "(SELECT count(*) FROM backport_request WHERE ended_at IS NULL), "
                "(SELECT count(*) FROM procrastinate_jobs)"
            ).fetchone()
        return row == (0, 0, 0)

    def serve(
        self,
        number: int,
        targets: Sequence[str] = TARGETS,
        *,
        at: int | None,
        before: bool = False,
        only_effects: bool = False,
        ending: str = "",
    ) -> str:
        """Ask for an original on these branches, kill once at that request, start again, and wait for the end.

        Returns what the kill struck; empty if there were fewer requests. `only_effects` counts only those that change
        something, and `ending` only those whose path ends so.
        """
        self.switch.arm(at, before=before, only_effects=only_effects, ending=ending)
        if not self.is_serving:
            self.start()
        body = f"/backport {' '.join(targets)}"
        comment = self.api("POST", f"/issues/{number}/comments", json={"body": body})
        self.deliver(number, comment["id"], body)
        for _ in range(6000):
            if not self.is_serving:
                self.wait_for_its_end()
                self.start()
            if self.is_idle():
                return self.switch.struck
            threading.Event().wait(0.05)
        raise AssertionError(f"#{number} did not end after a kill {self.switch.struck}: {self._left()}")

    def _left(self) -> object:
        with self.database.transaction() as connection:
            return connection.execute("SELECT * FROM procrastinate_jobs").fetchall()

    # --- what became of it

    def api(self, method: str, path: str, *, login: str = MAINTAINER, **options: Any) -> Any:
        """Ask the GitHub as a person."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        url = f"{self.fake_github.api_url}/repos/{REPOSITORY}{path}"
        answer = requests.request(method, url, headers=headers, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    def state(self, number: int) -> dict[str, Any]:
        """Return all that is there of an original, without the numbers and commits that differ from run to run."""
        comments = self.api("GET", f"/issues/{number}/comments?per_page=100")
        asked = [comment for comment in comments if comment["user"]["login"] != BOT]
        head = self.api("GET", f"/pulls/{number}")["head"]["sha"]
        pulls = [pull for page in (1, 2, 3, 4, 5) for pull in self._pulls(page)]
        return {
            "comments": [_neutral(comment["body"], number) for comment in comments if comment["user"]["login"] == BOT],
            "reactions": [
                sorted(
                    reaction["content"] for reaction in self.api("GET", f"/issues/comments/{comment['id']}/reactions")
                )
                for comment in asked
            ],
            "checks": self._checks(head),
            "backports": {
                target: [self._backport(pull, number) for pull in pulls if _is_backport(pull, number, target)]
                for target in TARGETS
            },
            "branches": sorted(
                line.replace(str(number), "N")
                for line in git(self.git_dir, "for-each-ref", "--format=%(refname)", "refs/heads/backport").splitlines()
                if str(number) in line
            ),
        }

    def _pulls(self, page: int) -> list[dict[str, Any]]:
        pulls: list[dict[str, Any]] = self.api("GET", f"/pulls?state=all&per_page=100&page={page}")
        return pulls

    def _checks(self, sha: str) -> list[tuple[str, str]]:
        runs = self.api("GET", f"/commits/{sha}/check-runs?per_page=100")["check_runs"]
        return sorted((run["name"], run["conclusion"]) for run in runs)

    def _backport(self, pull: Mapping[str, Any], number: int) -> dict[str, Any]:
        whole = self.api("GET", f"/pulls/{pull['number']}")
        return {
            "title": _neutral(whole["title"], number),
            "body": _neutral(whole["body"], number),
            "draft": whole["draft"],
            "state": whole["state"],
            "labels": sorted(label["name"] for label in whole["labels"]),
            "assignees": sorted(person["login"] for person in whole["assignees"]),
            "reviewers": sorted(person["login"] for person in whole["requested_reviewers"]),
            "checks": self._checks(whole["head"]["sha"]),
            "change": _neutral(git(self.git_dir, "diff", f"{whole['base']['ref']}...{whole['head']['sha']}"), number),
        }


def _is_backport(pull: Mapping[str, Any], number: int, target: str) -> bool:
    return pull["base"]["ref"] == target and re.search(rf"\b{number}\b", pull["head"]["ref"]) is not None


_CHANGING = (
    (r"\b[0-9a-f]{40}\b", "SHA"),
    (r"\b[0-9a-f]{12}\b", "SHA"),
    (r"\b[0-9a-f]{7,10}\b", "SHA"),
    (r"(#|/pull/|comment[-:]|issuecomment-)[0-9]+(-[0-9]+)?", r"\1N"),
    (r"\b[0-9.]+ s\b", "T s"),
    (r"backport-command-[\w\\]+", "FOLDER"),
    (r"signature=\S+|:[0-9a-f]{64}", "SIGNATURE"),
)


def _neutral(text: str, number: int) -> str:
    text = re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", text.replace("\r\n", "\n"))
    text = re.sub(rf"(\b|old|table|t){number}\b", r"\1N", text)
    for pattern, replacement in _CHANGING:
        text = re.sub(pattern, replacement, text)
    return text


def _comment_delivery(number: int, comment_id: int, body: str) -> bytes:
    payload = {
        "action": "created",
        "repository": {"full_name": REPOSITORY},
        "issue": {"number": number, "pull_request": {"url": "x"}},
        "comment": {"id": comment_id, "user": {"login": MAINTAINER, "type": "User"}, "body": body},
    }
    return json.dumps(payload).encode()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def kill_lab(directory: Path, originals: int, database_url: str) -> Iterator[KillLab]:
    """Make a lab, and end everything of it afterwards."""
    lab = KillLab(directory, originals, database_url)
    try:
        yield lab
    finally:
        lab.close()
