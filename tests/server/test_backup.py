"""The commands of docs/service.md bring back from a dump what the service had in hand."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from bot.server.database import Database
from bot.server.deliveries import Deliveries
from bot.server.embedded_postgres import _programs
from bot.server.requests import Requests
from tests.conftest import empty_database
from tests.server.test_deliveries import new
from tests.server.test_requests import TARGETS, record, waiting

_PAGE = Path(__file__).parents[2] / "docs/service.md"


def test_a_dump_that_is_restored_has_what_was_in_hand(
    database: Database, deliveries: Deliveries, tmp_path: Path
) -> None:
    dump, restore = re.findall(r"^pg_(?:dump|restore) .*", _PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    with database.transaction() as connection:
        folder = _programs(str(connection.info.server_version // 10_000))
    variables = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "DATABASE": database.conninfo}
    record(Requests(database), TARGETS[:1])
    deliveries.accept(new())
    subprocess.run(["/bin/sh", "-c", dump], cwd=tmp_path, env=variables, check=True)
    database.close()
    empty_database(database.conninfo)
    subprocess.run(["/bin/sh", "-c", restore], cwd=tmp_path, env=variables, check=True)
    restored = Database(database.conninfo)
    try:
        assert (Deliveries(restored).count_open(), Requests(restored).count_open()) == (1, 1)
        assert waiting(restored) == ["run 1 pick 0"]
        Deliveries(restored).accept(new("comment 2"))  # the numbers go on
    finally:
        restored.close()
