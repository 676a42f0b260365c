"""A scheduled run against a GitHub on loopback: what it finds by itself, what it opens, and what people can stop."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.carried.load import load_patches
from bot.config import parse_config
from bot.errors import BackportError
from bot.handlers.run_sync import SyncRun, open_missing, survey_repository
from bot.handlers.sync_openings import PullRequestOpener, gpu_minutes
from bot.handlers.tracking_issues import write_tracking_issues
from bot.models import Device, DeviceVerdict, NotProven, Opened, SuiteRun, Verdict, VerdictOutcome
from bot.sync.types import OriginalState, State
from bot.text.markers import tracking_marker
from tests.pipeline.landing import open_pull, write
from tests.pipeline.office import BOT, MAINTAINER, REPOSITORY, Office, commit, git, with_pick

# #9 has no suite: opening it as an unproven draft is quick, and all that is asked of it here is that it is opened.
QUICK = "sync: {carried_patches: false, rules: [{pull_requests: [9]}]}"
ALL = ["release/1.2", "release/1.1", "release/1.0"]


@pytest.fixture
def quick(office: Office) -> Office:
    """Return the office with a policy that asks for #9 alone."""
    return with_config(office, QUICK)


def with_config(office: Office, text: str) -> Office:
    """Return the office with more configuration."""
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: false}}\n{text}\n")
    return replace(office, context=with_pick(office.context, config=config))


def states(run: SyncRun, number: int = 7) -> Mapping[str, State]:
    """Return the state of one original by branch."""
    return {branch: entry.state for branch, entry in states_of(run, number).items()}


def states_of(run: SyncRun, number: int = 7) -> Mapping[str, OriginalState]:
    """Return the state of one original by branch."""
    return {
        state.branch: entry
        for state in run.survey.branches
        for entry in state.originals
        if entry.original.number == number
    }


