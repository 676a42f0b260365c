"""GitHub's limits: what is left is for the more urgent, one repository does not use up all, and writes keep pauses."""

from __future__ import annotations

import time
from pathlib import Path

from bot.errors import RateLimited
from bot.github.client import GitHubClient
from bot.github.rate_limits import Budget
from bot.server.budgets import Budgets, Purpose
from bot.server.pace import WritePace
from tests.pipeline.conftest import history, office
from tests.pipeline.office import BOT, REPOSITORY, Office

__all__ = ["history", "office"]

RESET = int(time.time()) + 1800


def passing(budgets: Budgets, repository: str, account: str = "token") -> list[str]:
    """Return the purposes that pass now."""
    purposes = []
    for purpose in Purpose:
        try:
            budgets.check(account, repository, purpose)
        except RateLimited:
            continue
        purposes.append(purpose.name)
    return purposes


def left(requests: int, reset: int = RESET) -> list[Budget]:
    return [Budget(api="rest", left=requests, limit=5000, reset=reset)]


def test_what_is_left_is_kept_for_the_more_urgent(tmp_path: Path) -> None:
    budgets = Budgets()
    everything = ["READING", "REQUEST", "ANSWER"]
    for requests, expected in ((5000, everything), (1499, everything[1:]), (249, everything[2:])):
        budgets.note("token", "acme/a", 1, left(requests))
        assert passing(budgets, "acme/b") == expected
        assert passing(budgets, "acme/b", "installation-7") == everything
    budgets.note("token", "acme/a", 1, left(0, reset=int(time.time()) - 1))
    assert passing(budgets, "acme/b") == everything


def test_a_repository_that_used_half_of_the_limit_waits_while_others_go_on() -> None:
    budgets = Budgets()
    budgets.note("token", "acme/greedy", 2600, left(2300))
    assert passing(budgets, "acme/greedy") == ["ANSWER"]
    assert passing(budgets, "acme/other") == ["READING", "REQUEST", "ANSWER"]
    budgets.note("token", "acme/other", 0, left(5000, reset=RESET + 3600))
    assert passing(budgets, "acme/greedy") == ["READING", "REQUEST", "ANSWER"]


def test_the_writes_of_all_processes_are_a_second_apart_and_texts_are_500_an_hour(tmp_path: Path) -> None:
    first, second = WritePace(tmp_path / "pace.json"), WritePace(tmp_path / "pace.json")
    assert [pace.reserve(1000.0, False) for pace in (first, second, first)] == [0.0, 1.0, 2.0]
    now, hour_end, texts = 2000.0, 2000.0 + 3600, 0
    while now < hour_end:
        now += first.reserve(now, True)
        texts += now < hour_end
    assert 495 <= texts <= 500
    (tmp_path / "pace.json").write_text("no JSON")
    assert first.reserve(9000.0, True) == 0.0


def test_each_write_waits_for_its_turn_and_each_request_is_counted(office: Office) -> None:
    turns: list[bool] = []
    token = office.fake_github.add_token(BOT)
    client = GitHubClient(REPOSITORY, token=token, api_url=office.fake_github.api_url, pace=turns.append)
    comment = office.issue(9).create_comment("Look.")
    client.react(comment.id, "eyes")
    client.write_issue(title="t", body="marked", marker="marked")
    client.close()
    assert (turns, client.requests_sent) == ([False, True], 3)
