"""What stops a release, and what its page says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from bot import __version__

ROOT = Path(__file__).parents[1]
CHANGELOG = """# Changelog

## Unreleased

- New.

## 1.2.0 - 2026-12-01

### Added

- A thing.

## 1.1.0 - 2026-01-01
"""


@pytest.fixture
def release() -> ModuleType:
    """Return the program of the release workflow as a module."""
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci/release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_the_section_of_the_version(release: ModuleType) -> None:
    assert release.notes(CHANGELOG, "1.2.0") == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize("number", ["1.1.0", "1.2", "1.3.0", "Unreleased"], ids=["empty", "part", "none", "unreleased"])
def test_a_version_without_a_section_stops_it(release: ModuleType, number: str) -> None:
    with pytest.raises(SystemExit, match="nothing is released"):
        release.notes(CHANGELOG, number)


def test_another_tag_than_the_version_stops_it(release: ModuleType) -> None:
    with pytest.raises(SystemExit, match="nothing is released"):
        release.main("v99.0.0")


def test_what_is_between_two_releases_is_not_released(release: ModuleType) -> None:
    if re.fullmatch(r"\d+\.\d+\.\d+", __version__):
        pytest.skip("this is a release")
    with pytest.raises(SystemExit, match="no released version"):
        release.main(f"v{__version__}")


def test_the_program_and_the_release_read_the_same_version(release: ModuleType) -> None:
    assert release.version((ROOT / "bot/__init__.py").read_text(encoding="utf-8")) == __version__


def test_the_image_copies_only_what_it_may_see() -> None:
    """A path that .dockerignore leaves out would not be found, and one that is not copied need not be seen."""
    copied = re.findall(r"^COPY (?!--from)(.+) \./\S*$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    paths = {path for line in copied for path in line.split()}
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {path.partition("/")[0] for path in allowed} == paths
    assert all(list(ROOT.glob(path)) for path in allowed)