def everything(office: Office) -> str:
    """Return a text that changes when anything on the forge does: refs, issues, pull requests, comments, labels."""
    repository = office.people[MAINTAINER].get_repo(REPOSITORY)
    parts: list[object] = [sorted(office.branches().items())]
    for issue in repository.get_issues(state="all"):
        comments = [(entry.id, entry.body, entry.updated_at) for entry in issue.get_comments()]
        parts.append((issue.raw_data, comments, [event.id for event in issue.get_events()]))
    parts += [pull.raw_data for pull in repository.get_pulls(state="all")]
    parts += [label.raw_data for label in repository.get_labels()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def test_a_look_finds_each_state_and_changes_nothing(office: Office, tmp_path: Path) -> None:
    before = everything(office)
    run = survey_repository(office.context, tmp_path / "data")
    assert states(run) == {
        "release/1.0": State.NOT_AFFECTED,
        "release/1.1": State.RESOLVABLE,
        "release/1.2": State.CLEAN,
    }
    assert everything(office) == before
    assert all(
        entry.method == "GET" or "/git-upload-pack" in (entry.path or "") for entry in office.fake_github.requests()
    )


def test_a_run_opens_the_proven_pull_requests_without_a_comment(office: Office, tmp_path: Path) -> None:
    run = open_missing(office.context, tmp_path / "data")
    assert [type(result) for result in run.results] == [Opened, Opened]
    assert all(isinstance(entry, Opened) and entry.verdict and entry.verdict.proven for entry in run.results)
    assert sorted(entry.base.ref for entry in office.backports()) == ["release/1.1", "release/1.2"]
    assert states(run)["release/1.1"] is State.OPENED
    assert "the carried patch widget-7" in office.backports()[0].body
    assert office.answers() == []


def test_a_second_run_opens_nothing_twice(quick: Office, tmp_path: Path) -> None:
    first = open_missing(quick.context, tmp_path / "data")
    assert [result.target for result in first.results] == ALL
    run = open_missing(quick.context, tmp_path / "data")
    assert run.results == ()
    assert len(quick.backports()) == len(ALL)
    assert set(states(run, 9).values()) == {State.OPENED}


def test_what_is_merged_is_on_the_branch(quick: Office, tmp_path: Path) -> None:
    open_missing(quick.context, tmp_path / "data", "release/1.2")
    pull = quick.people[MAINTAINER].get_repo(REPOSITORY).get_pull(quick.backports()[0].number)
    pull.merge()
    entry = states_of(survey_repository(quick.context, tmp_path / "data"), 9)["release/1.2"]
    assert entry.state is State.ALREADY_APPLIED
    assert "cherry-picked from it" in entry.reason
    assert entry.landed > 0


def test_a_pull_request_that_a_person_closed_stays_closed(quick: Office, tmp_path: Path) -> None:
    open_missing(quick.context, tmp_path / "data", "release/1.2")
    pull = quick.backports()[0]
    quick.people[MAINTAINER].get_repo(REPOSITORY).get_pull(pull.number).edit(state="closed")
    run = open_missing(quick.context, tmp_path / "data", "release/1.2")
    assert run.results == ()
    assert states(run, 9)["release/1.2"] is State.REFUSED_BY_PERSON
    assert f"#{pull.number} was closed" in states_of(run, 9)["release/1.2"].reason


@pytest.mark.parametrize(
    ("label", "refused_names"), [("no-backport", set(ALL)), ("no-backport release/1.2", {"release/1.2"})]
)
def test_a_label_keeps_an_original_off(office: Office, tmp_path: Path, label: str, refused_names: set[str]) -> None:
    office.issue(7).add_to_labels(label)
    result = states(survey_repository(office.context, tmp_path / "data"))
    assert {branch for branch, state in result.items() if state is State.REFUSED_BY_PERSON} == refused_names


def test_a_label_that_is_set_later_is_seen_by_the_next_run(office: Office, tmp_path: Path) -> None:
    survey_repository(office.context, tmp_path / "data")
    office.issue(7).add_to_labels("no-backport")
    assert State.REFUSED_BY_PERSON in states(survey_repository(office.context, tmp_path / "data")).values()


def test_the_policy_refuses_with_its_reason(office: Office, tmp_path: Path) -> None:
    with_deny = with_config(office, "sync: {deny: [{titles: ['*ring*'], reason: Needs the new cache.}]}")
    entry = states_of(survey_repository(with_deny.context, tmp_path / "data"))["release/1.2"]
    assert (entry.state, entry.reason) == (State.REFUSED_BY_POLICY, "Needs the new cache.")


def test_what_nothing_asks_for_is_listed_as_such(office: Office, tmp_path: Path) -> None:
    run = survey_repository(office.context, tmp_path / "data")
    assert all("#9" in state.not_asked for state in run.survey.branches)


def test_no_more_are_open_than_the_limit_allows(office: Office, tmp_path: Path) -> None:
    for number in (13, 15):
        _merge(office, number, f"Add {number}", {f"widget/n{number}.py": "N = 1\n"})
    with_limit = with_config(office, "sync: {carried_patches: false, rules: [{titles: ['add*']}], max_open: 1}")
    run = open_missing(with_limit.context, tmp_path / "data", "release/1.2")
    assert [result.target for result in run.results] == ["release/1.2"]
    assert states(run, 13)["release/1.2"] is State.OPENED
    assert "sync.max_open" in states_of(run, 15)["release/1.2"].waits
    assert open_missing(with_limit.context, tmp_path / "data", "release/1.2").results == ()


def test_rules_that_mean_too_much_open_nothing_and_say_so(office: Office, tmp_path: Path) -> None:
    wide = with_config(office, "sync: {rules: [{titles: ['*']}], most_missing: 1}")
    run = open_missing(wide.context, tmp_path / "data")
    assert office.backports() == []
    assert any("narrower rules" in entry.waits for entry in states_of(run).values())


def test_a_failed_attempt_is_not_made_again_until_something_changes(office: Office, tmp_path: Path) -> None:
    """The suite of the carried patch finds every candidate wanting, until somebody repairs the suite."""
    original, patches = Path(__file__).parents[1] / "pipeline/patches/widget-7", tmp_path / "patches"
    shutil.copytree(original, patches / "widget-7")
    suite = patches / "widget-7/suite/test_ring.py"
    suite.write_text("def test_never():\n    assert False, 'still wrong'\n")
    context = with_pick(office.context, patches=load_patches([patches]))
    first = open_missing(context, tmp_path / "data", "release/1.2")
    assert [type(result) for result in first.results] == [NotProven]
    second = open_missing(context, tmp_path / "data", "release/1.2")
    assert second.results == ()
    assert "the last attempt: incomplete" in states_of(second)["release/1.2"].waits
    suite.write_text((original / "suite/test_ring.py").read_text())
    assert states_of(survey_repository(context, tmp_path / "data", "release/1.2"))["release/1.2"].waits == ""


def test_an_original_whose_proof_was_inconclusive_waits_for_the_next_run(office: Office, tmp_path: Path) -> None:
    commands = "commands: [{name: smoke, command: [no-such-program]}]"
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, {commands}}}\n{QUICK}\n")
    run = open_missing(with_pick(office.context, config=config), tmp_path / "data", "release/1.2")
    (result,) = run.results
    assert isinstance(result, NotProven)
    assert states_of(run, 9)["release/1.2"].waits == f"the next run: {result.verdict.reason}"
    assert office.backports() == []


