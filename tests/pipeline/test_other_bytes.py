"""Names and contents that are no UTF-8: what git takes, and no JSON text can hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.models import Conflicted, Failed, Opened
from tests.pipeline.landing import open_pull, unproven, write
from tests.pipeline.office import MAINTAINER, REPOSITORY, Office, git

TARGET = "release/1.2"
ASK = f"/backport {TARGET}"
NAME = "widget/caf\udce9.txt"
SPELLED = r"widget/caf\xe9.txt"


def merged(office: Office, branch: str = "topic") -> int:
    pull = open_pull(office, branch, title="Change it")
    pull.merge(merge_method="rebase")
    return pull.number


def put(office: Office, branch: str, content: bytes, scratch: Path) -> None:
    """Put a commit on a branch that gives widget/text.txt these bytes."""
    (scratch / "content").write_bytes(content)
    blob = git(office.git_dir, "hash-object", "-w", str(scratch / "content"))
    index = {"GIT_INDEX_FILE": str(office.git_dir / "bytes-index")}
    git(office.git_dir, "read-tree", branch, **index)
    git(office.git_dir, "update-index", "--add", "--cacheinfo", f"100644,{blob},widget/text.txt", **index)
    tree = git(office.git_dir, "write-tree", **index)
    sha = git(office.git_dir, "commit-tree", tree, "-p", branch, "-m", "Put it")
    git(office.git_dir, "update-ref", f"refs/heads/{branch}", sha)


@pytest.mark.parametrize("encoding", ["latin-1", "shift_jis"])
def test_a_content_in_another_encoding_is_spelled_out_in_the_range_diff(
    office: Office, encoding: str, tmp_path: Path
) -> None:
    before, after = {"latin-1": ("grüße\nalt\n", "grüße\nneu é\n"), "shift_jis": ("日本\n一\n", "日本\n二\n")}[encoding]
    for branch in ("main", TARGET):
        put(office, branch, before.encode(encoding), tmp_path)
    git(office.git_dir, "branch", "topic", "main")
    put(office, "topic", after.encode(encoding), tmp_path)
    number = merged(office)
    lenient = unproven(office)
    (outcome,) = lenient.say(ASK, on=number)
    assert isinstance(outcome, Opened)
    (second_outcome,) = lenient.say(f"{ASK} --redo", on=number)
    assert isinstance(second_outcome, Opened)
    (pull,) = office.backports()
    kept_sha = git(office.git_dir, "rev-parse", f"{pull.head.ref}:widget/text.txt")
    assert kept_sha == git(office.git_dir, "rev-parse", "topic:widget/text.txt")


def test_a_name_that_is_no_utf8_is_spelled_out_wherever_it_is_told(office: Office) -> None:
    for branch in ("main", TARGET):
        write(office, branch, {NAME: f"{branch}\n"}, "Add it")
    write(office, "topic", {NAME: "new\n"}, "Change it", onto="main")
    number = merged(office)
    lenient = unproven(office, "publish: {on_conflict: draft}\npick: {propose: false}")
    (conflict,) = lenient.say(ASK, on=number)
    assert isinstance(conflict, Conflicted)
    (reply,) = office.answers(number)
    assert f"`{SPELLED}`" in reply
    (draft,) = office.backports()
    assert f"$'{SPELLED}'" in draft.body
    assert not re.search("[\ud800-\udfff]", reply + draft.body)


def test_a_branch_whose_name_is_no_utf8_is_no_target(office: Office) -> None:
    git(office.git_dir, "update-ref", "refs/heads/release/caf\udce9", TARGET)
    results = unproven(office).say("/backport all", on=9)
    assert sorted(result.target for result in results) == ["release/1.0", "release/1.1", "release/1.2"]


def test_a_name_that_github_cannot_write_ends_a_signed_backport_with_the_reason(office: Office) -> None:
    for branch in ("main", TARGET):
        write(office, branch, {NAME: "old\n"}, "Add it")
    write(office, "topic", {NAME: "new\n"}, "Change it", onto="main")
    number = merged(office)
    (outcome,) = unproven(office, "commit: {verified: true}").say(ASK, on=number)
    assert isinstance(outcome, Failed)
    assert r"caf\udce9" in outcome.message
    assert "commit.verified: false" in outcome.hint


def test_the_fake_refuses_a_lone_surrogate_as_no_json(office: Office) -> None:
    repository = office.people[MAINTAINER].get_repo(REPOSITORY)
    with pytest.raises(Exception, match="Problems parsing JSON"):
        repository.get_issue(9).create_comment("\udce9")
