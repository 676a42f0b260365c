"""Images are pulled before a suite's time counts, and the machine is prepared. The runtime is a program of ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config import load_config
from bot.config.prove import ProveConfig
from bot.errors import SuiteError
from bot.models import VerdictOutcome, never, silent
from bot.proof import container_image
from bot.proof.change import Change
from bot.proof.container_image import fetch_image
from bot.proof.isolated_command import IsolationSettings
from bot.proof.prepare_machine import run_preparations
from bot.proof.prove_trees import prove_trees
from bot.proof.verdict_json import verdict_from_json

IMAGE = "widget/spring:v1.2.0"
DIGEST = f"widget/spring@sha256:{'5' * 64}"
RUNTIME = f"""#!{sys.executable}
import json, pathlib, sys, time
home = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (home / "log").open("a") as log:
    log.write(" ".join(words) + "\\n")
failures = (home / "failures").read_text().splitlines()
if words[:2] == ["image", "inspect"]:
    if not (home / "pulled").exists():
        sys.exit("no such image")
    print(json.dumps([{{"Id": "sha256:" + "4" * 64, "RepoDigests": [{DIGEST!r}]}}]))
elif words[0] == "run" and any(word.startswith("--ulimit") for word in words):
    print("docker: error setting rlimit type 7: operation not permitted", file=sys.stderr)
    sys.exit(125)
elif words[0] == "run":
    sys.exit(words[-1] == "import pytest" and "no-pytest" in failures)
elif words[0] == "build":
    (home / "recipe").write_text(sys.stdin.read())
    print("sha256:" + "6" * 64)