def test_an_original_without_tests_waits_for_a_person_where_each_backport_needs_a_proof(
    office: Office, tmp_path: Path
) -> None:
    config = parse_config(f"repository: {REPOSITORY}\nprove: {{device: cpu, required: always}}\n{QUICK}\n")
    context = with_pick(office.context, config=config)
    run = open_missing(context, tmp_path / "data", "release/1.2")
    assert states_of(run, 9)["release/1.2"].waits.startswith("a person: no-tests, ")
    assert office.backports() == []
    again = open_missing(context, tmp_path / "data", "release/1.2")
    assert len(again.results) == 1, "nothing ran, and the configuration may change"


def test_only_minutes_on_a_gpu_are_counted() -> None:
    def run(kind: str | None, seconds: float) -> SuiteRun:
        device = Device(kind=kind, name="any", arch="any") if kind else None
        return SuiteRun(tree="", cases=(), device=device, seconds=seconds)

    verdict = Verdict(outcome=VerdictOutcome.PROVEN, reason="", base=run("cuda", 90), candidate=run("rocm", 30))
    assert gpu_minutes(verdict) == 2
    assert gpu_minutes(replace(verdict, base=run("cpu", 900), candidate=run(None, 900))) == 0
    outcomes = tuple(
        DeviceVerdict(name=name, outcome=VerdictOutcome.PROVEN, reason="", device=run(kind, 0).device, seconds=seconds)
        for name, kind, seconds in (("gfx942", "rocm", 60), ("gfx950", "rocm", 120), ("cpu", "cpu", 900))
    )
    assert gpu_minutes(replace(verdict, devices=outcomes)) == 3, "of all devices, and not of the one that is shown"


