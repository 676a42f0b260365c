"""A service with pages: what it really did for one comment, and requests that hold hostile values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.config import parse_config
from bot.models import Candidate, Certainty, Failed, Method, Resolution, Sha, Target
from bot.server.database import Database
from bot.server.fence import Fence
from bot.server.pages.settings import PagesMode, PagesSettings
from bot.server.requests import Requests
from bot.server.run_store import PostgresStore
from bot.server.served_repository import RepositoryRows, ServedRepository
from bot.server.service import Service
from bot.server.surveys import SurveyRows
from tests.conftest import empty_database
from tests.pipeline.conftest import running_office
from tests.pipeline.office import REPOSITORY, Office, with_pick
from tests.pipeline.test_request import _request
from tests.report.conftest import Samples
from tests.server.serving import SECRET, serving
from tests.sync.states import branch, every_state, state_of, survey

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">'\"{{7*7}}\u202e"
PUBLIC = PagesSettings(mode=PagesMode.PUBLIC)
BRANCH = "release/x&'<b>" + "w" * 90


@dataclass
class Site:
    """A running service with its pages at `url`, beside the office that it serves. `hostile` is a run; 0 for none."""

    url: str
    office: Office
    service: Service
    hostile: int = 0

    @property
    def database(self) -> Database:
        return self.service.database

    def settle(self) -> None:
        """Wait until all that was asked for is done."""
        self.office.fake_github.wait_for_deliveries()
        assert self.service.wait_until_idle(300)


@contextmanager
def running_site(history: Path, directory: Path, address: str, pages: PagesSettings = PUBLIC) -> Iterator[Site]:
    """Serve the office with pages, and read what its stable branches lack."""
    empty_database(address)
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu}}\nsync: {{rules: [{{titles: ['*']}}]}}\n")
    with (
        running_office(history, directory) as office,
        serving(
            replace(office, context=with_pick(office.context, config=config)),
            directory / "data",
            address,
            reads_github=True,
            pages=pages,
        ) as service,
    ):
        office.fake_github.add_webhook(REPOSITORY, service.url, SECRET, ["issue_comment", "pull_request"])
        yield Site(service.url.removesuffix("/webhook"), office, service)


def record_survey(database: Database) -> str:
    """Record a reading of another repository, with each state and hostile values, and return the repository's name."""
    title = state_of(50, title=HOSTILE, reason=HOSTILE)
    named = replace(title, original=replace(title.original, author=HOSTILE, url="javascript:document.title='taken'"))
    branches = (branch(*every_state().originals, named), branch(state_of(3, branch=BRANCH), name=BRANCH))
    RepositoryRows(database).keep(ServedRepository(id=77, name="a/b"))
    SurveyRows(database).keep(77, survey(*branches), 123_456)
    return "a/b"


def record_hostile(database: Database, repository_id: int) -> int:
    """Record a request with hostile values that waits, and return the number of its first run."""
    requests = Requests(database)
    request = _request("/backport release/1.2", key="comment-77-0")
    original = replace(request.original, title=HOSTILE, url="javascript:document.title='taken'", number=9)
    request = request.model_copy(update={"original": original, "command": f"/backport {HOSTILE}", "requester": HOSTILE})
    ended = Failed(target=f"{BRANCH}-2", message=HOSTILE, hint=f"[x](javascript:alert(1)) {HOSTILE}")
    number = requests.record(
        request, REPOSITORY, repository_id, [BRANCH, ended.target], [Target.parse(BRANCH)], [ended]
    )
    store = PostgresStore(database, number, Fence(database, "hostile"))
    samples, target = Samples(), Target.parse(BRANCH)
    candidate = replace(_candidate(), branch=BRANCH)
    store.keep_pick(target, candidate)
    store.keep_verdict(target, candidate, samples.proven())
    with database.transaction() as connection:
        row = connection.execute(
            "UPDATE backport_run SET step = 'prove', difference = %s WHERE request = %s AND target = %s RETURNING id",
            (_DIFFERENCE, number, BRANCH),
        ).fetchone()
        assert row is not None
        connection.execute("INSERT INTO backport_log (run, step, line) VALUES (%s, 'pick', %s)", (row[0], HOSTILE))
    return int(row[0])


_DIFFERENCE = f"""diff --git a/widget/{HOSTILE} b/widget/{HOSTILE}
index 000..111 100644
--- a/widget/{HOSTILE}
+++ b/widget/{HOSTILE}
@@ -1,3 +1,4 @@ class Ring:
 unchanged
-{HOSTILE}
+{HOSTILE}
+{"x" * 400}
 {"y" * 200}
diff --git a/logo.png b/logo.png
index 000..111 100644
Binary files a/logo.png and b/logo.png differ
"""


def _candidate() -> Candidate:
    resolution = Resolution(
        path=f"widget/{HOSTILE}",
        base=HOSTILE.encode(),
        ours=None,
        theirs=b"<b>theirs</b>\n" * 3,
        result=b"z" * 300,
        rung="tokens",
        certainty=Certainty.PROPOSED,
        how=HOSTILE,
    )
    sample = Samples().candidate(BRANCH)
    return replace(sample, method=Method.RESOLVED, resolutions=(resolution,), commit=Sha("b" * 40))
