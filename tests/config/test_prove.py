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
