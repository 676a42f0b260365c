"""The tables of the service in PostgreSQL, and how a database of an earlier version becomes one of this version.

The tables of procrastinate are in the same database. Its own migrations are applied in their order, each once:
https://procrastinate.readthedocs.io/en/stable/howto/production/migrations.html
"""

from __future__ import annotations

from importlib import resources
from typing import LiteralString

from procrastinate.schema import SchemaManager
from psycopg import Connection

from bot.errors import ConfigError

_LOCK = 0x6261636B
"""The number of the advisory lock that one process at a time holds to change the schema."""
# Each takes a database of the version before it to the next; `version` counts those that were run.
_MIGRATIONS: tuple[LiteralString, ...] = (
    """
    CREATE TABLE backport_delivery (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        key text NOT NULL UNIQUE,
        name text NOT NULL,
        trigger text,
        repository_id bigint,
        received_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        problem text NOT NULL DEFAULT ''
    );
    CREATE INDEX backport_delivery_open ON backport_delivery (id) WHERE ended_at IS NULL;
    CREATE TABLE backport_fact (name text PRIMARY KEY, value text NOT NULL);
    """,
    """
    CREATE TABLE backport_request (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        identity text NOT NULL UNIQUE,
        repository text NOT NULL,
        comment_id bigint,
        body text NOT NULL,
        refused boolean NOT NULL DEFAULT false,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        began_at timestamptz,
        ended_at timestamptz
    );
    CREATE INDEX backport_request_open ON backport_request (id) WHERE ended_at IS NULL;
    CREATE TABLE backport_run (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        request bigint NOT NULL REFERENCES backport_request ON DELETE CASCADE,
        target text NOT NULL,
        place int NOT NULL,
        position int NOT NULL,
        step text,
        rounds int NOT NULL DEFAULT 0,
        prove_queue text,
        waits_for int[] NOT NULL DEFAULT '{}',
        decision text,
        pick text,
        objects bytea,
        verdict text,
        shown boolean NOT NULL DEFAULT false,
        UNIQUE (request, target)
    );
    CREATE TABLE backport_fence (thing text PRIMARY KEY, number bigint NOT NULL);
    """,
    # What the pages show: of a decision a few words, as lists would else read the whole of each.
    """
    ALTER TABLE backport_request ADD COLUMN original bigint;
    CREATE INDEX backport_request_original ON backport_request (lower(repository), original);
    ALTER TABLE backport_run
        ADD COLUMN since timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN difference text,
        ADD COLUMN ending text,
        ADD COLUMN proof text,
        ADD COLUMN opened bigint;
    CREATE INDEX backport_run_request ON backport_run (request);
    CREATE TABLE backport_log (
        id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        run bigint NOT NULL REFERENCES backport_run ON DELETE CASCADE,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        step text NOT NULL,
        line text NOT NULL
    );
    CREATE INDEX backport_log_run ON backport_log (run, id);
    """,
    """
    CREATE TABLE backport_repository (
        id bigint PRIMARY KEY,
        name text NOT NULL,
        former_names text[] NOT NULL DEFAULT '{}',
        installation bigint,
        changes bigint NOT NULL DEFAULT 0,
        head text,
        served boolean NOT NULL DEFAULT true
    );
    """,
    """
    CREATE TABLE backport_survey (
        repository text PRIMARY KEY,
        read_at timestamptz NOT NULL,
        problem text NOT NULL DEFAULT '',
        mirror_bytes bigint,
        report text
    );
    """,
    "ALTER TABLE backport_request ADD COLUMN shown_state text NOT NULL DEFAULT ''",
    # A name may come to be another repository's. Readings are made again each hour.
    """
    ALTER TABLE backport_request ADD COLUMN repository_id bigint;
    UPDATE backport_request AS request SET repository_id = known.id FROM backport_repository AS known
        WHERE known.served AND lower(known.name) = lower(request.repository);
    UPDATE backport_request AS request SET repository_id = known.id FROM backport_repository AS known
        WHERE request.repository_id IS NULL AND lower(request.repository) IN (
            SELECT lower(former) FROM unnest(known.former_names) AS former
        );
    DROP INDEX backport_request_original;
    CREATE INDEX backport_request_original ON backport_request (repository_id, original);
    CREATE INDEX backport_request_of_a_name ON backport_request (lower(repository)) WHERE repository_id IS NULL;
    DROP TABLE backport_survey;
    CREATE TABLE backport_survey (
        repository bigint PRIMARY KEY,
        read_at timestamptz NOT NULL,
        problem text NOT NULL DEFAULT '',
        mirror_bytes bigint,
        report text
    );
    """,
    "ALTER TABLE backport_fence ADD COLUMN losses int NOT NULL DEFAULT 0",
)
VERSION = len(_MIGRATIONS)
"""The version of the tables that this program works with."""


def migrate(connection: Connection) -> None:
    """Bring the tables to this version, in one transaction; another process that starts waits for it.

    Raises:
        ConfigError: the tables are of a newer version.
        psycopg.Error: the database refused; it is as it was before.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute("CREATE TABLE IF NOT EXISTS backport_schema (version int NOT NULL, queue text[] NOT NULL)")
        row = connection.execute("SELECT version, queue FROM backport_schema").fetchone()
        version, queue = row or (0, [])
        if version > VERSION:
            raise ConfigError(
                f"The database is of version {version}, newer than this program, so nothing was started.",
                hint="Start the newer program, or name another database with --database.",
            )
        names = _migrate_queue(connection, queue)
        for script in _MIGRATIONS[version:]:
            connection.execute(script)
        connection.execute("DELETE FROM backport_schema")
        connection.execute("INSERT INTO backport_schema VALUES (%s, %s)", (VERSION, names))


def _migrate_queue(connection: Connection, applied: list[str]) -> list[str]:
    """Bring procrastinate's tables to its installed version; return the names of all migrations that they contain."""
    folder = resources.files("procrastinate.sql") / "migrations"
    scripts = {file.name: file for file in folder.iterdir() if file.name.endswith(".sql")}
    if not applied:
        connection.execute(SchemaManager.get_schema())
        return sorted(scripts)
    missing = sorted(set(scripts) - set(applied))
    for name in missing:
        connection.execute(scripts[name].read_text(encoding="utf-8").encode())
    return sorted({*applied, *missing})
