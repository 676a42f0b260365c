"""A partial mirror answers as a whole one does, whatever of the history it has."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.environment.trace import Trace, record
from bot.errors import FetchFailed, GitError, PushRejected
from bot.git import connection
from bot.git.branch_only_commits import BranchOnlyCommits
from bot.git.diff_text import commit_patches, range_diff
from bot.git.known_history import Divergence, KnownHistory
from bot.git.mirror import open_mirror
from bot.git.partial import PartialMirror
from bot.git.repository import Repository
from bot.models import Sha
from tests.git.history import History

NO_COMMIT = Sha("d" * 40)


@pytest.fixture
def served(history: History) -> History:
    """Return a history whose server leaves out what it is asked to, as GitHub does."""
    history.git("config", "uploadpack.allowFilter", "true")
    history.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return history


@pytest.fixture
def mirror(served: History, tmp_path: Path) -> Iterator[Repository]:
    """Return a new partial mirror of the history."""
    with open_mirror(served.directory.as_uri(), tmp_path / "mirror.git", partial=True) as opened:
        yield opened


def _partial(mirror: Repository) -> PartialMirror:
    assert mirror.partial is not None
    return mirror.partial


def _objects(mirror: Repository) -> set[str]:
    listed = _partial(mirror).git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.split())


def _line(history: History, length: int = 9) -> list[Sha]:
    """Return commits of a straight line, each with another content of one file beside one that is never changed."""
    commits = [history.commit({"f": "0\n", "untouched": "same\n"})]
    for number in range(1, length):
        commits.append(history.commit({"f": f"{number}\n"}, commits[-1]))
    history.branch("main", commits[-1])
    return commits


def test_a_commit_comes_with_its_parent_and_without_files(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    assert mirror.commit(commits[-2]).tree in _objects(mirror)
    assert commits[-3] not in _objects(mirror)
    assert served.git("rev-parse", f"{commits[-1]}:f") not in _objects(mirror)


def test_a_file_is_fetched_when_it_is_read_and_no_other(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    assert mirror.read(commits[-1], "f") == b"8\n"
    assert served.git("rev-parse", f"{commits[-1]}:untouched") not in _objects(mirror)
    assert mirror.read(commits[-1], "absent") is None


def test_history_is_completed_without_trees_when_it_is_asked_for(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1], commits[2]])
    assert mirror.is_ancestor(commits[2], commits[-1])
    assert not mirror.is_ancestor(commits[-1], commits[2])
    assert commits[0] in _objects(mirror)
    assert served.git("rev-parse", f"{commits[5]}^{{tree}}") not in _objects(mirror)


def test_what_is_here_is_told_without_a_new_process(served: History, mirror: Repository, tmp_path: Path) -> None:
    """A pick asks some hundred times, most often for the same objects."""
    commits = _line(served)
    mirror.fetch([commits[-1]])
    file = Sha(served.git("rev-parse", f"{commits[-1]}:f"))
    traces: list[Trace] = []

    def keep(trace: Trace) -> str:
        traces.append(trace)
        return ""

    with record({tmp_path / "trace": keep}, "run"):
        assert _partial(mirror).lacking([file, commits[-1], NO_COMMIT]) == [file, NO_COMMIT]
        assert mirror.read(commits[-1], "f") == b"8\n"
        assert _partial(mirror).lacking([file, commits[-1], NO_COMMIT]) == [NO_COMMIT]
    assert [span.attributes["command"] for span in traces[0].spans if span.name == "git"] == ["fetch"]


def test_what_is_certain_completes_no_history(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    assert [commit.sha for commit in mirror.commits_between(commits[-2], commits[-1])] == [commits[-1]]
    assert mirror.is_ancestor(commits[-2], commits[-1])
    assert mirror.merge_base(commits[-1], commits[-2]) == commits[-2]
    assert _partial(mirror).is_shallow


def test_the_patch_of_a_commit_that_was_cut_is_against_its_parent(served: History, mirror: Repository) -> None:
    """git takes a commit at the end of a shallow history for a first one, which adds every file."""
    commits = _line(served)
    mirror.fetch([commits[-1]])
    with Repository.open(served.directory) as whole:
        assert commit_patches(mirror, [commits[-2]]) == commit_patches(whole, [commits[-2]])


def test_a_range_diff_names_commits_alike_however_many_objects_are_here(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    text = range_diff(mirror, [commits[-1]], commits[-2], commits[-1])
    assert text == f"1:  {commits[-1][:12]} = 1:  {commits[-1][:12]} change"


def test_a_name_of_no_commit_completes_nothing(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    before = _objects(mirror)
    assert not mirror.contains(NO_COMMIT)
    assert mirror.resolve(NO_COMMIT) is None
    assert _objects(mirror) == before


def test_a_commit_that_the_remote_lacks_is_an_error(served: History, mirror: Repository) -> None:
    _line(served)
    with pytest.raises(FetchFailed, match=r"d{40}"):
        mirror.fetch([NO_COMMIT])


def test_a_partial_mirror_stays_one_for_whoever_opens_it(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    with open_mirror(served.directory.as_uri(), mirror.git.directory) as again:
        assert again.is_ancestor(commits[0], commits[-1])
        assert again.read(commits[0], "f") == b"0\n"


def test_a_whole_mirror_stays_whole(served: History, tmp_path: Path) -> None:
    commits = _line(served)
    for partial in (False, True):
        with open_mirror(served.directory.as_uri(), tmp_path / "whole.git", partial=partial) as opened:
            opened.fetch([commits[-1]])
            assert opened.partial is None
            assert opened.contains(commits[0])


def test_it_becomes_whole_on_demand(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    mirror.make_whole()
    served.directory.rename(served.directory.with_name("gone"))
    assert [mirror.read(commit, "f") for commit in commits[:2]] == [b"0\n", b"1\n"]
    assert mirror.is_ancestor(commits[0], commits[-1])


def test_a_server_that_leaves_nothing_out_serves_all_and_it_is_said_once(
    history: History, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commits = _line(history)
    history.git("config", "uploadpack.allowFilter", "false")
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", partial=True) as mirror:
        with caplog.at_level(logging.WARNING):
            mirror.fetch([commits[-1]])
            mirror.fetch([commits[4]])
        assert mirror.read(commits[-1], "f") == b"8\n"
        assert mirror.is_ancestor(commits[0], commits[-1])
    assert [record.message for record in caplog.records] == [
        "The remote leaves nothing out, so more is fetched than a backport needs."
    ]


def test_a_server_that_refuses_objects_by_name_is_asked_for_everything(
    history: History, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that speaks only the first version of the protocol and was not told to allow it."""
    commits = _line(history)
    history.git("config", "uploadpack.allowFilter", "true")
    with open_mirror(history.directory.as_uri(), tmp_path / "mirror.git", partial=True) as mirror:
        mirror.git.run("config", "protocol.version", "0")
        mirror.fetch([commits[-1]])
        assert _partial(mirror).is_partial
        assert mirror.read(commits[-1], "f") == b"8\n"
        assert not _partial(mirror).is_partial
        assert mirror.is_ancestor(commits[0], commits[-1])
    assert "does not serve the parts" in caplog.text


