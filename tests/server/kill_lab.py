"""A GitHub, and processes of the service that are killed there at any request they make, or at any record."""

from __future__ import annotations

import base64
import json
import re
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.fake_github import FakeGitHub
from bot.server.database import Database
from bot.server.webhooks import signature_of
from tests.pipeline.office import git
from tests.server.lab_history import FIRST, TARGETS, write_history
from tests.server.lab_process import ServedProcess, Zygote
from tests.server.lab_state import State, StateReader

REPOSITORY, BOT, MAINTAINER = "acme/widget", "widget-bot", "mia"
SECRET = "It's a Secret to Everybody"
CONFIG = f"""repository: {REPOSITORY}
branches: ["release/*"]
prove:
  device: cpu
  tests: {{paths: ["*.check"], command: ["{{python}}", "{{files}}"]}}
publish: {{on_conflict: draft, copy_labels: ["*"], assignees: [author], reviewers: [merger]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strikes:
    """When to kill: at the bot's request number `first`, then after each `stride` more, up to `most` times in all.

    `before` its effect, or else after it and unanswered. `only_effects` counts only requests that change something, and
    `ending` only those whose path ends so. `group`: also the processes of git that were started. `stops`: it is not
    killed but stopped, and its request is answered when it goes on.
    """

    first: int
    stride: int = 1
    most: int = 1
    before: bool = False
    only_effects: bool = False
    ending: str = ""
    group: bool = False
    stops: bool = False

    def strikes(self, count: int) -> bool:
        """Say whether the request of a number is struck."""
        turn, rest = divmod(count - self.first, self.stride)
        return 0 <= turn < self.most and rest == 0


@dataclass
class KillSwitch:
    """An ASGI layer that counts the bot's requests, and kills whoever makes one that is to be struck."""

    app: ASGIApp
    process_of: Callable[[str], ServedProcess | None]
    plan: Strikes | None = None
    count: int = 0
    struck: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: ServedProcess | None = None

    def arm(self, plan: Strikes | None) -> None:
        """Begin to count."""
        with self.lock:
            self.plan, self.count, self.struck, self.log = plan, 0, [], []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        process = None
        if scope["type"] == "http":
            process = self.process_of(dict(scope["headers"]).get(b"authorization", b"").decode())
        plan = self.plan
        if process is None or plan is None or not self._is_struck(scope, plan):
            await self.app(scope, receive, send)
            return
        if plan.stops:
            process.send(signal.SIGSTOP, group=plan.group)
            self.stopped = process
            await self.app(scope, receive, send)
            return
        if not plan.before:
            await self.app(scope, receive, _discard)
        process.kill(group=plan.group)

    def _is_struck(self, scope: Scope, plan: Strikes) -> bool:
        name = f"{scope['method']} {re.sub('[0-9]+', 'N', scope['path'])}"
        is_effect = scope["method"] not in ("GET", "HEAD") and not name.endswith(("upload-pack", "graphql"))
        if (plan.only_effects and not is_effect) or not scope["path"].endswith(plan.ending):
            return False
        with self.lock:
            self.count += 1
            self.log.append(name)
            strikes = plan.strikes(self.count)
            if strikes:
                self.struck.append(f"{'before' if plan.before else 'after'} {name}")
        return strikes


async def _discard(_message: Message) -> None:
    return


