"""Fixtures that every test may use, and the order in which processes get the tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Playwright, sync_playwright

from bot.demo import releases
from bot.environment import credentials
from bot.server.database import Database
from bot.server.embedded_postgres import embedded_postgres

# A job in the background, or under nohup, begins with these ignored, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Hypothesis fails an example that takes 0.2 s, as any does on a busy machine.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first. One process runs a whole file, so a long one at the end would run alone."""
    long_files = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long_files)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave the imports alone: looking through them took a quarter of some tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def suites_without_plugins() -> None:
    """Let the suites that the bot runs start without the plugins of this environment: to import them takes a second."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


@pytest.fixture(scope="session")
def release_tree() -> Callable[[str], Path]:
    """Return the unpacked sources of a released sglang version; downloaded once, then cached."""
    return releases.source_tree


def chromium(playwright: Playwright) -> Browser:
    """Start the system's Chromium.

    Raises:
        FileNotFoundError: it is not on this machine.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        raise FileNotFoundError("Chromium is not on this machine")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return playwright.chromium.launch(executable_path=executable, args=arguments)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once."""
    with sync_playwright() as playwright:
        try:
            browser = chromium(playwright)
        except FileNotFoundError as error:
            pytest.skip(f"needs a browser: {error}")
        with browser:
            yield browser


@pytest.fixture(autouse=True)
def no_secret_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test begin as a process that has read no secret yet."""
    monkeypatch.setattr(credentials, "_taken", {})


# A machine that crashes takes the tests with it.
_CARELESS = ("-c fsync=off", "-c full_page_writes=off", "-c synchronous_commit=off")
# To make a new database takes ten times as long.
_EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'service' AND pid <> pg_backend_pid();
    TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers, backport_delivery, backport_fact,
        backport_request, backport_run, backport_fence, backport_log, backport_repository,
        backport_survey RESTART IDENTITY CASCADE
"""


@pytest.fixture(scope="session")
def service_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL with the tables of the service."""
    with embedded_postgres(tmp_path_factory.mktemp("postgres"), options=_CARELESS) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE service")
        address = psycopg.conninfo.make_conninfo(url, dbname="service")
        Database(address).close()
        yield address


@pytest.fixture
def database_url(service_database: str) -> str:
    """Return the address of a database of the service that is empty, and that nobody else uses."""
    empty_database(service_database)
    return service_database


def empty_database(address: str) -> None:
    """End what others do in a database of the service, and empty its tables."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_EMPTY)
