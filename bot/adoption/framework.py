"""Tells by the files of a checkout how its tests are run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.config.tests import Preset

_LARGEST = 1024 * 1024
"""Bytes of a file that is looked into."""
# A preset, the file that shows it, and what has to be in the file. The first that fits counts.
_SIGNS = (
    *(
        (Preset.PYTEST, file, "DJANGO_SETTINGS_MODULE")
        for file in ("pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini")
    ),
    (Preset.DJANGO, "manage.py", "django"),
    (Preset.PYTEST, "pytest.ini", ""),
    (Preset.PYTEST, "pytest.toml", ""),
    (Preset.PYTEST, "pyproject.toml", "pytest"),
    (Preset.PYTEST, "tox.ini", "pytest"),
    (Preset.PYTEST, "setup.cfg", "pytest"),
    (Preset.PYTEST, "conftest.py", ""),
    (Preset.NOX, "noxfile.py", ""),
    (Preset.TOX, "tox.ini", ""),
    (Preset.NPM, "package.json", '"test"'),
    (Preset.GO, "go.mod", ""),
    (Preset.CARGO, "Cargo.toml", ""),
    (Preset.MAVEN, "pom.xml", ""),
)
_PYTHON_TESTS = ("test_*.py", "tests/test_*.py", "tests/*/test_*.py", "test/test_*.py")
"""Files of tests, which pytest runs also if they are written for unittest."""
_BY_NAME_ONLY = (Preset.NOX, Preset.TOX)
"""Presets that no language leads to: a proof uses them only if the configuration names them."""


@dataclass(frozen=True, slots=True)
class Framework:
    """The preset that runs the tests, and the file that shows it."""

    preset: Preset
    file: str

    @property
    def is_default(self) -> bool:
        """Whether a proof runs the tests so without a configuration."""
        return self.preset not in _BY_NAME_ONLY


def find_framework(checkout: Path) -> Framework | None:
    """Return what runs the tests of a checkout, or None if no file tells."""
    for preset, file, text in _SIGNS:
        if _has(checkout / file, text):
            return Framework(preset, file)
    tests = (path for pattern in _PYTHON_TESTS for path in checkout.glob(pattern))
    return next((Framework(Preset.PYTEST, path.relative_to(checkout).as_posix()) for path in tests), None)


def _has(path: Path, text: str) -> bool:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return False
    return text in path.read_text(encoding="utf-8", errors="replace")