elif words[0] == "pull" and "no-pytest" not in failures:
    if failures:
        (home / "failures").write_text("\\n".join(failures[1:]))
        if failures[0] == "hang":
            time.sleep(60)
        sys.exit(failures[0])
    (home / "pulled").touch()
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a runtime first on the path whose registry answers pulls with these failures first."""
    monkeypatch.setattr(container_image, "FIRST_PAUSE", 0.05)
    home = tmp_path / "bin"

    def start(*failures: str) -> Path:
        home.mkdir()
        (home / "failures").write_text("\n".join(failures))
        (home / "docker").write_text(RUNTIME, encoding="utf-8")
        (home / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", str(home), prepend=":")
        return home / "log"

    return start


def fetch(limit: float = 60.0) -> IsolationSettings:
    return fetch_image(IsolationSettings(image=IMAGE), limit=limit, progress=silent, stop_when=never)


def pulls(log: Path) -> int:
    return log.read_text().splitlines().count(f"pull {IMAGE}")


def test_a_pull_that_fails_in_passing_is_made_again(registry: Callable[..., Path]) -> None:
    log = registry("net/http: TLS handshake timeout", "toomanyrequests: slow down")
    settings = fetch()
    assert (settings.image, settings.image_digest) == ("sha256:" + "4" * 64, DIGEST)
    assert pulls(log) == 3


def test_what_the_registry_does_not_have_is_asked_for_once(registry: Callable[..., Path]) -> None:
    log = registry("manifest unknown: manifest unknown")
    with pytest.raises(SuiteError, match="could not be pulled: manifest unknown"):
        fetch()
    assert pulls(log) == 1


def test_a_pull_that_hangs_ends_with_its_own_limit(registry: Callable[..., Path]) -> None:
    registry("hang")
    with pytest.raises(SuiteError, match=r"longer than `prove.pull_minutes` allows"):
        fetch(limit=1.5)


def test_an_image_that_is_here_is_not_pulled(registry: Callable[..., Path]) -> None:
    log = registry()
    fetch()
    fetch()
    assert pulls(log) == 1


def test_an_image_without_pytest_gets_it_before_the_suite_s_time_counts(registry: Callable[..., Path]) -> None:
    log = registry("no-pytest")
    (log.parent / "pulled").touch()
    settings = fetch()
    assert (settings.image, settings.image_digest) == ("sha256:" + "6" * 64, f"{DIGEST} and pytest")
    recipe = (log.parent / "recipe").read_text()
    assert recipe.startswith(f"FROM sha256:{'4' * 64}\n")
    assert "pip install --no-cache-dir" in recipe
    assert recipe.endswith(" 'pytest>=7.4'\n")


def test_an_option_that_the_daemon_refuses_is_told_with_what_to_do(registry: Callable[..., Path]) -> None:
    log = registry("refuse")
    (log.parent / "pulled").touch()
    settings = IsolationSettings(image=IMAGE, container_options=("--ulimit=nofile=65536:65536",))
    with pytest.raises(SuiteError, match="starts no container with --ulimit=nofile=65536:65536: docker: error") as told:
        fetch_image(settings, limit=60, progress=silent, stop_when=never)
    assert "Lower the `--ulimit`" in (told.value.hint or "")


def test_a_pull_that_is_not_needed_any_more_ends(registry: Callable[..., Path]) -> None:
    registry("hang")
    with pytest.raises(SuiteError, match="not needed any more"):
        fetch_image(IsolationSettings(image=IMAGE), limit=60, progress=silent, stop_when=lambda: True)


def trees(tmp_path: Path) -> tuple[Path, Path]:
    for name, number in (("base", 1), ("candidate", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "widget.py").write_text(f"SIZE = {number}\n")
    (tmp_path / "candidate" / "test_it.py").write_text("import widget\ndef test_it():\n    assert widget.SIZE == 2\n")
    return tmp_path / "base", tmp_path / "candidate"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (ProveConfig.model_validate({"containers": [{"image": IMAGE}]}), "could not be pulled: manifest unknown"),
        (ProveConfig(prepare=(("false",),)), "`false` of `prove.prepare` exited with 1"),
    ],
)
def test_a_machine_that_is_not_ready_leaves_an_inconclusive_verdict_for_the_bot_to_read(
    tmp_path: Path, registry: Callable[..., Path], settings: ProveConfig, reason: str
) -> None:
    registry("manifest unknown")
    evidence, commits = tmp_path / "evidence", ("1" * 40, "2" * 40)
    files = ["widget.py", "test_it.py"]
    base, candidate = trees(tmp_path)
    verdict = prove_trees(
        Change(base, candidate, None, changed_files=files, commits=commits), settings=settings, evidence=evidence
    )
    assert verdict.outcome is VerdictOutcome.INCONCLUSIVE
    assert reason in verdict.reason
    record = verdict_from_json((evidence / "own-tests" / "verdict.json").read_bytes())
    assert (record.base.commit, record.candidate.commit) == commits
    assert reason in record.candidate.problem
    assert json.loads((evidence / "verdict.json").read_text())["outcome"] == "inconclusive"


def test_preparations_run_in_order_and_stop_at_the_first_that_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write = ["sh", "-c", 'echo "$1" >> "$2"', "sh"]
    commands = [[*write, "{image}", str(log)], ["sh", "-c", "echo no VRAM; exit 3"], [*write, "late", str(log)]]
    with pytest.raises(SuiteError, match="exited with 3: no VRAM"):
        run_preparations(commands, {"image": IMAGE}, limit=60, progress=silent)
    assert log.read_text() == f"{IMAGE}\n"


def test_the_preparations_for_sglang_run_its_script_where_it_is_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = load_config(Path(__file__).parents[2] / "backport.yaml").prove.prepare
    run_preparations(commands, {}, limit=60, progress=silent)
    script = tmp_path / "settings/scripts/ci/amd/ensure_vram_clear.sh"
    script.parent.mkdir(parents=True)
    script.write_text('echo "VRAM of $1 is in use"; exit 1\n')
    with pytest.raises(SuiteError, match="exited with 1: VRAM of rocm is in use"):
        run_preparations(commands, {}, limit=60, progress=silent)


def test_preparations_have_a_time_limit_together() -> None:
    with pytest.raises(SuiteError, match=r"did not end within `prove.prepare_minutes`"):
        run_preparations([["sleep", "60"]], {}, limit=0.5, progress=silent)
