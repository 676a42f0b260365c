"""Suites in a real container. BACKPORT_BOT_TEST_IMAGE names an image with Python 3.10 or newer that can be had here.

On a runner's pod the scratch folders have to lie in RUNNER_TEMP: the daemon beside it has a /tmp of its own.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bot.config.prove import ProveConfig
from bot.environment.temporary_folders import scratch_folder
from bot.errors import SuiteError
from bot.models import Suite, SuiteRun, VerdictOutcome, never, silent
from bot.proof import container_image as images
from bot.proof import gpu_devices, prove
from bot.proof.change import Change
from bot.proof.container_image import fetch_image
from bot.proof.isolated_command import IsolationSettings
from bot.proof.prove_trees import prove_trees

IMAGE = os.environ.get("BACKPORT_BOT_TEST_IMAGE", "")


def _missing() -> str:
    """Say what is missing for a real container, or nothing."""
    if shutil.which("docker") is None:
        return "there is no docker here"
    result = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, check=False)
    if result.returncode:
        return "docker finds no daemon here"
    return "" if IMAGE else "BACKPORT_BOT_TEST_IMAGE names no image"


pytestmark = pytest.mark.skipif(bool(_missing()), reason=f"no real container: {_missing()}")

LOOK = """
import os, pathlib, shutil, socket
import pytest

def test_the_fix():
    assert pathlib.Path(os.environ["SUITE_TARGET"], "size").read_text() == "2"

def test_no_network():
    assert [name for _, name in socket.if_nameindex()] == ["lo"]

def test_nothing_can_be_written_outside():
    for folder in ("/", os.environ["SUITE_TARGET"], os.path.dirname(__file__), "/models"):
        with pytest.raises(OSError):
            pathlib.Path(folder, "word").touch()

def test_no_token():
    assert not any("TOKEN" in name for name in os.environ)

def test_the_shared_memory():
    assert shutil.disk_usage("/dev/shm").total == 2 * 1024 ** 3

def test_the_volume():
    assert pathlib.Path("/models/weights").read_text() == "w"

def test_the_variable():
    assert os.environ["HF_HOME"] == "/models"

def test_a_dozen_megabytes_can_be_written_to_home():
    pathlib.Path(os.environ["HOME"], "large").write_bytes(bytes(12_000_000))
"""
NODE = """
import os, pathlib

def test_the_nodes_can_be_opened():
    nodes = [pathlib.Path("/dev/kfd"), *sorted(pathlib.Path("/dev/dri").iterdir())]
    assert [node.name for node in nodes] == os.environ["NODES"].split()
    for node in nodes:
        os.close(os.open(node, os.O_RDWR))
    assert pathlib.Path(os.environ["SUITE_TARGET"], "size").read_text() == "2"
"""


def run(text: str, isolation: IsolationSettings, folder: Path, device: str = "cpu") -> tuple[VerdictOutcome, SuiteRun]:
    for name, content in (("base", "1"), ("candidate", "2"), ("suite", ""), ("models", "")):
        (folder / name).mkdir()
        (folder / name / "size").write_text(content)
    (folder / "models" / "weights").write_text("w")
    (folder / "suite" / "test_it.py").write_text(text)
    suite = Suite(name="it", directory=folder / "suite", timeout=120)
    isolation = fetch_image(isolation, limit=600, progress=silent, stop_when=never)
    verdict = prove(folder / "base", folder / "candidate", suite, device=device, isolation=isolation)
    return verdict.outcome, verdict.candidate


def test_a_suite_sees_its_tree_its_volumes_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKPORT_BOT_TOKEN", "ghs_0123456789abcdef")
    with scratch_folder("backport-test: a,b-") as folder:
        isolation = IsolationSettings(
            image=IMAGE,
            volumes=((folder / "models", Path("/models")),),
            environment={"HF_HOME": "/models"},
            shared_memory=2 * 1024**3,
            container_options=("--label=of=a-test",),
        )
        outcome, candidate = run(LOOK, isolation, folder)
    assert not candidate.problem
    assert [case for case in candidate.cases if case.outcome != "passed"] == []
    assert outcome is VerdictOutcome.PROVEN


@pytest.mark.skipif(not Path("/dev/kfd").exists(), reason="there are no AMD device nodes here, not even made-up ones")
def test_the_nodes_of_this_pod_can_be_opened_and_no_others() -> None:
    nodes = os.environ.get("BACKPORT_BOT_TEST_NODES", "")
    if not nodes:
        pytest.skip("BACKPORT_BOT_TEST_NODES does not say which nodes are this pod's, e.g. `kfd renderD131`")
    with scratch_folder("backport-test-") as folder:
        isolation = IsolationSettings(image=IMAGE, environment={"NODES": nodes})
        outcome, candidate = run(NODE, isolation, folder, device="auto")
    assert [case.message for case in candidate.cases if case.outcome != "passed"] == []
    assert outcome is VerdictOutcome.PROVEN


GROUP_NODE = """
import os, pathlib

