"""A conflict as a draft, and the watch over its markers.

main:         count 1, gone.py ── the pull request: count 2 ── late.py
release/1.2:  count 5
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from github.PullRequest import PullRequest

from bot.commands.triggers import ChangeTrigger
from bot.handlers.serve_trigger import answer
from bot.models import Conflicted, Failed, Opened
from tests.pipeline.landing import open_pull, picked, unproven, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

TARGET = "release/1.2"
ASK = f"/backport {TARGET}"
DRAFT = "publish: {on_conflict: draft}"
CHECK = "Conflicts resolved"


@pytest.fixture
def pull(office: Office) -> PullRequest:
    """Merge a pull request of two commits, of which the first conflicts with the target."""
    write(office, "main", {"widget/count.py": "COUNT = 1\n", "widget/gone.py": "HERE = 1\n"}, "Count", onto="main")
    write(office, TARGET, {"widget/count.py": "COUNT = 5\n"}, "Count otherwise")
    write(office, "topic", {"widget/count.py": "COUNT = 2\n"}, "Count more", onto="main")
    write(office, "topic", {"widget/late.py": "LATE = 1\n"}, "Be late")
    pull = open_pull(office, "topic", title="Count more")
    pull.merge(merge_method="rebase")
    return pull


@pytest.fixture
def drafting(office: Office) -> Office:
    """Return an office in which a conflict becomes a draft."""
    return unproven(office, DRAFT)


def branch(pull: PullRequest) -> str:
    return f"backport/{pull.number}-to-release-1.2"


def draft(office: Office, pull: PullRequest) -> PullRequest:
    """Ask, and return the draft that the conflict became."""
    (result,) = office.say(ASK, on=pull.number)
    assert isinstance(result, Conflicted), result
    assert result.draft is not None
    return office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(result.draft.number)


def conclusion(office: Office, sha: str) -> str | None:
    """Return what the check over the markers says of a commit; None where there is no such check."""
    runs = office.people[MAINTAINER].get_repo(REPOSITORY).get_commit(sha).get_check_runs(check_name=CHECK)
    return next((run.conclusion for run in runs), None)


def push(office: Office, pull: PullRequest, text: str) -> str:
    """Let a person push the file to the backport branch, and tell the bot."""
    commit = write(office, f"{branch(pull)}-pushed", {"widget/count.py": text}, "Resolve", onto=branch(pull))
    office.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref(f"heads/{branch(pull)}").edit(commit)
    tell(office, office.backports()[0])
    return commit


def tell(office: Office, backport: PullRequest) -> None:
    answer(ChangeTrigger(repository=REPOSITORY, pull_request=backport.number), office.context)


def test_a_conflict_becomes_a_draft_with_a_red_check_and_one_commit_for_each_original(
    drafting: Office, pull: PullRequest
) -> None:
    backport = draft(drafting, pull)
    assert backport.draft
    assert conclusion(drafting, backport.head.sha) == "failure"
    subjects = [line.partition("+0200 ")[2] for line in picked(drafting, branch(pull), TARGET)]
    assert subjects == ["Count more", "Be late"]
    held_output = git(drafting.git_dir, "show", f"{branch(pull)}:widget/count.py")
    assert held_output.startswith(f"<<<<<<< {TARGET}\nCOUNT = 5\n||||||| before ")
    assert "=======\nCOUNT = 2\n>>>>>>> " in held_output
    (reply,) = drafting.answers(pull.number)
    assert f"#{backport.number}" in reply
    assert drafting.reactions(pull.number) == ["eyes", "confused"]


def test_without_the_setting_nothing_is_pushed(office: Office, pull: PullRequest) -> None:
    (result,) = unproven(office).say(ASK, on=pull.number)
    assert isinstance(result, Conflicted)
    assert result.draft is None
    assert branch(pull) not in office.branches()


def test_a_dry_run_pushes_no_draft(drafting: Office, pull: PullRequest) -> None:
    drafting.say(f"{ASK} --dry-run", on=pull.number)
    assert drafting.backports() == []


def test_the_check_follows_pushes_until_no_marker_is_left(drafting: Office, pull: PullRequest) -> None:
    draft(drafting, pull)
    half = push(drafting, pull, "<<<<<<< mine\nCOUNT = 7\n")
    assert conclusion(drafting, half) == "failure"
    whole_commit = push(drafting, pull, "COUNT = 7\n")
    assert conclusion(drafting, whole_commit) == "success"
    assert conclusion(drafting, half) == "failure"


def test_whoever_marks_it_ready_too_early_gets_the_draft_back_and_the_reason(
    drafting: Office, pull: PullRequest
) -> None:
    backport = draft(drafting, pull)
    backport.mark_ready_for_review()
    tell(drafting, backport)
    (now,) = drafting.backports()
    assert now.draft
    assert conclusion(drafting, now.head.sha) == "failure"
    assert "`widget/count.py`" in drafting.answers(backport.number)[0]


def test_a_resolved_draft_may_be_marked_ready(drafting: Office, pull: PullRequest) -> None:
    backport = draft(drafting, pull)
    push(drafting, pull, "COUNT = 7\n")
    backport.mark_ready_for_review()
    tell(drafting, backport)
    (now,) = drafting.backports()
    assert not now.draft
    assert drafting.answers(backport.number) == []


def test_markers_that_a_person_pushes_to_a_clean_backport_make_it_a_draft(office: Office) -> None:
    lenient = unproven(office)
    (outcome,) = lenient.say(ASK, on=9)
    assert isinstance(outcome, Opened)
    (backport,) = lenient.backports()
    assert not backport.draft
    marked_text = "<<<<<<< a\nA\n=======\nB\n>>>>>>> b\n"
    commit = write(lenient, "side", {"widget/hello.py": marked_text}, "Oops", onto=backport.head.ref)
    lenient.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref(f"heads/{backport.head.ref}").edit(commit)
    tell(lenient, backport)
    assert lenient.backports()[0].draft
    assert conclusion(lenient, commit) == "failure"


SHOWN = "<<<<<<< HEAD\nmine\n=======\ntheirs\n>>>>>>> topic\n"


@pytest.mark.parametrize("is_moved", [False, True])
@pytest.mark.parametrize("settings", ["", DRAFT])
def test_markers_that_the_original_brings_are_its_content(office: Office, settings: str, is_moved: bool) -> None:
    shown_values = {f"docs/{name}.txt": f"{name}\n" * 5 for name in ("one", "two", "three")}
    write(office, "main", shown_values, "Write the pages")
    if is_moved:
        write(
            office,
            TARGET,
            {path.replace("docs/", "pages/"): text for path, text in shown_values.items()},
            "Write pages",
        )
    else:
        write(office, TARGET, shown_values, "Write the pages")
    write(office, "topic", {"docs/one.txt": shown_values["docs/one.txt"] + SHOWN}, "Show a conflict", onto="main")
    other_pull = open_pull(office, "topic", title="Show a conflict")
    other_pull.merge(merge_method="squash")
    lenient = unproven(office, settings)
    (outcome,) = lenient.say(ASK, on=other_pull.number)
    assert isinstance(outcome, Opened)
    backport = office.people[MAINTAINER].get_repo(REPOSITORY).get_pull(outcome.pull_request.number)
    if is_moved:  # a proposal, which opens as a draft
        backport.mark_ready_for_review()
    tell(lenient, backport)
    assert not lenient.backports()[0].draft
    assert lenient.answers(backport.number) == []
    path = "pages/one.txt" if is_moved else "docs/one.txt"
    twice = git(office.git_dir, "show", f"{backport.head.ref}:{path}") + "\n" + SHOWN
    commit = write(lenient, "side", {path: twice}, "Oops", onto=backport.head.ref)
    office.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref(f"heads/{backport.head.ref}").edit(commit)
    tell(lenient, backport)
    assert lenient.backports()[0].draft, "the same marker once more is a conflict"


def test_a_pull_request_of_somebody_else_is_none_of_our_business(drafting: Office, pull: PullRequest) -> None:
    """Whoever copies our hidden lines into a body of their own is not believed."""
    body = draft(drafting, pull).body
    write(drafting, "side", {"widget/x.py": "<<<<<<< a\n"}, "Side", onto=TARGET)
    theirs = open_pull(drafting, "side", body=body, base=TARGET)
    tell(drafting, theirs)
    assert conclusion(drafting, theirs.head.sha) is None
    assert not drafting.people[MAINTAINER].get_repo(REPOSITORY).get_pull(theirs.number).draft


def test_a_file_that_one_side_removed_is_marked_as_a_whole(drafting: Office, pull: PullRequest) -> None:
    write(drafting, "topic2", {"widget/gone.py": "HERE = 2\n"}, "Change what is not there", onto="main")
    other_pull = open_pull(drafting, "topic2", title="Change what is not there")
    other_pull.merge(merge_method="squash")
    backport = draft(drafting, other_pull)
    held_output = git(drafting.git_dir, "show", f"{branch(other_pull)}:widget/gone.py")
    assert held_output.startswith(f"<<<<<<< {TARGET}\n||||||| ")
    assert "HERE = 2\n>>>>>>>" in held_output
    assert conclusion(drafting, backport.head.sha) == "failure"
    assert "changed on one side and not there on the other" in backport.body


def put(office: Office, name: str, entry: str, onto: str | None = None) -> None:
    """Put a commit on a branch in which `lib` is this entry: its mode, a comma and its object."""
    start = git(office.git_dir, "rev-parse", onto or name)
    index = {"GIT_INDEX_FILE": str(office.git_dir / "lib-index")}
    git(office.git_dir, "read-tree", start, **index)
    git(office.git_dir, "update-index", "--add", "--cacheinfo", f"{entry},lib", **index)
    tree = git(office.git_dir, "write-tree", **index)
    sha = git(office.git_dir, "commit-tree", tree, "-p", start, "-m", f"Put lib on {name}")
    git(office.git_dir, "update-ref", f"refs/heads/{name}", sha)


def blob(office: Office, mode: str, text: str) -> str:
    return f"{mode},{git(office.git_dir, 'hash-object', '-w', '--stdin', stdin=text)}"


def differing(office: Office, kind: str) -> tuple[str, str, str]:
    """Return three entries of a kind without lines: of main, of the target, of the original."""
    if kind == "submodule":
        return "160000," + "1" * 40, "160000," + "2" * 40, "160000," + "3" * 40
    mode, lead = ("120000", "") if kind == "link" else ("100644", "\0")
    main, target, original = (blob(office, mode, f"{lead}{name}") for name in ("one", "two", "three"))
    return main, target, original


WITHOUT_LINES = {
    "submodule": ("a submodule that both sides moved", f"a submodule at {'2' * 40}"),
    "link": ("cannot be merged", "a link to two"),
    "binary": ("a binary file that both sides changed", "a file of 4 bytes"),
}


@pytest.mark.parametrize("kind", WITHOUT_LINES)
def test_a_conflict_without_lines_is_a_draft_that_tells_what_each_side_has(office: Office, kind: str) -> None:
    main, target, original = differing(office, kind)
    put(office, "main", main)
    put(office, TARGET, target)
    put(office, "topic", original, onto="main")
    other_pull = open_pull(office, "topic", title="Move lib")
    other_pull.merge(merge_method="squash")
    drafting = unproven(office, DRAFT)
    backport = draft(drafting, other_pull)
    expected_text, ours = WITHOUT_LINES[kind]
    assert expected_text in drafting.answers(other_pull.number)[0]
    assert expected_text in backport.body
    assert "; `lib.backport-conflict` says what each side has" in backport.body
    assert conclusion(drafting, backport.head.sha) == "failure"
    text = git(office.git_dir, "show", f"{branch(other_pull)}:lib.backport-conflict")
    assert f"<<<<<<< {TARGET}\n{ours}" in text
    entry = git(office.git_dir, "ls-tree", branch(other_pull), "lib").replace("\t", " ").split()
    assert (entry[0], entry[2]) == tuple(target.split(",")), "the branch's own stays where it was"
    commit = write(
        drafting, f"{branch(other_pull)}-pushed", {"lib.backport-conflict": None}, "Resolve", onto=branch(other_pull)
    )
    drafting.people[MAINTAINER].get_repo(REPOSITORY).get_git_ref(f"heads/{branch(other_pull)}").edit(commit)
    tell(drafting, backport)
    assert conclusion(drafting, commit) == "success"


@pytest.mark.parametrize("kind", WITHOUT_LINES)
def test_a_conflict_without_lines_is_told_as_what_it_is_and_pushed_nowhere(office: Office, kind: str) -> None:
    main, target, original = differing(office, kind)
    put(office, "main", main)
    put(office, TARGET, target)
    put(office, "topic", original, onto="main")
    other_pull = open_pull(office, "topic", title="Move lib")
    other_pull.merge(merge_method="squash")
    (result,) = unproven(office).say(ASK, on=other_pull.number)
    assert isinstance(result, Conflicted)
    assert WITHOUT_LINES[kind][0] in office.answers(other_pull.number)[0]
    assert branch(other_pull) not in office.branches()


def test_a_file_that_is_a_folder_on_the_branch_is_a_draft_that_keeps_the_folder(office: Office) -> None:
    write(office, TARGET, {"lib/inner.py": "A = 1\n"}, "A folder")
    write(office, "main", {"lib": "one\n"}, "A file")
    write(office, "topic", {"lib": "two\n"}, "Change the file", onto="main")
    other_pull = open_pull(office, "topic", title="Change the file")
    other_pull.merge(merge_method="squash")
    drafting = unproven(office, DRAFT)
    backport = draft(drafting, other_pull)
    assert "lib is a folder on the branch" in backport.body
    files = git(office.git_dir, "ls-tree", "-r", "--name-only", branch(other_pull)).splitlines()
    assert "lib/inner.py" in files
    assert not [name for name in files if "~" in name]
    assert conclusion(drafting, backport.head.sha) == "failure"


@pytest.mark.parametrize(
    ("main", "target", "original"),
    [
        (("100644", "text\n"), ("100644", "changed\n"), ("120000", "target")),
        (("120000", "target"), ("120000", "elsewhere"), ("100644", "text\n")),
        (("100644", "text\n"), ("120000", "target"), ("100644", "changed\n")),
    ],
    ids=["became a link", "became a file", "a link on the branch"],
)
def test_a_link_against_a_file_is_a_draft_without_a_stray_file(
    office: Office, main: tuple[str, str], target: tuple[str, str], original: tuple[str, str]
) -> None:
    put(office, "main", blob(office, *main))
    put(office, TARGET, blob(office, *main))
    put(office, TARGET, blob(office, *target))
    put(office, "topic", blob(office, *original), onto="main")
    other_pull = open_pull(office, "topic", title="Change lib")
    other_pull.merge(merge_method="squash")
    backport = draft(unproven(office, DRAFT), other_pull)
    files = git(office.git_dir, "ls-tree", "-r", "--name-only", branch(other_pull)).splitlines()
    assert [name for name in files if name.startswith("lib")] == ["lib", "lib.backport-conflict"]
    entry = git(office.git_dir, "ls-tree", branch(other_pull), "lib").split()
    assert (entry[0], entry[2]) == tuple(blob(office, *target).split(",")), "the branch's own stays where it was"
    assert conclusion(office, backport.head.sha) == "failure"
    assert "a file that the other side has as a link" in backport.body


def test_a_redo_never_overwrites_what_a_person_resolved(drafting: Office, pull: PullRequest) -> None:
    draft(drafting, pull)
    theirs = push(drafting, pull, "COUNT = 7\n")
    (result,) = drafting.say(f"{ASK} --redo", on=pull.number)
    assert isinstance(result, Failed)
    assert theirs[:12] in result.message
    assert "Ann" in result.message, "the committer's name"
    assert drafting.branches()[branch(pull)] == theirs


def test_a_redo_after_the_conflict_is_gone_makes_it_an_ordinary_backport(drafting: Office, pull: PullRequest) -> None:
    draft(drafting, pull)
    write(drafting, TARGET, {"widget/count.py": "COUNT = 1\n"}, "Count as main does")
    (result,) = drafting.say(f"{ASK} --redo", on=pull.number)
    assert isinstance(result, Opened)
    (now,) = drafting.backports()
    assert not now.draft
    assert "is not finished" not in now.body
    assert conclusion(drafting, now.head.sha) == "success"


def test_the_commands_of_the_draft_work_when_pasted(drafting: Office, pull: PullRequest, tmp_path: Path) -> None:
    body = draft(drafting, pull).body
    begin, finish = (part.partition("\n```")[0] for part in body.split("```sh\n")[1:3])
    work = tmp_path / "paste" / "clone"
    work.parent.mkdir()
    git(tmp_path, "clone", "--quiet", str(drafting.git_dir), str(work))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    identity = {
        f"GIT_{role}_{field}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")
    }

    def paste(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script], cwd=work, env=environment | identity, capture_output=True, text=True, check=False
        )

    run_output = paste(begin)
    assert "widget/count.py:1:<<<<<<<" in run_output.stdout, run_output.stderr
    before = drafting.branches()[branch(pull)]
    assert paste(finish).returncode != 0
    assert drafting.branches()[branch(pull)] == before, "a marker was pushed again"
    (file,) = (work.parent).glob("backport-*/widget/count.py")
    file.write_text("COUNT = 7\n")
    process = paste(finish)
    assert process.returncode == 0, process.stderr
    assert git(drafting.git_dir, "show", f"{branch(pull)}:widget/count.py") == "COUNT = 7"
