"""The database that `serve` starts by itself."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from bot.errors import ConfigError
from bot.server.embedded_postgres import embedded_postgres

_PROGRAM = """
import sys, psycopg
from pathlib import Path
from bot.server.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as url, psycopg.connect(url) as connection:
    print(connection.execute("SELECT 1").fetchone()[0])
"""


def _ask(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder in which the first start was cut off."""
    directory = tmp_path_factory.mktemp("data")
    (directory / "postgres").mkdir()
    (directory / "postgres" / "half").write_text("x")
    return directory


def test_it_is_shared_ends_with_its_last_user_and_keeps_what_it_holds(data: Path) -> None:
    with embedded_postgres(data) as url:
        _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")
        with psycopg.connect(url), embedded_postgres(data) as same:
            assert same == url
        assert _ask(url, "SELECT number FROM kept") == 7
        assert not stat.S_IMODE((data / "postgres").stat().st_mode) & 0o077
        assert _ask(url, "SHOW listen_addresses") == ""
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    with embedded_postgres(data) as url:
        assert _ask(url, "SELECT number FROM kept") == 7


def test_a_connection_that_is_not_gone_yet_does_not_keep_the_server_running(data: Path) -> None:
    """The server hears of a connection's end after the client."""
    with embedded_postgres(data) as url:
        connection = psycopg.connect(url)
    assert not (data / "postgres/postmaster.pid").exists()
    connection.close()


def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / "a-folder-with-a-long-name" / "b-folder-with-a-long-name" / "c-folder-with-a-long-name"
    deep.mkdir(parents=True)
    with embedded_postgres(deep) as url:
        folder = psycopg.conninfo.conninfo_to_dict(url)["host"]
        assert isinstance(folder, str)
        assert not stat.S_IMODE(Path(folder).stat().st_mode) & 0o077
        assert _ask(url, "SELECT 1") == 1
    assert not Path(folder).exists()


def test_files_of_a_version_that_is_not_installed_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigError, match=r"PostgreSQL 9 is not installed") as caught, embedded_postgres(tmp_path):
        pass
    assert "--database" in caught.value.hint
    assert (tmp_path / "postgres" / "PG_VERSION").exists()


def test_damaged_files_are_named_and_left_as_they_are(data: Path) -> None:
    control = data / "postgres/global/pg_control"
    whole = control.read_bytes()
    control.write_bytes(bytes(len(whole)))
    try:
        with pytest.raises(ConfigError, match="cannot be used") as caught, embedded_postgres(data):
            pass
        assert "server.log" in caught.value.hint
        assert control.read_bytes() == bytes(len(whole))
    finally:
        control.write_bytes(whole)


def test_a_server_that_outlived_its_process_is_used_again(data: Path) -> None:
    killed = f"import os, signal\n{_PROGRAM}    os.kill(os.getpid(), signal.SIGKILL)\n"
    process = subprocess.run([sys.executable, "-c", killed, data], check=False, cwd=Path(__file__).parents[2])
    assert process.returncode == -9
    number = (data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    with embedded_postgres(data):
        assert (data / "postgres" / "postmaster.pid").read_text().splitlines()[0] == number
    assert not (data / "postgres" / "postmaster.pid").exists()