def test_the_node_can_be_opened():
    os.close(os.open(os.environ["NODE"], os.O_RDWR))
    assert pathlib.Path(os.environ["SUITE_TARGET"], "size").read_text() == "2"
"""


def _is_for_its_group_alone(node: Path) -> bool:
    try:
        status = node.stat()
    except OSError:
        return False
    return stat.S_ISCHR(status.st_mode) and status.st_mode & 0o066 == 0o060 and status.st_gid != 0


def test_a_node_that_only_its_group_may_open_is_opened_by_the_group_s_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/kfd is such a node. Any other stands for it where there is none: containers are given it in the same way."""
    names = ("/dev/kfd", "/dev/loop-control", "/dev/kvm", "/dev/fuse")
    node = next((path for path in map(Path, names) if _is_for_its_group_alone(path)), None)
    if node is None:
        pytest.skip(f"none of {', '.join(names)} is there for its group alone")
    monkeypatch.setattr(gpu_devices, "KFD", node)
    monkeypatch.setattr(gpu_devices, "RENDER_FOLDER", Path("/dev/no-such-folder"))
    monkeypatch.setattr(gpu_devices, "POD_DEVICES", Path("/no-such-file"))
    with scratch_folder("backport-test-") as folder:
        isolation = IsolationSettings(image=IMAGE, environment={"NODE": str(node)})
        outcome, candidate = run(GROUP_NODE, isolation, folder, device="auto")
    assert [case.message for case in candidate.cases if case.outcome != "passed"] == []
    assert outcome is VerdictOutcome.PROVEN


def test_the_verdict_names_the_image_by_its_digest() -> None:
    with scratch_folder("backport-test-") as folder:
        for name, size in (("base", 1), ("candidate", 2)):
            (folder / name).mkdir()
            (folder / name / "widget.py").write_text(f"SIZE = {size}\n")
        (folder / "candidate" / "test_it.py").write_text("import widget\ndef test_it(): assert widget.SIZE == 2\n")
        settings = ProveConfig.model_validate({"device": "cpu", "containers": [{"image": IMAGE}]})
        files = ["widget.py", "test_it.py"]
        base, candidate = folder / "base", folder / "candidate"
        verdict = prove_trees(Change(base, candidate, None, changed_files=files), settings=settings)
    assert verdict.outcome is VerdictOutcome.PROVEN, verdict.reason
    assert verdict.candidate.device is not None
    assert "@sha256:" in verdict.candidate.device.versions["image"]
    assert verdict.notes[-1].startswith("It ran in the image ")


def test_an_image_is_known_by_its_digest() -> None:
    settings = fetch_image(IsolationSettings(image=IMAGE), limit=600, progress=print, stop_when=never)
    assert settings.image is not None
    assert settings.image.startswith("sha256:")
    assert "sha256:" in settings.image_digest


def test_an_image_that_is_not_to_be_had_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "FIRST_PAUSE", 0.1)
    settings = IsolationSettings(image="localhost:1/no/such-image:v0")
    with pytest.raises(SuiteError, match="The image localhost:1/no/such-image:v0 could not be pulled"):
        fetch_image(settings, limit=3, progress=silent, stop_when=never)


def test_a_limit_that_the_daemon_cannot_give_is_refused_before_anything_runs() -> None:
    beyond = f"--ulimit=nofile={2**31 - 1}:{2**31 - 1}"  # above /proc/sys/fs/nr_open
    settings = IsolationSettings(image=IMAGE, container_options=(beyond,))
    with pytest.raises(SuiteError, match="starts no container with --ulimit=nofile") as told:
        fetch_image(settings, limit=600, progress=silent, stop_when=never)
    assert "Lower the `--ulimit`" in (told.value.hint or "")
