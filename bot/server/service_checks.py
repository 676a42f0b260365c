"""Conditions of a running service, for `doctor`: its webhook, its database, and the disk of its data."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import requests

from bot.models.diagnosis import Diagnosis, bad, good, note
from bot.server.schema import VERSION
from bot.server.webhooks import signature_of

_SECONDS = 15.0
_LITTLE = 5 * 1024**3
"""Free bytes: a mirror of a large project and two trees of it."""
_PING = b'{"zen": "Speak like a human.", "hook_id": 0}'


def check_service(url: str, *, secret: str | None, database: str | None, data: Path) -> Iterator[Diagnosis]:
    """Check the service at a webhook's address. `secret` signs a ping, which the service answers and forgets."""
    yield _webhook(url, secret)
    if database is not None:
        yield _database(database)
    yield _disk(data)


def _webhook(url: str, secret: str | None) -> Diagnosis:
    headers = {"X-GitHub-Event": "ping", "X-GitHub-Delivery": f"doctor-{secrets.token_hex(8)}"}
    headers["X-Hub-Signature-256"] = signature_of(secret or "", _PING)
    try:
        # GitHub follows no redirection either.
        answer = requests.post(url, data=_PING, headers=headers, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return bad(
            "service",
            f"{url} cannot be reached ({type(error).__name__}).",
            "Nor can GitHub send its deliveries there, if it is as for this machine.",
            "Look at the address, the proxy, its certificate and the firewall, and whether the service runs.",
        )
    return _judge_answer(url, answer.status_code, has_secret=secret is not None)


def _judge_answer(url: str, status: int, *, has_secret: bool) -> Diagnosis:
    if status == 200 and has_secret:
        return good("service", f"{url} answers, and takes what is signed with this secret.")
    if status == 401 and not has_secret:
        return note(
            "service",
            f"{url} answers. BACKPORT_BOT_SECRET is not set, so its secret was not tried.",
            "Whether GitHub's deliveries are accepted is not known.",
            "Export the secret that the App or the webhook has, and start again.",
        )
    if status == 401:
        return bad(
            "service",
            f"{url} refuses what is signed with this secret.",
            "If GitHub has this secret, each delivery is refused.",
            "Give the service the same secret as BACKPORT_BOT_SECRET, and start it again.",
        )
    return bad(
        "service",
        f"{url} answers {status} to a signed ping.",
        "GitHub's deliveries are not accepted.",
        "The address has to end in /webhook, and the proxy has to pass on bodies and headers as they are.",
    )


def _database(address: str) -> Diagnosis:
    try:
        with psycopg.connect(address, connect_timeout=int(_SECONDS)) as connection:
            connection.read_only = True
            row = connection.execute("SELECT version FROM backport_schema").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    except psycopg.Error as error:
        return bad(
            "database",
            f"It cannot be used ({str(error).strip()}).",
            "The service answers 503 and works on nothing.",
            "Check its address, its account, and whether it runs.",
        )
    version = row[0] if row else 0
    if version == VERSION:
        return good("database", f"It answers, and its tables are those of this version ({VERSION}).")
    return note(
        "database",
        f"Its tables are of version {version}, those of this program of version {VERSION}.",
        "A service of this version brings older tables to its own at its start, and refuses newer ones.",
        "If the service runs already, run the `doctor` of its version.",
    )


def _disk(data: Path) -> Diagnosis:
    place = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    room = f"{free / 1024**3:.1f} GiB are free for {data}"
    if not os.access(place, os.W_OK | os.X_OK):
        return bad(
            "data", f"{place} cannot be written to.", "The service does not start.", "Give it to the service's account."
        )
    if free < _LITTLE:
        return bad(
            "data",
            f"{room}.",
            "Mirrors and proofs need more; a full disk stops the work.",
            "Give it more room, or lower `serve --mirrors`.",
        )
    return good("data", f"{room}.")
