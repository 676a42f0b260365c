"""A clone that a stranger set up: read in every form a clone has, and never by its own configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import GitError
from bot.git.repository import Repository
from bot.git.trial_pick import CleanPick, UnmergedPick, try_pick
from bot.git.untrusted_repository import head_commit, open_clone
from bot.models import Sha
from tests.git.history import History

LINES = [f"line {number}\n" for number in range(20)]
# Each names a program that git could run while it reads, merges or fetches what is missing.
PROGRAMS = (
    *("merge.evil.driver", "diff.evil.textconv", "diff.evil.command", "diff.external", "filter.evil.smudge"),
    *("filter.evil.clean", "filter.evil.process", "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager"),
    *("core.editor", "core.askPass", "core.alternateRefsCommand", "credential.helper", "gpg.program"),
    *("remote.origin.uploadpack", "uploadpack.packObjectsHook", "trailer.x.command", "maintenance.strategy"),
)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where the programs of a hostile clone leave word that they were run."""
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


@pytest.fixture
def tips(history: History) -> tuple[Sha, Sha]:
    """base ── original (main);  base ── the same line in another way (release/1), picked from the original"""
    base = history.commit({"f": "".join(LINES), "g": "g\n"})
    original = history.branch("main", history.commit({"f": "".join(["fixed\n", *LINES[1:]])}, base, message="Fix (#1)"))
    ours = history.commit({"f": "".join(["ours\n", *LINES[1:]])}, base)
    landed_files = {"f": "".join(["fixed ours\n", *LINES[1:]])}
    picked_commit = history.commit(landed_files, ours, message=f"Fix (#1)\n\n(cherry picked from commit {original})")
    history.branch("release/1", picked_commit)
    return original, ours


def _hostile(history: History, directory: Path, marks: Path, *options: str) -> Path:
    """Clone with a configuration and attributes that name a program wherever git could run one."""
    history.git("config", "uploadpack.allowFilter", "true")
    history.git("clone", "--quiet", *options, history.directory.as_uri(), str(directory), bare=False)
    history.git("-C", str(directory), "branch", "--quiet", "release/1", "origin/release/1", bare=False)
    program = directory / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{marks}/$$"\nexit 1\n')
    program.chmod(0o755)
    for key in PROGRAMS:
        subprocess.run(["git", "config", "--file", str(directory / ".git/config"), key, str(program)], check=True)
    (directory / ".git/info").mkdir(exist_ok=True)
    (directory / ".git/info/attributes").write_text("* merge=evil diff=evil filter=evil\n")
    (directory / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("reference-transaction", "post-index-change", "pre-auto-gc"):
        (directory / ".git/hooks" / hook).symlink_to(program)
    return directory


def _command(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "bot", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("options", [[], ["--filter=blob:none", "--no-checkout"]], ids=["whole", "partial"])
def test_no_program_of_a_clone_is_run(
    history: History, tips: tuple[Sha, Sha], tmp_path: Path, marks: Path, options: list[str]
) -> None:
    clone = _hostile(history, tmp_path / "clone", marks, *options)
    work = tmp_path / "work"
    work.mkdir()
    rehearsal = _command("rehearse", clone, "--json", cwd=work)
    sync = _command("sync", "--git", clone, "--json", cwd=work)
    proof = _command("prove", clone, "--candidate", clone, "--device", "cpu", cwd=work)
    assert [path.read_text() for path in marks.iterdir()] == []
    assert (rehearsal.returncode, sync.returncode) == (0, 0), rehearsal.stderr + sync.stderr
    assert [each["backport"] for each in json.loads(rehearsal.stdout)["pairs"]] == [
        history.git("rev-parse", "release/1")
    ]
    assert ("partial clone" in rehearsal.stderr) == bool(options)
    assert "Traceback" not in proof.stderr


def test_a_conflict_is_that_of_git_s_own_merge(history: History, tips: tuple[Sha, Sha], tmp_path: Path) -> None:
    original, ours = tips
    clone = tmp_path / "clone"
    history.git("clone", "--quiet", str(history.directory), str(clone), bare=False)
    (clone / ".git/info/attributes").write_text("* merge=union\n")
    with open_clone(clone) as repository, repository.quarantine() as quarantine:
        assert isinstance(try_pick(quarantine, original, quarantine.commit(ours).tree), UnmergedPick)


def _check(directory: Path, main: Sha) -> None:
    with open_clone(directory) as repository:
        assert repository.local_branches()["main"] == main
        assert repository.read(main, "f") == "".join(["fixed\n", *LINES[1:]]).encode()


def test_every_form_of_a_clone_is_read(history: History, tips: tuple[Sha, Sha], tmp_path: Path) -> None:
    """Bare, checkout, linked worktree, submodule, packed refs, HEAD as a link, objects two alternates away."""
    main = tips[0]
    history.git("clone", "--quiet", str(history.directory), str(tmp_path / "checkout"), bare=False)
    history.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), tips[1])
    history.git("clone", "--quiet", "--shared", str(history.directory), str(tmp_path / "shared"), bare=False)
    history.git("clone", "--quiet", "--shared", str(tmp_path / "shared"), str(tmp_path / "again"), bare=False)
    outer = tmp_path / "outer"
    history.git("init", "--quiet", str(outer), bare=False)
    arguments = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(history.directory), "inner")
    history.git("-C", str(outer), *arguments, bare=False)
    for directory in ("checkout", "linked", "shared", "again", "outer/inner"):
        _check(tmp_path / directory, main)
    assert head_commit(tmp_path / "linked") == tips[1]
    head = tmp_path / "checkout/.git/HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert head_commit(tmp_path / "checkout") == main
    history.git("pack-refs", "--all")
    _check(history.directory, main)


