"""Which repository a checkout belongs to, by its remotes and by nothing that its configuration names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.git.hosted_repository import HostedRepository, find_checkout, hosted_repository, parse_address
from tests.pipeline.office import git


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/widget.git",
        "https://github.com/acme/widget",
        "https://mia:secret@github.com/acme/widget/",
        "ssh://git@github.com:22/acme/widget.git",
        "git@github.com:acme/widget.git",
        "GitHub.com:acme/widget",
    ],
)
def test_each_form_of_an_address_names_the_repository(address: str) -> None:
    assert parse_address(address) == HostedRepository("github.com", "acme/widget")


@pytest.mark.parametrize(
    "address", ["/srv/acme/widget", "../widget", "file:///acme/widget", "C:/acme/widget", "", "a/b"]
)
def test_a_path_names_none(address: str) -> None:
    assert parse_address(address) is None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout without remotes."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


def test_in_a_clone_of_a_fork_the_project_is_upstream(checkout: Path) -> None:
    assert hosted_repository(checkout) is None
    git(checkout, "remote", "add", "origin", "git@github.com:mia/widget.git")
    assert hosted_repository(checkout) == HostedRepository("github.com", "mia/widget")
    git(checkout, "remote", "add", "upstream", "https://github.example/acme/widget.git")
    assert hosted_repository(checkout) == HostedRepository("github.example", "acme/widget")


def test_a_folder_of_a_checkout_belongs_to_it(checkout: Path) -> None:
    git(checkout, "remote", "add", "origin", "git@github.com:acme/widget.git")
    folder = checkout / "src/widget"
    folder.mkdir(parents=True)
    assert find_checkout(folder) == checkout.resolve()
    assert hosted_repository(folder) == HostedRepository("github.com", "acme/widget")


def test_no_program_that_the_configuration_names_is_run(checkout: Path) -> None:
    other = checkout / "other"
    other.write_text('[remote "origin"]\n\turl = git@github.com:evil/widget.git\n')
    program = checkout / "program"
    program.write_text(f"#!/bin/sh\ntouch {checkout}/ran\n")
    program.chmod(0o755)
    with (checkout / ".git/config").open("a") as file:
        file.write(f"[core]\n\tfsmonitor = {program}\n\tsshCommand = {program}\n[include]\n\tpath = {other}\n")
    assert hosted_repository(checkout) is None
    assert not (checkout / "ran").exists()
