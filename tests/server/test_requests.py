"""When which step of a request can be taken, and what is kept of it, on a real PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.config import parse_config
from bot.errors import Unavailable
from bot.git.mirror import open_beside, open_mirror
from bot.github.rate_limits import Budget
from bot.models import Candidate, Failed, Sha, Target, Verdict
from bot.pipeline.request import BackportRequest
from bot.pipeline.run import RequestRun, Step
from bot.proof.inconclusive import inconclusive
from bot.server.database import Database
from bot.server.fence import Fence, Overtaken, fenced
from bot.server.operation import Figures
from bot.server.proof_queues import proof_place
from bot.server.repositories import Repositories, RepositorySource
from bot.server.requests import Requests
from bot.server.run_store import PostgresStore
from bot.server.served_repository import RepositoryRows, ServedRepository
from bot.server.take_step import RequestServer
from bot.server.worker import TryAgain
from tests.pipeline.conftest import history, office
from tests.pipeline.office import Office
from tests.pipeline.test_request import _request
from tests.pipeline.test_run_folder_records import CANDIDATE
from tests.server.serving import another

__all__ = ["history", "office"]

TARGETS = ("release/1.1", "release/1.2", "release/1.3")
REPOSITORY = "acme/widget"
FAILED = Failed(target="release/9", message="No such branch. \0 \udce9", hint="Look.")


@pytest.fixture
def requests(database: Database) -> Requests:
    return Requests(database)


def record(
    requests: Requests,
    targets: Sequence[str] = TARGETS,
    *,
    key: str = "comment-31-0",
    repository: str = REPOSITORY,
    ended: Sequence[Failed] = (),
) -> int:
    request: BackportRequest = _request(f"/backport {' '.join(targets)}", key=key)
    order = [Target.parse(name) for name in targets]
    number = requests.record(request, repository, 1, [*targets, *(outcome.target for outcome in ended)], order, ended)
    requests.begin(number, refused=False)
    return number


def waiting(database: Database, queue: str = "steps") -> list[str]:
    """Return the names of the jobs of a queue in the order in which they are taken."""
    statement = """
        SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %s
        ORDER BY priority DESC, id
    """
    with database.transaction() as connection:
        return [row[0] for row in connection.execute(statement, (queue,)).fetchall()]


def advance(requests: Requests, database: Database, run: int, step: Step | None, **changes: Any) -> None:
    """Record that a step was taken, and drop its job."""
    row = requests.find_run(run)
    assert row is not None
    with database.transaction() as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE queueing_lock LIKE %s", (f"run {run} %",))
        requests.advance(connection, row, step, changes)


def test_picks_follow_each_other_while_proofs_wait_for_their_device(database: Database, requests: Requests) -> None:
    record(requests)
    assert waiting(database) == ["run 1 pick 0"]
    advance(requests, database, 1, Step.PROVE, prove_queue="remote-proofs")
    assert (waiting(database), waiting(database, "remote-proofs")) == (["run 2 pick 0"], ["run 1 prove 0"])
    advance(requests, database, 2, Step.PROVE, prove_queue="local-proofs")
    assert (waiting(database), waiting(database, "local-proofs")) == (["run 3 pick 0"], ["run 2 prove 0"])


ON_CPU = "repository: acme/widget\nprove: {device: cpu}\n"
DEVICES = """
repository: acme/widget
prove:
  runner: github-actions
  devices: [{name: gfx942, labels: [mi325]}, {name: gfx950, labels: [mi355]}]