def test_a_folder_whose_name_ends_a_line_is_read(history: History, tips: tuple[Sha, Sha], tmp_path: Path) -> None:
    odd_text = tmp_path / 'two\nlines "quoted" \\ back'
    history.git("clone", "--quiet", str(history.directory), str(odd_text), bare=False)
    _check(odd_text, tips[0])


def test_grafts_and_replaced_objects_change_nothing(history: History, tips: tuple[Sha, Sha]) -> None:
    original, ours = tips
    history.git("replace", original, ours)
    (history.directory / "info").mkdir(exist_ok=True)
    (history.directory / "info/grafts").write_text(f"{original}\n")
    with open_clone(history.directory) as repository:
        assert repository.commit(original).subject == "Fix (#1)"
        assert repository.is_ancestor(repository.commit(original).parents[0], original)
        assert set(repository.local_branches()) == {"main", "release/1"}


def test_pipes_links_and_huge_files_in_place_of_refs_stall_nothing(
    history: History, tips: tuple[Sha, Sha], tmp_path: Path
) -> None:
    heads = history.directory / "refs/heads"
    os.mkfifo(heads / "pipe")
    (heads / "device").symlink_to("/dev/zero")
    (heads / "loop").symlink_to(heads)
    (heads / "secret").symlink_to("/etc/passwd")
    with (heads / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with open_clone(history.directory) as repository:
        assert set(repository.local_branches()) == {"main", "release/1"}


@pytest.mark.parametrize(
    "place",
    [
        *("HEAD", "commondir", "objects/info/alternates", "objects/info/commit-graph", "objects/pack/multi-pack-index"),
        *("objects/ab/" + "0" * 38, "objects/info/commit-graphs/commit-graph-chain"),
    ],
)
@pytest.mark.parametrize("kind", ["pipe", "link to a device"])
def test_a_pipe_where_git_reads_a_file_is_refused(
    history: History, tips: tuple[Sha, Sha], place: str, kind: str
) -> None:
    path = history.directory / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    result = _read_in_a_process(history.directory)
    assert "GitError" in result.stdout, result.stderr


@pytest.mark.parametrize(
    "content", ["{other}\n", "# what git skips\n{relative}\n", '"{other}"\n', "{other}\n" * 10_000]
)
def test_alternates_of_a_clone_are_looked_at_as_well(
    history: History, tips: tuple[Sha, Sha], tmp_path: Path, content: str
) -> None:
    other_text = tmp_path / "other"
    (other_text / "pack").mkdir(parents=True)
    os.mkfifo(other_text / "pack/multi-pack-index")
    objects = history.directory / "objects"
    text = content.format(other=other_text, relative=os.path.relpath(other_text, objects))
    (objects / "info/alternates").write_text(text)
    assert "GitError" in _read_in_a_process(history.directory).stdout


def _read_in_a_process(directory: Path) -> subprocess.CompletedProcess[str]:
    """Open a clone and list its commits, where a reader that waits for ever can be ended."""
    program = """if True:
        import sys
        from pathlib import Path
        from bot.errors import GitError
        from bot.git.untrusted_repository import open_clone
        try:
            with open_clone(Path(sys.argv[1])) as repository:
                print(repository.git.text("log", "--all", "--oneline"))
        except GitError as error:
            print("GitError", error)
    """
    return subprocess.run(
        [sys.executable, "-c", program, str(directory)], capture_output=True, text=True, timeout=120, check=False
    )


def test_a_shallow_clone_stays_one(history: History, tips: tuple[Sha, Sha], tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    history.git(
        "clone", "--quiet", "--depth=1", "--no-single-branch", history.directory.as_uri(), str(shallow), bare=False
    )
    with open_clone(shallow) as repository:
        assert repository.git.text("rev-parse", "--is-shallow-repository") == "true"
        assert repository.git.text("rev-list", "--all").split()


@pytest.mark.parametrize("kind", ["reftable", "SHA-256"])
def test_a_format_that_is_not_read_is_named(history: History, tips: tuple[Sha, Sha], tmp_path: Path, kind: str) -> None:
    if kind == "reftable":
        (history.directory / "reftable").mkdir()
    else:
        (history.directory / "refs/heads/main").write_text("0" * 64 + "\n")
    with pytest.raises(GitError, match=kind), open_clone(history.directory):
        pass


@pytest.mark.parametrize("content", ["gitdir: nowhere\n", "gitdir: ../\n", "\xff", ""])
def test_a_git_file_that_leads_nowhere_is_no_repository(tmp_path: Path, content: str) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/.git").write_text(content, encoding="latin-1")
    with pytest.raises(GitError, match="no git repository"), open_clone(tmp_path / "tree"):
        pass
    assert head_commit(tmp_path / "tree") == ""


def test_without_git_the_remedy_is_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not on the PATH"), open_clone(tmp_path):
        pass


def test_a_clone_is_picked_on_without_being_written_to(history: History, tips: tuple[Sha, Sha]) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in history.directory.rglob("*") if path.is_file()}

    before = content()
    with open_clone(history.directory) as repository, repository.quarantine() as quarantine:
        base = quarantine.commit(tips[1]).parents[0]
        pick = try_pick(quarantine, tips[0], quarantine.commit(base).tree)
        assert isinstance(pick, CleanPick)
        assert isinstance(repository, Repository)
        repository.writer.write("blob", b"of our own")
    assert content() == before