def test_a_run_stops_where_its_gpu_minutes_are_used_up(
    quick: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No GPU is at hand here, so the first attempt is said to have taken more than a run may."""
    use_up = lambda self, *_: setattr(self, "_gpu_minutes", 61.0)  # noqa: E731 - stands in for one method
    monkeypatch.setattr(PullRequestOpener, "_count_minutes", use_up)
    run = open_missing(quick.context, tmp_path / "data")
    assert [result.target for result in run.results] == ALL[:1]
    assert all("max_gpu_minutes" in states_of(run, 9)[branch].waits for branch in ALL[1:])


def test_a_conflict_is_left_to_a_person(office: Office, tmp_path: Path) -> None:
    """release/1.2 has its own word for what #13 rewords."""
    work = _clone(office, "release/1.2")
    commit(work, "Our own words", {"widget/__init__.py": "ours = 1\n"})
    git(work, "push", "--quiet", "origin", "release/1.2")
    _merge(office, 13, "Reword", {"widget/__init__.py": "theirs = 1\n"})
    policy = "sync: {carried_patches: false, rules: [{pull_requests: [13]}]}\npick: {propose: false}"
    run = open_missing(with_config(office, policy).context, tmp_path / "data", "release/1.2")
    entry = states_of(run, 13)["release/1.2"]
    assert (entry.state, entry.waits) == (State.CONFLICT, "a person to resolve the conflict")
    assert run.results == ()


def test_what_a_commit_of_the_branch_names_is_opened_by_no_run(office: Office, tmp_path: Path) -> None:
    """release/1.2 has a commit that says it is #13 and makes another change: perhaps it is adapted, perhaps not."""
    sha = _merge(office, 13, "Add words", {"widget/words.py": "A = 1\nB = 2\nC = 3\n"})
    work = _clone(office, "release/1.2")
    commit(work, f"Add words\n\n(cherry picked from commit {sha})", {"widget/vocabulary.py": "D = 4\n"})
    git(work, "push", "--quiet", "origin", "release/1.2")
    with_rule = with_config(office, "sync: {carried_patches: false, rules: [{titles: ['add words']}]}")
    run = open_missing(with_rule.context, tmp_path / "data")
    assert states(run, 13) == {
        "release/1.2": State.UNCONFIRMED,
        "release/1.1": State.OPENED,
        "release/1.0": State.OPENED,
    }
    assert "names it as its source, but makes another change; the cherry" in states_of(run, 13)["release/1.2"].reason


def test_a_merged_backport_pull_request_that_makes_another_change_is_for_a_person(
    office: Office, tmp_path: Path
) -> None:
    _merge(office, 13, "Add words", {"widget/words.py": "A = 1\nB = 2\nC = 3\n"})
    work = _clone(office, "release/1.2")
    commit(work, "Tidy", {"widget/vocabulary.py": "D = 4\n"})
    git(work, "push", "--quiet", "origin", "release/1.2")
    office.fake_github.seed_pull_request(
        REPOSITORY,
        number=15,
        title="Backport of #13",
        author="ann",
        base="release/1.2",
        head="topic-15",
        merge_commit_sha=git(work, "rev-parse", "HEAD"),
    )
    with_rule = with_config(office, "sync: {carried_patches: false, rules: [{titles: ['add words']}]}")
    state = states_of(survey_repository(with_rule.context, tmp_path / "data", "release/1.2"), 13)["release/1.2"]
    assert state.state is State.UNCONFIRMED
    assert state.reason == "#15 is merged as its backport, but makes another change; the cherry-pick applies"


def test_what_reverts_something_on_the_branch_comes_along(office: Office, tmp_path: Path) -> None:
    """release/1.2 has "Remember the sizes"; main reverts it."""
    shas = git(office.git_dir, "log", "--format=%H %s", "main").splitlines()
    sha = next(line.partition(" ")[0] for line in shas if line.endswith("Remember the sizes"))
    _merge(office, 13, "Revert the sizes", {"widget/more.py": "MORE = 1\n"}, f"This reverts commit {sha}.")
    run = survey_repository(office.context, tmp_path / "data")
    assert states_of(run, 13)["release/1.2"].state is State.CLEAN
    assert "fixes or reverts" in states_of(run, 13)["release/1.2"].asked_by
    assert states_of(run, 13)["release/1.1"].state is State.NOT_AFFECTED


def test_a_rule_by_an_issue_s_label_finds_what_fixes_it(office: Office, tmp_path: Path) -> None:
    issue = office.people[MAINTAINER].get_repo(REPOSITORY).create_issue("It crashes", labels=["crash"])
    office.issue(9).edit(body=f"Fixes #{issue.number}")
    with_rule = with_config(office, "sync: {rules: [{fixes_issue_labels: [crash]}]}")
    entry = states_of(survey_repository(with_rule.context, tmp_path / "data"), 9)["release/1.2"]
    assert entry.asked_by == "fixes an issue labelled `crash`"


def test_an_original_that_needs_another_waits_for_it(office: Office, tmp_path: Path) -> None:
    """#13 adds a file, #15 changes it: on a branch #15 applies only after #13."""
    _merge(office, 13, "Add words", {"widget/words.py": "".join(f"W{n} = {n}\n" for n in range(9))})
    _merge(office, 15, "Change words", {"widget/words.py": "W0 = 7\n" + "".join(f"W{n} = {n}\n" for n in range(1, 9))})
    with_rule = with_config(office, "sync: {carried_patches: false, rules: [{paths: ['widget/words.py']}]}")
    run = open_missing(with_rule.context, tmp_path / "data", "release/1.2")
    entry = states_of(run, 15)["release/1.2"]
    assert (entry.state, entry.needs) == (State.NEEDS, ("#13",))
    assert entry.waits == "#13 to be on the branch"
    assert states_of(run, 13)["release/1.2"].state is State.OPENED


def test_an_original_merged_by_rebase_is_tried_with_all_its_commits(office: Office, tmp_path: Path) -> None:
    for name, onto in (("one", "main"), ("two", None)):
        write(office, "topic", {f"widget/{name}.py": "N = 1\n"}, f"Add {name}", onto=onto)
    pull = open_pull(office, "topic")
    pull.merge(merge_method="rebase")
    with_rule = with_config(office, f"sync: {{carried_patches: false, rules: [{{pull_requests: [{pull.number}]}}]}}")
    entry = states_of(survey_repository(with_rule.context, tmp_path / "data", "release/1.2"), pull.number)[
        "release/1.2"
    ]
    _, commits = office.context.github.merged_commits(office.context.github.pull_request(pull.number))
    assert entry.state is State.CLEAN
    assert len(commits) == 2
    assert entry.original.commits == commits
    assert entry.original.paths == ("widget/one.py", "widget/two.py")


def test_one_tracking_issue_for_each_branch_is_edited_in_place(quick: Office, tmp_path: Path) -> None:
    numbers = write_tracking_issues(survey_repository(quick.context, tmp_path / "data").survey, quick.context)
    assert "Missing and clean (1)" in quick.issue(numbers[0]).body
    run = open_missing(quick.context, tmp_path / "data", "release/1.2")
    assert write_tracking_issues(run.survey, quick.context) == numbers[:1]
    issues = [quick.issue(number) for number in numbers]
    assert [(entry.title, entry.user.login) for entry in issues] == [(f"Backports to {name}", BOT) for name in ALL]
    assert "Backport open (1)" in issues[0].body


def test_an_issue_of_somebody_else_with_our_marker_is_left_alone(quick: Office, tmp_path: Path) -> None:
    issue = quick.people["otto"].get_repo(REPOSITORY).create_issue("Mine", body=tracking_marker("release/1.2"))
    numbers = write_tracking_issues(survey_repository(quick.context, tmp_path / "data").survey, quick.context)
    assert issue.number not in numbers
    assert quick.issue(issue.number).title == "Mine"


def test_a_branch_that_is_gone_is_told_of(office: Office, tmp_path: Path) -> None:
    survey_repository(office.context, tmp_path / "data")
    git(office.git_dir, "branch", "-D", "release/1.1")
    deleted_branch = survey_repository(office.context, tmp_path / "data").survey.branches[-1]
    assert (deleted_branch.branch, deleted_branch.tip) == ("release/1.1", None)
    assert "no longer exists" in deleted_branch.problem


def test_a_branch_without_a_common_ancestor_stops_no_other(office: Office, tmp_path: Path) -> None:
    tree = git(office.git_dir, "rev-parse", "main^{tree}")
    alone_sha = git(office.git_dir, "commit-tree", tree, "-m", "Alone")
    git(office.git_dir, "update-ref", "refs/heads/release/9", alone_sha)
    run = survey_repository(office.context, tmp_path / "data")
    assert {state.branch: bool(state.problem) for state in run.survey.branches}["release/9"]
    assert states(run)["release/1.2"] is State.CLEAN


def test_a_glob_that_means_no_branch_is_an_error_with_the_names(office: Office, tmp_path: Path) -> None:
    with pytest.raises(BackportError) as error:
        survey_repository(office.context, tmp_path / "data", "release/7*")
    assert "release/1.2" in error.value.hint


def _merge(office: Office, number: int, title: str, files: Mapping[str, str], body: str = "") -> str:
    """Merge another pull request into main, squashed."""
    work = _clone(office, "main")
    commit(work, f"{title} (#{number})" + (f"\n\n{body}" if body else ""), files)
    git(work, "push", "--quiet", "origin", "main")
    sha = git(work, "rev-parse", "HEAD")
    office.fake_github.seed_pull_request(
        REPOSITORY, number=number, title=title, body=body, author="ann", head=f"topic-{number}", merge_commit_sha=sha
    )
    return sha


def _clone(office: Office, branch: str) -> Path:
    parent = office.git_dir.parent
    work = parent / f"work-{len(list(parent.iterdir()))}"
    git(parent, "clone", "--quiet", "--branch", branch, str(office.git_dir), str(work))
    return work
