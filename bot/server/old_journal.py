"""Takes over the deliveries that an earlier version kept in a file, once: `deliveries.sqlite` in the data folder."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.commands.triggers import parse_delivery
from bot.server.deliveries import Deliveries, NewDelivery
from bot.server.delivery_keys import work_key
from bot.server.payload import repository_id

log = logging.getLogger(__name__)

_NAME = "deliveries.sqlite"


def take_over_journal(directory: Path, deliveries: Deliveries, *, own_login: str | None = None) -> None:
    """Record what waits in the file, and which work is done; then give the file another name. Without a file: nothing.

    A file that cannot be read is left where it is, and the log says so; `reconcile` serves what was waiting in it.
    """
    path = directory / _NAME
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as journal:
            _take_over(journal, deliveries, own_login)
    except (sqlite3.Error, ValueError) as error:
        log.warning("The old journal %s cannot be read (%s). What waits in it is read from GitHub.", path, error)
        return
    for end in ("", "-wal", "-shm"):
        file = path.with_name(_NAME + end)
        if file.exists():
            file.rename(path.with_name(f"{_NAME}.taken-over{end}"))


def _take_over(journal: sqlite3.Connection, deliveries: Deliveries, own_login: str | None) -> None:
    columns = {row[1] for row in journal.execute("PRAGMA table_info(delivery)")}
    if "key" in columns:
        deliveries.note_done(key for (key,) in journal.execute("SELECT key FROM delivery WHERE state = 'done'") if key)
    rows = journal.execute("SELECT id, event, payload FROM delivery WHERE state = 'waiting' ORDER BY position")
    for name, event, text in rows:
        payload = json.loads(text)
        trigger = parse_delivery(event, payload, own_login=own_login)
        if trigger is not None:
            key = work_key(trigger, payload)
            deliveries.accept(NewDelivery(name=name, key=key, trigger=trigger, repository_id=repository_id(payload)))
