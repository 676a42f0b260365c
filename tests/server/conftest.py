"""The service's database, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.server.database import Database
from bot.server.deliveries import Deliveries


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Return a database that nobody has used yet."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    """Return its deliveries."""
    return Deliveries(database)
