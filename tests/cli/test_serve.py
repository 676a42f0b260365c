"""`serve` as a process, on a machine that reaches no GitHub."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
import requests

from bot.server.webhooks import signature_of
from tests.cli.test_machine_failures import ANY_URL, TOKENS, _explained, _run, _start, work
from tests.server.test_webhooks import comment

__all__ = ["work"]

ARGUMENTS = ("serve", "--port", "0", "--api-url", ANY_URL)


def _deliver(url: str, number: int, secret: str) -> int:
    body = comment(number)
    headers = {
        "X-GitHub-Delivery": str(number),
        "X-GitHub-Event": "issue_comment",
        "X-Hub-Signature-256": signature_of(secret, body),
    }
    return requests.post(url, data=body, headers=headers, timeout=60).status_code


def _serve(work: Path, *words: str, deliver: int) -> str:
    """Start the service, deliver a comment, ask how much waits, and end it as a machine does."""
    process = _start(*ARGUMENTS, *words, cwd=work, BACKPORT_BOT_OLD_SECRET="old", **TOKENS)
    assert process.stderr is not None
    with process:
        line = ""
        while "Serving" not in line:
            line = process.stderr.readline()
            assert line, "it ended"
        match = re.search(r"http://\S+/webhook", line)
        assert match
        url = match[0]
        assert _deliver(url, deliver, "s") == 202
        assert _deliver(url, deliver, "old") == 200
        assert _deliver(url, deliver, "other") == 401
        health = requests.get(url.replace("/webhook", "/health"), timeout=60).text
        process.send_signal(signal.SIGTERM)
        output = process.stderr.read()
        assert "Traceback" not in output, output
    assert process.returncode == 128 + signal.SIGTERM
    return health


def test_without_github_it_starts_and_accepts_and_it_leaves_no_process(work: Path) -> None:
    assert _serve(work, deliver=1) == "ok, 1 waiting"
    assert not (work / "backport-data/postgres/postmaster.pid").exists()


def test_a_database_of_your_own_is_used_instead(work: Path, database_url: str) -> None:
    assert _serve(work, "--database", database_url, deliver=1) == "ok, 1 waiting"
    assert not (work / "backport-data/postgres").exists()


@pytest.mark.parametrize("address", ["postgresql://127.0.0.1:9/none", "nonsense"])
def test_a_database_that_cannot_be_used_is_named_with_a_remedy(work: Path, address: str) -> None:
    code, output = _run(*ARGUMENTS, "--database", address, cwd=work, **TOKENS)
    assert _explained(code, output), output
    assert "--database" in output