class KillLab:
    """The GitHub, its originals, and the processes of the service, which start again as often as they were killed."""

    def __init__(self, directory: Path, originals: int, database_url: str, *, processes: int = 1) -> None:
        (directory / "checkout").mkdir(parents=True)
        commits = write_history(directory / "checkout", originals)
        self.git_dir = directory / "widget.git"
        shutil.copytree(directory / "checkout/.git", self.git_dir)
        git(self.git_dir, "config", "core.bare", "true")
        self.fake_github = FakeGitHub.start(directory / "github")
        self._seed(commits)
        self.database = Database(database_url)
        injector = self.fake_github._fault_injector
        self.switch = KillSwitch(injector._app, self._process_of)
        injector._app = self.switch
        self.reader = StateReader(self.api, self.git_dir, BOT)
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        (directory / "backport.yaml").write_text(CONFIG)
        self._zygote = Zygote(self.temporary)
        order = {
            "config": str(directory / "backport.yaml"), "api_url": self.fake_github.api_url, "secret": SECRET,
            "database": database_url, "overdue": 6.0 if processes > 1 else None,
        }  # fmt: skip
        self.data = [directory / f"data{index}" for index in range(processes)]
        for data in self.data:
            data.mkdir()
        self.processes = [
            ServedProcess(self._zygote, self.fake_github.add_token(BOT), _free_port(), {**order, "data": str(data)})
            for data in self.data
        ]
        self._fuses: Iterator[tuple[int, bool]] = iter(())
        self._starts = 0
        self._by_token = {process.token: process for process in self.processes}

    def _seed(self, commits: dict[int, str]) -> None:
        self.tokens = {login: self.fake_github.add_user(login) for login in (MAINTAINER, "ann")}
        self.fake_github.add_user(BOT, type="Bot")
        self.fake_github.create_repository(REPOSITORY, self.git_dir)
        for login in (MAINTAINER, "ann", BOT):
            self.fake_github.grant(REPOSITORY, login, "write")
        for number, sha in commits.items():
            self.fake_github.seed_pull_request(
                REPOSITORY, number=number, title=f"Size table {number}", author="ann", head=f"topic-{number}",
                merged_by=MAINTAINER, merge_commit_sha=sha, labels=["bug", "area/io"],
            )  # fmt: skip

    def _process_of(self, authorization: str) -> ServedProcess | None:
        kind, _, secret = authorization.partition(" ")
        if kind.lower() == "basic":
            secret = base64.b64decode(secret).decode().partition(":")[2]
        return self._by_token.get(secret)

    def close(self) -> None:
        """End everything."""
        self.switch.arm(None)
        self.go_on()
        for process in self.processes:
            process.kill()
        self._zygote.close()
        self.fake_github.stop()
        self.database.close()

    # --- the service

    def ask(self, number: int, targets: Sequence[str] = TARGETS) -> None:
        """Ask for an original on these branches, and tell one process of the service, as GitHub's webhook does."""
        body = f"/backport {' '.join(targets)}"
        comment = self.api("POST", f"/issues/{number}/comments", json={"body": body})
        self.deliver(number, comment["id"], body)

    def deliver(self, number: int, comment_id: int, body: str) -> None:
        """Tell the service of a comment; it may still be starting."""
        raw = comment_delivery(number, comment_id, body)
        headers = {"X-GitHub-Delivery": str(comment_id), "X-GitHub-Event": "issue_comment"}
        headers["X-Hub-Signature-256"] = signature_of(SECRET, raw)
        for _ in range(6000):
            process = self.processes[comment_id % len(self.processes)]
            self.start()
            try:
                answer = requests.post(
                    f"http://127.0.0.1:{process.port}/webhook", data=raw, headers=headers, timeout=60
                )
            except requests.ConnectionError:
                threading.Event().wait(0.05)
                continue
            assert answer.status_code in (200, 202), answer.text
            return
        raise AssertionError("the service did not come up")

    def start(self) -> None:
        """Start the processes that do not run, each with the next fuse."""
        for process in self.processes:
            if not process.is_running:
                process.start(next(self._fuses, None))
                self._starts += 1

    def go_on(self) -> bool:
        """Let a stopped process go on; False if none was stopped."""
        process, self.switch.stopped = self.switch.stopped, None
        if process is not None:
            process.send(signal.SIGCONT, group=True)
        return process is not None

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
        plan: Strikes | None = None,
        fuses: Iterator[tuple[int, bool]] | None = None,
    ) -> int:
        """Ask for an original on these branches, kill as planned, start again, and wait for the end.

        Returns how often a process was killed; `switch.struck` has the requests at which it was.
        """
        self.switch.arm(plan)
        if fuses is not None:
            for process in self.processes:
                process.kill()
            self._fuses = fuses
        self.start()
        starts = self._starts
        self.ask(number, targets)
        for _ in range(20000):
            self.start()
            if self.is_idle():
                self._fuses = iter(())
                return self._starts - starts
            threading.Event().wait(0.05)
        raise AssertionError(f"#{number} did not end after kills {self.switch.struck}: {self._left()}")

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

    def state(self, number: int) -> State:
        """See `StateReader.read`."""
        return self.reader.read(number)


def comment_delivery(number: int, comment_id: int, body: str) -> bytes:
    """Return the body of the delivery that tells of a comment."""
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
def kill_lab(directory: Path, originals: int, database_url: str, *, processes: int = 1) -> Iterator[KillLab]:
    """Make a lab, and end everything of it afterwards."""
    lab = KillLab(directory, originals, database_url, processes=processes)
    try:
        yield lab
    finally:
        lab.close()


__all__ = ["FIRST", "TARGETS", "KillLab", "State", "Strikes", "kill_lab"]
