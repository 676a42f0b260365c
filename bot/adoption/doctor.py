"""Checks what the bot needs, for real and without changing anything: the machine, the account, the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.adoption.account_checks import check_account
from bot.adoption.actions_checks import check_actions
from bot.adoption.checkout import Checkout, read_checkout
from bot.adoption.machine_checks import check_clock, check_programs, check_proofs
from bot.adoption.repository_checks import (
    UpstreamConfig,
    check_branches,
    check_config,
    check_reachable,
    check_rules,
    read_upstream_config,
)
from bot.adoption.webhook_checks import check_webhooks
from bot.config import Config, ProveConfig
from bot.environment.credentials import Account
from bot.errors import BackportError, GitHubError
from bot.github.reader import Reader, open_reader
from bot.models.diagnosis import Diagnosis, bad
from bot.text.logins import is_shared

_LONGEST_WAIT = 10.0
"""Seconds that a rate limit is waited for: a person is waiting."""


def examine(
    folder: Path, repository: str, account: Account | None, *, api_url: str, login: str | None, service: str = ""
) -> Iterator[Diagnosis]:
    """Yield one diagnosis after the other. `repository` is empty if nothing names one.

    `service` is where GitHub is to send its deliveries, if that is known.
    """
    checkout = _checkout(folder)
    yield from check_programs()
    if not repository:
        yield from check_proofs(ProveConfig())
        yield bad(
            "repository",
            "Nothing names a repository.",
            "GitHub was not asked: nothing but this machine was looked at.",
            "Start in a checkout, or set GITHUB_REPOSITORY=owner/name.",
        )
        return
    try:
        with open_reader(repository, account, api_url=api_url, longest_wait=_LONGEST_WAIT) as reader:
            upstream = read_upstream_config(reader)
            yield from check_proofs(upstream.config.prove if upstream.config else ProveConfig())
            yield from _examine_repository(reader, upstream, checkout, has_account=account is not None, login=login)
            yield from check_webhooks(reader, service)
    except GitHubError as error:
        yield bad("GitHub", error.message, "Nothing more was asked of GitHub.", error.hint)


def _examine_repository(
    reader: Reader, upstream: UpstreamConfig, checkout: Checkout | None, *, has_account: bool, login: str | None
) -> Iterator[Diagnosis]:
    config = upstream.config or Config(repository=reader.repository)
    reply, diagnoses = check_reachable(reader)
    yield from diagnoses
    yield from check_clock(reply.headers.get("date", ""))
    yield from check_account(reader, reply, has_account=has_account, of_run=is_shared(login or ""))
    if not reply.ok:
        return
    yield from check_branches(reader, reply, config)
    yield from check_config(upstream, reader.repository, checkout)
    yield check_rules(reader, config)
    yield from check_actions(reader, config)


def _checkout(folder: Path) -> Checkout | None:
    try:
        return read_checkout(folder)
    except BackportError:
        return None