"""


def test_a_proof_waits_for_the_labels_of_its_runners_in_few_places_for_each_repository(
    database: Database, requests: Requests
) -> None:
    config = parse_config(DEVICES)
    places = [proof_place(config.prove), proof_place(parse_config(ON_CPU).prove)]
    assert places == ['remote-proofs [["mi325"], ["mi355"]]', "local-proofs-cpu"]
    for number in range(6):
        record(requests, TARGETS[:1], key=f"comment-{number}-0")
        advance(requests, database, number + 1, Step.PROVE, prove_queue=places[0])
    with database.transaction() as connection:
        statement = "SELECT count(*), count(DISTINCT lock) FROM procrastinate_jobs WHERE queue_name = 'remote-proofs'"
        assert connection.execute(statement).fetchone() == (6, 4)


def test_what_was_made_from_a_sibling_is_published_after_it(database: Database, requests: Requests) -> None:
    record(requests, TARGETS[:2])
    advance(requests, database, 1, Step.PROVE)
    advance(requests, database, 2, Step.PUBLISH, waits_for=[0])
    assert waiting(database) == []
    advance(requests, database, 1, Step.PUBLISH)
    assert waiting(database) == ["run 1 publish 0"]
    advance(requests, database, 1, None)
    assert waiting(database) == ["run 2 publish 0"]


def test_a_branch_that_moved_is_picked_again_under_another_name(database: Database, requests: Requests) -> None:
    record(requests, TARGETS[:1])
    advance(requests, database, 1, Step.PUBLISH)
    advance(requests, database, 1, Step.PICK)
    assert waiting(database) == ["run 1 pick 1"]


def test_a_request_is_recorded_once_and_shown_again_if_it_is_asked_for_after_its_end(
    database: Database, requests: Requests
) -> None:
    number = record(requests, TARGETS[:1])
    assert record(requests, TARGETS[:1]) == number
    assert (waiting(database), requests.count_open()) == (["run 1 pick 0"], 1)
    advance(requests, database, 1, None)
    with database.transaction() as connection:
        requests.note_shown(connection, number, TARGETS)
        requests.end(connection, number)
        connection.execute("DELETE FROM procrastinate_jobs")
    assert record(requests, TARGETS[:1]) == number
    assert (waiting(database), waiting(database, "comments")) == ([], ["show-request 1"])
    assert [run.shown for run in requests.load(number)[1]] == [False]


def test_repositories_take_turns(database: Database, requests: Requests) -> None:
    for number in range(3):
        record(requests, TARGETS[:1], key=f"comment-{number}-0")
    record(requests, TARGETS[:1], repository="acme/other")
    assert waiting(database) == ["run 1 pick 0", "run 4 pick 0", "run 2 pick 0", "run 3 pick 0"]


def test_jobs_that_were_lost_are_deferred_again_but_not_beside_one_that_runs(
    database: Database, requests: Requests
) -> None:
    record(requests, TARGETS[:1])
    record(requests, TARGETS[:1], key="comment-32-0")
    with database.transaction() as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE queueing_lock = 'run 1 pick 0'")
        connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
    for _ in range(2):
        requests.defer_lost()
        assert waiting(database) == ["run 2 pick 0"]


@pytest.mark.parametrize("value", [CANDIDATE, replace(FAILED, target="release/1.1")], ids=["candidate", "failed"])
def test_the_result_of_a_step_comes_back_as_what_it_was(
    database: Database, requests: Requests, value: Candidate | Failed
) -> None:
    number = record(requests, TARGETS[:1], ended=[FAILED])
    store, target = PostgresStore(database, number, Fence(database, "x")), Target.parse(TARGETS[0])
    assert (store.decision(target), store.pick(target), store.verdict(target, CANDIDATE)) == (None, None, None)
    store.keep_pick(target, value)
    assert store.pick(target) == (
        value if isinstance(value, Candidate) else replace(value, message="No such branch. \0 \ufffd")
    )
    assert store.decision(Target.parse(FAILED.target)) == replace(FAILED, message="No such branch. \0 \ufffd")


def test_a_verdict_is_about_one_commit(database: Database, requests: Requests) -> None:
    number = record(requests, TARGETS[:1])
    store, target = PostgresStore(database, number, Fence(database, "x")), Target.parse(TARGETS[0])
    verdict: Verdict = inconclusive("There was no device.")
    store.keep_verdict(target, CANDIDATE, verdict)
    assert store.verdict(target, CANDIDATE) == verdict
    assert store.verdict(target, replace(CANDIDATE, commit=Sha("c" * 40))) is None


def test_who_was_overtaken_records_nothing_and_changes_nothing(
    database: Database, requests: Requests, office: Office
) -> None:
    """Another process takes the branch while this one sleeps in the middle of its step."""
    number = record(requests, TARGETS[:1])
    target = Target.parse(TARGETS[0])
    slow = Fence(database, "run 1", "branch")
    store = PostgresStore(database, number, slow)
    with (
        another(office.context) as context,
        open_beside(context.mirror, "fork", context.mirror.connection.url, token="") as fork,
        fenced(replace(context, fork=fork), slow) as fenced_context,
    ):
        assert fenced_context.github.pull_request(7).number == 7
        assert fenced_context.mirror.branches()
        Fence(database, "branch")
        for effect in (
            lambda: store.keep_decision(target, replace(FAILED, target=TARGETS[0])),
            lambda: fenced_context.github.react(1, "eyes"),
            fenced_context.mirror.branches,
            fenced_context.heads.branches,
            slow.check,
        ):
            with pytest.raises(Overtaken):
                effect()
    assert store.decision(target) is None


@pytest.mark.parametrize("fault", [None, 502])
def test_who_was_overtaken_in_the_middle_of_a_call_sends_no_further_request(
    database: Database, office: Office, monkeypatch: pytest.MonkeyPatch, fault: int | None
) -> None:
    """Another process takes the work while this one looks for its comment, and before it looks again after a fault."""
    injector, slow = office.fake_github._fault_injector, Fence(database, "branch")
    paths: list[str] = []
    app = injector._app

    async def overtake(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        Fence(database, "branch")
        await (app if fault is None else Response(status_code=fault))(scope, receive, send)

    with another(office.context) as context, fenced(context, slow):
        monkeypatch.setattr(injector, "_app", overtake)
        with pytest.raises(Overtaken):
            context.github.write_comment(7, "<!-- mine --> planned", marker="<!-- mine -->")
        monkeypatch.undo()
    assert len(paths) == 1


def test_a_sibling_that_another_machine_made_is_brought_before_the_pick(
    database: Database, requests: Requests, office: Office, tmp_path: Path
) -> None:
    number, names = record(requests, TARGETS[:2]), [Target.parse(name) for name in TARGETS[:2]]
    store, original = PostgresStore(database, number, Fence(database, "x")), office.context.github.pull_request(7)
    about = {"original": original, "commits": (original.merge_commit,)}
    request = requests.load(number)[0].request.model_copy(update=about)
    RequestRun(request, store, comes_back=True).take(Step.PICK, names[0], office.context, rounds=0)
    sibling = store.pick(names[0])
    assert isinstance(sibling, Candidate)
    url = office.context.mirror.connection.url
    with another(office.context) as context, open_mirror(url, tmp_path / "other-machine.git", token="") as mirror:
        run = RequestRun(request, store, comes_back=True)
        run.remember(names[:1])
        elsewhere = replace(context, pick=replace(context.pick, mirror=mirror))
        run.take(Step.PICK, names[1], elsewhere, rounds=0)
        assert mirror.contains(sibling.commit)


def _server(database: Database, requests: Requests, names: Sequence[str] = (REPOSITORY,)) -> RequestServer:
    def open_repository(_served: ServedRepository) -> Any:
        raise Unavailable("GitHub answered 502.", hint="Try again.")

    RepositoryRows(database).keep(ServedRepository(id=1, name=REPOSITORY))
    repositories = Repositories(database, RepositorySource(open=open_repository, names=names))
    return RequestServer(database, requests, repositories, Figures(database), lambda _results: None)


def test_a_step_waits_for_github_a_day_and_then_ends_its_branch(database: Database, requests: Requests) -> None:
    number = record(requests, TARGETS[:1])
    take, _ = _server(database, requests).tasks()
    arguments = {"run": 1, "step": "pick", "rounds": 0, "repository": REPOSITORY}
    with pytest.raises(TryAgain):
        take.run(0, **arguments)
    with database.transaction() as connection:
        connection.execute("UPDATE backport_request SET recorded_at = now() - interval '25 hours'")
    take.run(0, **arguments)
    (run,) = requests.load(number)[1]
    assert run.step is None
    outcome = PostgresStore(database, number, Fence(database, "x")).decision(Target.parse(TARGETS[0]))
    assert isinstance(outcome, Failed)
    assert outcome.message == "GitHub answered 502."


def test_a_request_of_a_repository_that_is_not_served_any_more_ends_after_a_day(
    database: Database, requests: Requests
) -> None:
    number = record(requests, TARGETS[:1])
    take, show = _server(database, requests, names=()).tasks()
    with pytest.raises(TryAgain):
        show.run(0, request=number)
    with database.transaction() as connection:
        connection.execute("UPDATE backport_request SET recorded_at = now() - interval '25 hours'")
    take.run(0, run=1, step="pick", rounds=0, repository=REPOSITORY)
    show.run(0, request=number)
    assert requests.count_open() == 0


def test_a_step_that_kills_its_process_again_and_again_ends_its_branch(database: Database, requests: Requests) -> None:
    number = record(requests, TARGETS[:1])
    take, _ = _server(database, requests).tasks()
    arguments = {"run": 1, "step": "pick", "rounds": 0, "repository": REPOSITORY}
    for _ in range(9):
        Fence(database, "run 1").__enter__()  # as a process that is killed leaves it
    with pytest.raises(TryAgain):  # GitHub does not answer, which is an end of its own
        take.run(0, **arguments)
    for _ in range(10):
        assert PostgresStore(database, number, Fence(database, "x")).decision(Target.parse(TARGETS[0])) is None
        Fence(database, "run 1").__enter__()
    take.run(0, **arguments)
    outcome = PostgresStore(database, number, Fence(database, "x")).decision(Target.parse(TARGETS[0]))
    assert isinstance(outcome, Failed)
    assert "ended 10 times" in outcome.message


def test_a_step_that_was_taken_meanwhile_is_not_taken_again(database: Database, requests: Requests) -> None:
    record(requests, TARGETS[:1])
    advance(requests, database, 1, Step.PUBLISH)
    take, _ = _server(database, requests).tasks()
    take.run(0, run=1, step="pick", rounds=0, repository=REPOSITORY)


def test_a_step_for_which_too_little_is_left_of_the_limit_waits_and_the_comment_says_until_when(
    database: Database, requests: Requests
) -> None:
    record(requests, TARGETS[:1])
    server = _server(database, requests)
    reset = int(time.time()) + 1800
    budget = Budget(api="rest", left=10, limit=5000, reset=reset)
    server._repositories.budgets.note("token", REPOSITORY, 1, [budget])
    with database.transaction() as connection:
        connection.execute("DELETE FROM procrastinate_jobs WHERE queue_name = 'comments'")
    with pytest.raises(TryAgain) as caught:
        server.tasks()[0].run(0, run=1, step="pick", rounds=0, repository=REPOSITORY)
    assert int(caught.value.at.timestamp()) == reset
    assert waiting(database, "comments") == ["show-request 1"]
    assert server._repositories.pause(REPOSITORY) == datetime.fromtimestamp(reset, UTC)
