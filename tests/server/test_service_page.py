"""The commands of docs/service.md do what the page says of them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bot.environment import credentials
from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.embedded_postgres import _programs
from bot.server.requests import Requests
from tests.conftest import empty_database
from tests.server.test_deliveries import new
from tests.server.test_requests import TARGETS, record, waiting

_PAGE = (Path(__file__).parents[2] / "docs/service.md").read_text(encoding="utf-8")


def commands(first_word: str) -> str:
    """Return the block of the page that begins with this word."""
    (block,) = re.findall(rf"^```sh\n({first_word} .*?)```", _PAGE, re.DOTALL | re.MULTILINE)
    return str(block)


def run(script: str, folder: Path, variables: Mapping[str, str], stdin: str = "") -> None:
    # Without a terminal, createuser reads the password from its standard input.
    words = ["/bin/sh", "-ec", script]
    subprocess.run(words, cwd=folder, env={**os.environ, **variables}, input=stdin, text=True, check=True,
                   start_new_session=True)  # fmt: skip


@pytest.fixture
def programs(database: Database) -> dict[str, str]:
    """Return the variables with which PostgreSQL's own programs reach the server of the tests."""
    with database.transaction() as connection:
        folder = _programs(str(connection.info.server_version // 10_000))
        info = connection.info
        place = {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user}
    return {**place, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_the_secrets_file_is_read_by_the_service_alone(tmp_path: Path) -> None:
    script = commands("install").replace("/etc/", f"{tmp_path}/").replace("-o root ", "")
    (tmp_path / "app.env").write_text("BACKPORT_BOT_APP_ID=1\n")
    run(script, tmp_path, {})
    file = tmp_path / "backport-bot.env"
    assert file.stat().st_mode & 0o777 == 0o600
    line, signing = file.read_text().splitlines()
    assert line == "BACKPORT_BOT_APP_ID=1"
    assert re.fullmatch(rf"{credentials.SIGNING_SECRET}=[0-9a-f]{{64}}", signing)


def test_the_bot_makes_its_tables_in_a_database_of_its_own(
    database: Database, programs: dict[str, str], tmp_path: Path
) -> None:
    run(commands("createuser"), tmp_path, programs, stdin="password\npassword\n")
    conninfo = make_conninfo(database.conninfo, user="backport_bot", dbname="backport_bot", password="password")
    try:
        own = Database(conninfo)
        try:
            assert Deliveries(own).accept(new())
        finally:
            own.close()
    finally:
        run("dropdb backport_bot && dropuser backport_bot", tmp_path, programs)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo)


def test_a_dump_that_is_restored_has_what_was_in_hand(
    database: Database, deliveries: Deliveries, programs: dict[str, str], tmp_path: Path
) -> None:
    dump, restore = commands("pg_dump").splitlines()
    variables = {**programs, "DATABASE": database.conninfo}
    record(Requests(database), TARGETS[:1])
    deliveries.accept(new())
    run(dump, tmp_path, variables)
    database.close()
    empty_database(database.conninfo)
    run(restore, tmp_path, variables)
    restored = Database(database.conninfo)
    try:
        assert (Deliveries(restored).count_open(), Requests(restored).count_open()) == (1, 1)
        assert waiting(restored) == ["run 1 pick 0"]
        Deliveries(restored).accept(new("comment 2"))  # the numbers go on
    finally:
        restored.close()