def test_a_server_that_is_gone_is_an_error_and_no_empty_file(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    served.directory.rename(served.directory.with_name("gone"))
    with pytest.raises(GitError):
        mirror.read(commits[-1], "f")
    with pytest.raises(GitError):
        mirror.is_ancestor(commits[0], commits[-1])
    served.directory.with_name("gone").rename(served.directory)
    assert mirror.read(commits[-1], "f") == b"8\n"
    assert mirror.is_ancestor(commits[0], commits[-1])


def test_what_git_fetches_by_itself_in_a_quarantine_is_kept(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    file = Sha(served.git("rev-parse", f"{commits[-1]}:f"))
    with mirror.quarantine() as outer, outer.quarantine() as quarantine:
        assert quarantine.git.run("cat-file", "blob", file) == b"8\n"
        assert file not in _objects(mirror)
    served.directory.rename(served.directory.with_name("gone"))
    assert mirror.read(commits[-1], "f") == b"8\n"


@pytest.mark.parametrize("lost", [0, 1])
def test_what_a_mirror_lost_is_fetched_again(served: History, mirror: Repository, lost: int) -> None:
    """The packs of one of two fetches are gone; the refs that keep their commits are not."""
    commits = _line(served)
    side = served.branch("side", served.commit({"f": "side\n"}, commits[3]))
    folder = mirror.git.directory / "objects" / "pack"
    mirror.fetch([side, commits[-2]])
    _partial(mirror).complete_history()
    first = set(folder.iterdir())
    mirror.fetch([commits[-1]])
    mirror.close()
    for file in (first, set(folder.iterdir()) - first)[lost]:
        file.unlink()
    with open_mirror(mirror.connection.url, mirror.git.directory) as opened:
        opened.fetch([side, commits[-1]])
        history = BranchOnlyCommits().read(opened, side, [commits[-1]], ["f"])
        assert [commit.sha for commit in history.commits] == [side]
        assert [commit.sha for commit in opened.commits_between(side, commits[-1])] == commits[4:]
        assert opened.read(side, "f") == b"side\n"


def test_an_object_that_the_server_has_lost_is_an_error_and_no_absent_file(served: History, mirror: Repository) -> None:
    commits = _line(served)
    lost = Sha(served.git("rev-parse", f"{commits[-1]}:f"))
    served.git("repack", "-a", "-d", "--quiet")
    served.git("unpack-objects", "-q", stdin=_taken_out(served))
    mirror.fetch([commits[-1]])
    (served.directory / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(FetchFailed):
        mirror.read(commits[-1], "f")


def _taken_out(history: History) -> bytes:
    """Return the pack of a history after taking it out, so that its objects can be written one by one."""
    (pack,) = (history.directory / "objects" / "pack").glob("*.pack")
    content = pack.read_bytes()
    for file in pack.parent.iterdir():
        file.unlink()
    return content


def test_a_candidate_is_pushed_from_it(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    commit = mirror.commit(commits[-1])
    candidate = mirror.write_commit(
        commits[-1], {"f": b"new\n"}, message="a pick", author=commit.author, committer=commit.committer
    )
    mirror.push(candidate, "backport/1", expected=None)
    assert served.git("show", "backport/1:f") == "new"
    assert _partial(mirror).is_shallow


def test_a_candidate_that_was_not_pushed_is_not_asked_of_the_remote_later(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[-1]])
    commit = mirror.commit(commits[-1])
    candidate = mirror.write_commit(
        commits[-1], {"f": b"new\n"}, message="a pick", author=commit.author, committer=commit.committer
    )
    with pytest.raises(PushRejected):
        mirror.push(candidate, "backport/1", expected=commits[0])
    assert mirror.is_ancestor(commits[0], commits[-1])


def test_an_object_that_git_lacks_within_a_command_is_asked_for_again(
    served: History, mirror: Repository, tmp_path: Path
) -> None:
    """A server that fails once is no reason for another answer: git's own fetch of an object is tried once."""
    commits = _line(served)
    mirror.fetch([commits[-1]])
    server = tmp_path / "server"
    server.write_text(
        f'#!/bin/sh\nif [ ! -e {tmp_path}/failed ]; then touch {tmp_path}/failed; echo "HTTP 500" >&2; exit 1; fi\n'
        'exec git-upload-pack "$@"\n'
    )
    server.chmod(0o755)
    mirror.git.run("config", "remote.origin.uploadpack", str(server))
    result = mirror.git.attempt("diff-tree", "-p", commits[-2], commits[-1])
    assert (tmp_path / "failed").exists()
    assert b"+8" in result.stdout


def test_a_commit_that_was_only_written_here_is_an_original_like_any_other(served: History, mirror: Repository) -> None:
    """A pull request that is not merged yet: its squash is a commit of a quarantine, which the remote never had."""
    commits = _line(served)
    tip = served.branch("release", served.commit({"g": "of the branch\n"}, commits[3]))
    mirror.branches()
    mirror.fetch([commits[-1], tip])
    commit = mirror.commit(commits[-1])
    with mirror.quarantine() as quarantine:
        squash = quarantine.write_commit(
            commits[-1], {"f": b"new\n"}, message="a squash", author=commit.author, committer=commit.committer
        )
        history = BranchOnlyCommits().read(quarantine, tip, [squash], ["f"])
    assert [own.sha for own in history.commits] == [tip]
    assert history.shared_commits == {commits[3]}


def test_a_branch_that_was_merged_into_main_hides_nothing_of_main(served: History, mirror: Repository) -> None:
    """git ends the list of what main alone has at that merge, so the list lacks main's commits before it."""
    fork = served.commit({"f": "fork"}, served.commit({"f": "root"}))
    release = served.commit({"g": "of the release"}, fork)
    topic_start = before = served.commit({"f": "1"}, fork)
    for number in range(2, 5):
        before = served.commit({"f": f"{number}"}, before)
    merge = served.commit({"g": "of the release"}, before, release)
    main = served.branch("main", served.commit({"h": "topic"}, merge, served.commit({"h": "topic"}, topic_start)))
    tip = served.branch("release", served.commit({"g": "2"}, release))
    mirror.branches()
    mirror.fetch([before, tip])
    mirror.compare(tip, before)
    mirror.fetch([main])
    with Repository.open(served.directory) as whole:
        histories = [BranchOnlyCommits().read(repository, main, [tip], ["f"]) for repository in (mirror, whole)]
    assert histories[0] == histories[1]


def test_what_a_gap_hides_is_not_taken_for_what_one_branch_alone_has() -> None:
    """The merge's parents are here, but only the fork, whose parents are cut, could tell that both have them."""
    merge, original, fork, one, other = (Sha(sign * 40) for sign in "abcde")
    parents = {merge: (one, other), original: (fork,), fork: None, one: (), other: ()}
    history = KnownHistory(parents.__getitem__)
    sides = frozenset({merge, original}), frozenset[Sha]()
    history.divergences.append(Divergence(sides, frozenset({fork}), frozenset({fork})))
    assert history.exclusions([merge], [original]) is None


def test_what_branches_alone_have_comes_in_one_request_and_without_mains_commits(
    served: History, mirror: Repository, tmp_path: Path
) -> None:
    commits = _line(served)
    tips = [served.branch(f"release/{n}", served.commit({"g": f"{n}\n"}, commits[n])) for n in (1, 2, 3)]
    mirror.fetch([commits[6], *tips])
    requests = _counted(mirror, tmp_path)
    partial = _partial(mirror)
    excluded = partial.exclusions(tips, [commits[6]])
    assert excluded == {commits[1], commits[2], commits[3]}
    assert commits[4] not in _objects(mirror)
    assert commits[7] not in _objects(mirror)
    listed = partial.git.text("rev-list", *tips, f"^{commits[6]}", *(f"^{sha}" for sha in excluded)).split()
    assert sorted(listed) == sorted(tips)
    assert len(requests.read_text().splitlines()) == 1, "the commits where the branches end came with their tips"


def _counted(mirror: Repository, directory: Path) -> Path:
    """Let the server note each request in a file, which is returned."""
    requests, server = directory / "requests", directory / "server"
    server.write_text(f'#!/bin/sh\necho "$@" >> {requests}\nexec git-upload-pack "$@"\n')
    server.chmod(0o755)
    mirror.git.run("config", "remote.origin.uploadpack", str(server))
    return requests


def test_what_breaks_off_between_two_answers_is_not_taken_for_here(
    served: History, mirror: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer has a branch's commits; the second, with the commits where they end, never comes."""
    commits = _line(served)
    first = served.commit({"g": "1\n"}, commits[2])
    tip = served.branch("release", served.commit({"g": "3\n"}, served.commit({"g": "2\n"}, first)))
    mirror.fetch([commits[6], tip])
    monkeypatch.setattr(connection, "_PAUSES", ())
    server, seen = tmp_path / "server", tmp_path / "seen"
    server.write_text(
        f'#!/bin/sh\n[ ! -e {seen} ] || {{ echo "early EOF" >&2; exit 1; }}\ntouch {seen}\nexec git-upload-pack "$@"\n'
    )
    server.chmod(0o755)
    mirror.git.run("config", "remote.origin.uploadpack", str(server))
    with pytest.raises(FetchFailed):
        _partial(mirror).exclusions([tip], [commits[6]])
    seen.unlink()
    assert mirror.commit(first).parents == (commits[2],)


def test_what_was_compared_is_asked_about_without_the_whole_history(served: History, mirror: Repository) -> None:
    """As a pull request's head and the commit that it was merged as are."""
    commits = _line(served)
    head = served.branch("topic", served.commit({"g": "2\n"}, served.commit({"g": "1\n"}, commits[4])))
    mirror.fetch([commits[7], head])
    mirror.compare(commits[7], head)
    assert len(mirror.commits_between(commits[7], head)) == 2
    assert mirror.merge_base(commits[6], head) == commits[4]
    assert _partial(mirror).is_shallow
    assert commits[2] not in _objects(mirror)


def test_a_branch_that_main_has_whole_has_nothing_of_its_own(served: History, mirror: Repository) -> None:
    commits = _line(served)
    mirror.fetch([commits[6], commits[2]])
    assert _partial(mirror).exclusions([commits[2]], [commits[6]]) == {commits[2]}
    assert _partial(mirror).is_shallow


def test_what_a_branch_has_besides_a_commit_that_the_remote_does_not_know_needs_the_whole_history(
    served: History, mirror: Repository
) -> None:
    """The remote cannot leave out the ancestors of what it does not know, so what it sends proves nothing."""
    commits = _line(served)
    tip = served.branch("release", served.commit({"g": "1\n"}, commits[2]))
    mirror.fetch([commits[6], tip])
    commit = mirror.commit(commits[6])
    local = mirror.write_commit(
        commits[6], {"f": b"new\n"}, message="a pick", author=commit.author, committer=commit.committer
    )
    assert _partial(mirror).exclusions([tip], [local]) == frozenset()
    assert not _partial(mirror).is_shallow


def test_a_server_that_tells_no_differences_is_asked_for_the_history(
    served: History, mirror: Repository, tmp_path: Path
) -> None:
    """One that fails is the same to git as one that refuses."""
    commits = _line(served)
    tip = served.branch("release", served.commit({"g": "1\n"}, commits[2]))
    mirror.fetch([commits[6], tip])
    server = tmp_path / "server"
    server.write_text("#!/bin/sh\nexit 1\n")
    server.chmod(0o755)
    mirror.git.run("config", "remote.origin.uploadpack", str(server))
    assert _partial(mirror).exclusions([tip], [commits[6]]) == frozenset()
    assert mirror.git.text("rev-list", tip, f"^{commits[6]}") == tip


@pytest.mark.parametrize("seed", range(6))
def test_any_question_about_branches_is_answered_as_by_the_whole_history(
    seed: int, served: History, tmp_path: Path
) -> None:
    """A main branch and two others that merge each other at random; git on the whole history is the judge."""
    dice = random.Random(seed)  # noqa: S311 - a test that can be repeated
    tips, commits = _tangle(served, dice)
    with Repository.open(served.directory) as whole:
        for number in range(4):
            branch, original = dice.choice(["one", "two"]), dice.choice(commits)
            other = dice.choice(commits)
            with open_mirror(served.directory.as_uri(), tmp_path / f"{number}.git", partial=True) as mirror:
                mirror.branches()
                mirror.fetch([original, tips[branch]])
                histories = [
                    BranchOnlyCommits().read(repository, tips[branch], [original], ["f"])
                    for repository in (mirror, whole)
                ]
                assert histories[0] == histories[1]
                mirror.fetch([other])
                for first, second in ((original, other), (other, tips[branch]), (tips[branch], original)):
                    assert mirror.is_ancestor(first, second) == whole.is_ancestor(first, second)
                    assert mirror.merge_base(first, second) == whole.merge_base(first, second)
                    assert mirror.commits_between(first, second) == whole.commits_between(first, second)


def _tangle(history: History, dice: random.Random) -> tuple[dict[str, Sha], list[Sha]]:
    root = history.commit({"f": "root", "g/h": "root"})
    tips, commits = {"main": root, "one": root, "two": root}, [root]
    for number in range(24):
        branch = dice.choice(list(tips))
        parents = [tips[branch]]
        if dice.random() < 0.3:
            # Topics leave and join anywhere, also at commits that the branch has left long ago.
            topic = history.commit({dice.choice(["f", "g/h", "i"]): f"topic {number}"}, dice.choice(commits))
            commits.append(topic)
            parents.append(dice.choice([topic, tips[dice.choice(list(tips))]]))
        tips[branch] = history.commit({dice.choice(["f", "g/h", "i"]): str(number)}, *dict.fromkeys(parents))
        commits.append(tips[branch])
    for name, tip in tips.items():
        history.branch(name, tip)
    return tips, commits
