"""The `prove` section: images by branch, options that a container may get, and which devices count."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.config.prove import ProveConfig
from bot.errors import ConfigError, SuiteError
from bot.proof.run_isolated import interpreter
from bot.proof.select_suites import isolation_settings


def prove_section(text: str) -> ProveConfig:
    return parse_config(f"repository: a/b\nprove: {{{text}}}\n").prove


@pytest.mark.parametrize(
    ("image", "branch", "name"),
    [
        ("lmsysorg/sglang:v{version}-rocm720-mi30x", "release/v0.5.12", "lmsysorg/sglang:v0.5.12-rocm720-mi30x"),
        ("a/b:{version}", "release/v0.5.12.post1", "a/b:0.5.12.post1"),
        ("a/b:{target_slug}", "release/1.2", "a/b:release-1.2"),
        ("a/b@sha256:0", "stable", "a/b@sha256:0"),
    ],
)
def test_one_entry_names_the_images_of_many_branches(image: str, branch: str, name: str) -> None:
    settings = prove_section(f'containers: [{{image: "{image}"}}]')
    assert settings.image_for(branch) == name


def test_a_branch_without_a_version_is_not_run_outside_of_a_container() -> None:
    settings = prove_section('containers: [{image: "a/b:v{version}"}]')
    with pytest.raises(SuiteError, match="the branch stable has none in its name"):
        settings.image_for("stable")


@pytest.mark.parametrize(
    "option",
    ["--shm-size=32g", "--security-opt=seccomp=unconfined", "--cap-add=SYS_PTRACE", "--ulimit=nofile=65536:65536"],
)
def test_a_site_may_add_what_its_gpus_need(option: str) -> None:
    assert prove_section(f'container_options: ["{option}"]').container_options == (option,)


@pytest.mark.parametrize(
    "option",
    [
        *("--privileged", "--privileged=true", "--network=host", "--cap-add=ALL", "--cap-add=SYS_ADMIN", "--user=0"),
        *("--volume=/:/host", "--pid=host", "--security-opt=apparmor=unconfined", "--shm-size", "-v=/:/host"),
        *("--security-opt=no-new-privileges=false", "--read-only=false", "--ipc=host"),
    ],
)
def test_what_confines_a_suite_cannot_be_taken_away(option: str) -> None:
    with pytest.raises(ConfigError, match="may not be added to a suite's container"):
        prove_section(f'container_options: ["{option}"]')


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD", "SUITE_TARGET", "HOME"])
def test_variables_by_which_the_bot_runs_a_suite_are_its_own(name: str) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` is set by the bot"):
        prove_section(f"environment: {{{name}: x}}")
    assert prove_section("environment: {HF_HOME: /models}").environment == {"HF_HOME": "/models"}


@pytest.mark.parametrize(
    ("image", "message"),
    [("a/b:{tag}", "is not a placeholder"), ("a b", "is not the name of an image"), ("--rm", "is not the name")],
)
def test_a_wrong_image_is_refused(image: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        prove_section(f'containers: [{{image: "{image}"}}]')


def test_suites_without_a_container_may_have_an_interpreter_of_their_own() -> None:
    settings = prove_section("python: /opt/venv/bin/python3")
    isolation = isolation_settings("release/1.2", settings)
    assert interpreter(isolation) == "/opt/venv/bin/python3"
    assert Path("/opt/venv") in isolation.readable
    assert interpreter(isolation_settings("release/1.2", ProveConfig())) == sys.executable


DEVICES = """
  device: rocm
  containers: [{image: "a/b:{version}-mi30x"}]
  runner: github-actions
  actions: {labels: [mi300], queue_minutes: 720}
  devices:
    - {name: gfx942}
    - {name: gfx950, labels: [mi35x], images: [{image: "a/b:{version}-mi35x"}]}
"""


def several(text: str = DEVICES) -> ProveConfig:
    return parse_config(f"repository: a/b\nprove:\n{text}").prove


def test_each_device_has_its_runner_and_its_images() -> None:
    first, second = (several().for_device(name) for name in ("gfx942", "gfx950"))
    assert (first.image_for("v1.2"), first.actions.labels) == ("a/b:1.2-mi30x", ("mi300",))
    assert (second.image_for("v1.2"), second.actions.labels) == ("a/b:1.2-mi35x", ("mi35x",))
    assert second.actions.queue_minutes == 720
    assert [settings.devices_that_count for settings in (first, second)] == [("gfx942",), ("gfx950",)]
    assert not first.devices


@pytest.mark.parametrize(
    ("section", "name", "device", "counting"),
    [
        ("device: auto\n  devices: [{name: gfx942}]", "gfx942", "rocm", ("gfx942",)),
        ("device: rocm\n  devices: [{name: sm_90}]", "sm_90", "cuda", ("sm_90",)),
        ("device: rocm\n  devices: [{name: cpu}]", "cpu", "cpu", ("cpu",)),
        ("devices: [{name: navi, device: rocm}]", "navi", "rocm", ("navi",)),
        ("required_devices: [rocm]\n  devices: [{name: gfx942}]", "gfx942", "rocm", ("gfx942",)),
        ("required_devices: [gfx942, gfx950]\n  devices: [{name: rocm}]", "rocm", "rocm", ("gfx942", "gfx950")),
    ],
)
def test_a_device_s_verdict_counts_only_from_that_device(
    section: str, name: str, device: str, counting: tuple[str, ...]
) -> None:
    settings = several(f"  {section}\n").for_device(name)
    assert (settings.device, settings.devices_that_count) == (device, counting)


def test_a_person_may_name_one_of_the_devices_or_a_kind_instead() -> None:
    assert several().on_device("gfx950").devices_that_count == ("gfx950",)
    instead = several().on_device("cpu")
    assert (instead.device, instead.devices) == ("cpu", ())


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("devices: [{name: gfx942}, {name: gfx942}]", "names the device `gfx942` twice"),
        ("devices: [{name: gfx942, images: []}]", r"devices.0.images` is empty and must have at least 1 entry"),
        ("devices: [{name: gfx942, labels: []}]", r"devices.0.labels` is empty"),
        ("devices: [{name: gfx942, device: cpu}]", "is of the kind `rocm`, and its `device` is `cpu`"),
        ("devices: [{name: MI300X}]", "does not have the right form"),
        ("devices: [{name: a/../b}]", "does not have the right form"),
        ("devices: [{labels: [a]}]", "name` is missing"),
        ("devices: [{name: gfx942, images: [{image: 'a b'}]}]", "is not the name of an image"),
        ("devices: [{name: gfx942, containers: []}]", "is not a key that the bot knows"),
        ("required_devices: [gfx942], devices: [{name: gfx950}]", "which `required_devices` rules out"),
        ("required_devices: [cuda], devices: [{name: gfx950}]", "which `required_devices` rules out"),
        ("required_devices: [cpu], devices: [{name: rocm}]", "which `required_devices` rules out"),
    ],
)
def test_devices_that_contradict_each_other_are_refused(section: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        prove_section(section)
