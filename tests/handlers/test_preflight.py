"""What a pull request would come to on the stable branches, told before anybody asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from github.PullRequest import PullRequest as Pull
from typer.testing import CliRunner

from bot.cli import app
from bot.environment.credentials import TOKEN
from bot.errors import ConfigError
from bot.handlers.preflight import preflight, preflight_stable
from bot.models import Outlook, Status, TargetForecast
from bot.report.preflight import NAME, render_preflight, render_preflight_check
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, git

STABLE = ("release/1.2", "release/1.1", "release/1.0")


@pytest.fixture
def bare(office: Office) -> Office:
    """No suite, and no proposals: what git cannot pick is a conflict."""
    return unproven(office, "pick: {propose: false}")


def _pull(office: Office, files: dict[str, str | None], *, onto: str = "main") -> Pull:
    write(office, "topic", files, "First half", onto=onto)
    return open_pull(office, "topic")


def _forecasts(office: Office, number: int) -> dict[str, TargetForecast]:
    forecasts = preflight_stable(office.context.github.pull_request(number), office.context)
    assert tuple(forecast.branch for forecast in forecasts) == STABLE
    return {forecast.branch: forecast for forecast in forecasts}


def test_each_stable_branch_has_its_outlook(bare: Office) -> None:
    """The ring is not on 1.0, lacks its neighbouring lines on 1.1, and is as on main on 1.2."""
    ring = git(bare.git_dir, "show", "main:widget/ring.py") + "\n"
    pull = _pull(bare, {"widget/ring.py": ring.replace("slots * width", "slots * width + 1")}, onto="pull-7")
    forecasts = _forecasts(bare, pull.number)
    assert {branch: forecast.outlook for branch, forecast in forecasts.items()} == {
        "release/1.2": Outlook.CONFLICT,
        "release/1.1": Outlook.CONFLICT,
        "release/1.0": Outlook.NOT_AFFECTED,
    }
    assert [file.path for file in forecasts["release/1.1"].files] == ["widget/ring.py"]
    assert [forecast.subject for forecast in forecasts["release/1.2"].prerequisites] == ["Size the ring by entry (#7)"]


def test_a_change_of_a_file_that_main_has_moved_is_picked_into_the_older_file(bare: Office) -> None:
    """git follows the move; that the branch has no file of the new name is no reason to call it not affected."""
    words = "".join(f"WORD_{number} = {number}\n" for number in range(9))
    release = bare.branches()["release/1.2"]
    write(bare, "main", {"widget/words.py": words}, "Add words")
    write(bare, "release/1.2", {"widget/words.py": words}, "Add words", onto=release)
    write(bare, "main", {"widget/words.py": None, "widget/vocabulary.py": words}, "Move the words")
    pull = _pull(bare, {"widget/vocabulary.py": words.replace("WORD_4 = 4", "WORD_4 = 5")})
    forecasts = _forecasts(bare, pull.number)
    assert forecasts["release/1.2"].outlook is Outlook.CLEAN
    assert forecasts["release/1.1"].reason == "None of the files that it changes is on the branch."


@pytest.mark.parametrize(("limit", "subjects"), [(0, []), (1, ["Size the ring by entry (#7)"])])
def test_prerequisites_are_looked_for_as_configured(office: Office, limit: int, subjects: list[str]) -> None:
    ring = git(office.git_dir, "show", "main:widget/ring.py") + "\n"
    repository = unproven(office, f"pick: {{propose: false, max_prerequisites: {limit}}}")
    pull = _pull(repository, {"widget/ring.py": ring.replace("slots * width", "slots * width + 1")}, onto="pull-7")
    assert [commit.subject for commit in _forecasts(repository, pull.number)["release/1.2"].prerequisites] == subjects


def test_what_could_only_be_proposed_is_resolvable(office: Office) -> None:
    ring = git(office.git_dir, "show", "main:widget/ring.py") + "\n"
    pull = _pull(office, {"widget/ring.py": ring.replace("slots * width", "slots * width + 1")}, onto="pull-7")
    assert _forecasts(unproven(office), pull.number)["release/1.2"].outlook is Outlook.RESOLVABLE


def test_an_open_pull_request_is_taken_as_a_squash_merge_of_it(bare: Office) -> None:
    """Two commits, of which only the sum applies; the base branch has moved on since."""
    write(bare, "topic", {"widget/hello.py": "GREETING = 'no'\n", "widget/new.py": "A = 1\n"}, "One", onto="main~1")
    write(bare, "topic", {"widget/hello.py": None}, "Two")
    pull = open_pull(bare, "topic")
    assert _forecasts(bare, pull.number)["release/1.0"].outlook is Outlook.CLEAN


def test_a_carried_patch_says_what_it_knows(office: Office) -> None:
    forecasts = {
        forecast.branch: forecast
        for forecast in preflight(office.context.github.pull_request(7), STABLE, office.context)
    }
    assert {branch: forecast.outlook for branch, forecast in forecasts.items()} == {
        "release/1.2": Outlook.CLEAN,
        "release/1.1": Outlook.RESOLVABLE,
        "release/1.0": Outlook.NOT_AFFECTED,
    }
    assert forecasts["release/1.0"].reason == "There is no ring yet."


def test_what_conflicts_with_its_own_base_is_unknown_and_says_so(bare: Office) -> None:
    pull = _pull(bare, {"widget/hello.py": "GREETING = 'salve'\n"}, onto="main~1")
    forecasts = _forecasts(bare, pull.number)
    assert {forecast.outlook for forecast in forecasts.values()} == {Outlook.UNKNOWN}
    assert "its own base branch in `widget/hello.py`" in forecasts["release/1.2"].reason


def test_a_branch_that_is_not_there_stops_no_other(bare: Office) -> None:
    pull = _pull(bare, {"widget/first.py": "A = 1\n"})
    existing_branch, unknown = preflight(
        bare.context.github.pull_request(pull.number), ("nowhere", "release/1.2"), bare.context
    )
    assert (existing_branch.branch, existing_branch.outlook) == ("release/1.2", Outlook.CLEAN)
    assert (unknown.branch, unknown.outlook) == ("nowhere", Outlook.UNKNOWN)


def test_nothing_is_pushed_or_kept(bare: Office) -> None:
    pull = _pull(bare, {"widget/first.py": "A = 1\n"})
    bare.context.mirror.fetch(bare.branches().values())
    before = git(bare.context.mirror.git.directory, "count-objects"), bare.branches()
    _forecasts(bare, pull.number)
    assert (git(bare.context.mirror.git.directory, "count-objects"), bare.branches()) == before


def test_a_request_before_the_merge_is_answered_with_it(bare: Office) -> None:
    pull = _pull(bare, {"widget/first.py": "A = 1\n"})
    bare.say("/backport release/1.2", on=pull.number)
    assert "`release/1.2`: clean. It applies" in bare.answers(pull.number)[0]


def test_the_command_prints_data_and_writes_a_neutral_check_run(
    bare: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = _pull(bare, {"widget/first.py": "A = 1\n"})
    config = tmp_path / "backport.yaml"
    config.write_text(f"repository: {REPOSITORY}\n")
    monkeypatch.setenv(TOKEN, bare.fake_github.add_user(BOT, type="Bot"))
    options = ["--config", str(config), "--data", str(tmp_path / "data"), "--api-url", bare.fake_github.api_url]
    ran = CliRunner().invoke(app, ["preflight", "--pr", str(pull.number), *options, "--json"])
    assert ran.exit_code == 0, ran.output
    assert [(forecast["branch"], forecast["outlook"]) for forecast in json.loads(ran.stdout)] == [
        (branch, "clean") for branch in STABLE
    ]
    commit = bare.people[MAINTAINER].get_repo(REPOSITORY).get_commit(pull.head.sha)
    (run,) = commit.get_check_runs(check_name=NAME)
    assert (run.conclusion, run.output.title) == ("neutral", "3 clean")


@pytest.mark.parametrize(
    ("upstream", "branches"),
    [(None, STABLE), ("branches: [release/1.2]\n", ("release/1.2",))],
    ids=["none", "upstream"],
)
def test_without_a_file_here_the_configuration_is_that_of_the_default_branch(
    bare: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    upstream: str | None,
    branches: tuple[str, ...],
) -> None:
    pull = _pull(bare, {"widget/first.py": "A = 1\n"})
    if upstream is not None:
        write(bare, "main", {"backport.yaml": upstream}, "Configure the bot")
    monkeypatch.setenv(TOKEN, bare.fake_github.add_user(BOT, type="Bot"))
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(
        app, ["preflight", "--pr", str(pull.number), "--json", "--api-url", bare.fake_github.api_url]
    )
    assert ran.exit_code == 0, ran.output
    assert [forecast["branch"] for forecast in json.loads(ran.stdout)] == list(branches)


def test_without_a_name_for_the_repository_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "nobody's")
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="nothing else names the repository"):
        CliRunner().invoke(app, ["preflight", "--pr", "7"], catch_exceptions=False)


def test_an_outlook_has_the_word_of_a_request_for_the_same_outcome() -> None:
    words = {status.name: status.value for status in Status}
    common = {outlook.name: outlook.value for outlook in Outlook if outlook.name in words}
    assert common == {name: words[name] for name in ("CONFLICT", "NOT_AFFECTED", "ALREADY_APPLIED", "NOTHING_LEFT")}


@pytest.mark.parametrize("outlook", Outlook)
def test_no_outlook_is_red_and_foreign_text_stays_text(outlook: Outlook) -> None:
    forecast = TargetForecast(branch="release/`x`|@acme", outlook=outlook, reason="It conflicts in `@acme/team|x`. #3")
    text = render_preflight_check([forecast])
    assert text.conclusion == "neutral"
    assert "#\u20603" in text.summary
    assert "release/`x`|@acme" in render_preflight([forecast])
