"""The shapes of a run folder are written down, and nothing of another shape comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import bot.pipeline.run_folder_records
from bot.errors import RunFolderError
from bot.models import Candidate, Certainty, Failed, Fidelity, Method, Resolution, Sha, WouldOpen
from bot.pipeline.run_folder import LARGEST_RECORD, RunFolder
from bot.pipeline.run_folder_records import Picked, Plan, tagged
from bot.pipeline.run_folder_schema import schema

SCHEMA = Path(bot.pipeline.run_folder_records.__file__).with_name("run-folder.schema.json")
CANDIDATE = Candidate(
    branch="release/1.2",
    base_commit=Sha("a" * 40),
    commit=Sha("b" * 40),
    commits=(Sha("b" * 40),),
    method=Method.RESOLVED,
    fidelity=Fidelity.ADAPTED,
    files=("widget/ring.py",),
    resolutions=(
        Resolution(
            path="widget/ring.py",
            base=b"\xff\x00",
            ours=None,
            theirs=b"",
            result=b"text\n",
            rung="remembered resolution",
            certainty=Certainty.CERTAIN,
            how="As before.",
        ),
    ),
)


def test_the_schema_in_the_repository_is_the_one_the_program_uses() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize(
    "value",
    [
        CANDIDATE,
        WouldOpen(target="release/1.2", candidate=CANDIDATE),
        Failed(target="release/1.2", message="No.", hint="Ask again."),
    ],
    ids=["candidate", "dry run", "failed"],
)
def test_a_value_comes_back_as_what_it_was(value: Candidate | WouldOpen | Failed, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write("pick/1.json", Picked.model_validate({"made": tagged(value)}))
    picked = folder.read_pick("1")
    assert picked is not None
    assert picked.made.value == value


def test_a_path_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    record = tagged(WouldOpen(target="b", candidate=Candidate(**{**vars_of(CANDIDATE), "files": ("caf\udce9",)})))
    folder = RunFolder(tmp_path)
    folder.write("pick/1.json", Picked.model_validate({"made": record}))
    picked = folder.read_pick("1")
    assert picked is not None
    assert isinstance(picked.made.value, WouldOpen)
    assert picked.made.value.candidate.files == ("caf\N{REPLACEMENT CHARACTER}",)


def vars_of(candidate: Candidate) -> dict[str, Any]:
    return {name: getattr(candidate, name) for name in candidate.__dataclass_fields__}


@pytest.mark.parametrize("name", ["--upload-pack=touch", "release/1.2", "b" * 39, "B" * 40])
def test_only_a_full_object_name_names_a_commit(name: str) -> None:
    with pytest.raises(ValidationError, match="full object name"):
        Picked.model_validate({"made": tagged(Candidate(**{**vars_of(CANDIDATE), "commit": name}))})


@pytest.mark.parametrize("key", ["version", "unknown"])
def test_another_version_and_an_unknown_key_are_refused_by_name(key: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    plan = Plan(repository="acme/widget", clone_url="file:///", requests=())
    folder.write("plan/plan.json", plan)
    content = json.loads(folder.text("plan/plan.json")) | {key: 9}
    folder.path("plan/plan.json").write_text(json.dumps(content))
    with pytest.raises(RunFolderError, match=f"plan/plan.json cannot be used: {key}"):
        folder.plan()


def test_a_file_too_large_to_be_a_record_is_not_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with folder.prepare_path("pick/1.json").open("wb") as file:
        file.truncate(LARGEST_RECORD + 1)
    with pytest.raises(RunFolderError, match="bytes"):
        folder.read_pick("1")


def test_the_seal_covers_names_and_contents(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.prepare_path("plan/plan.json").write_text("{}")
    folder.prepare_path("pick/1.json").write_text("{}")
    first = folder.seal()
    folder.path("pick/1.json").rename(folder.path("pick/2.json"))
    renamed_seal = folder.seal()
    folder.prepare_path("prove/1.json").write_text("{}")
    assert first != renamed_seal == folder.seal()


def test_of_the_artifacts_each_verdict_is_read_from_its_own(tmp_path: Path) -> None:
    for name in ("prove-1-1/2.json", "2.json", "prove-1-12/2.json", "other-1-2/2.json", "prove-x-2/2.json"):
        (tmp_path / "proofs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "proofs" / name).write_text("{}")
    folder = RunFolder(tmp_path / "run", tmp_path / "proofs")
    folder.prepare_path("prove/2.json").write_text("{}")
    assert folder.proof("2") is None
    (tmp_path / "proofs/prove-1-2").mkdir()
    (tmp_path / "proofs/prove-1-2/2.json").write_text("{}")
    with pytest.raises(RunFolderError, match=r"prove-1-2/2\.json cannot be used"):
        folder.proof("2")


def test_a_verdict_behind_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "proofs").mkdir()
    (tmp_path / "away").mkdir()
    (tmp_path / "away/2.json").write_text("{}")
    (tmp_path / "proofs/prove-1-2").symlink_to(tmp_path / "away")
    with pytest.raises(RunFolderError, match="not a plain file"):
        RunFolder(tmp_path / "run", tmp_path / "proofs").proof("2")


def test_a_seal_of_other_characters_is_another_seal(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.prepare_path("plan/plan.json").write_text("{}")
    with pytest.raises(RunFolderError, match="not as it was sealed"):
        folder.check_seal("sha256:\u00e9\udcff")
