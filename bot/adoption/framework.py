"""Tells by the files at the top of a checkout how its tests are run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_LARGEST = 1024 * 1024
"""Bytes of a file that is looked into."""
# A framework, the file that shows it, and what has to be in the file. The first that fits counts.
_SIGNS = (
    ("pytest", "pytest.ini", ""),
    ("pytest", "pytest.toml", ""),
    ("pytest", "pyproject.toml", "pytest"),
    ("pytest", "tox.ini", "pytest"),
    ("pytest", "setup.cfg", "pytest"),
    ("pytest", "conftest.py", ""),
    ("Django", "manage.py", "django"),
    ("nox", "noxfile.py", ""),
    ("tox", "tox.ini", ""),
    ("npm", "package.json", '"test"'),
    ("go", "go.mod", ""),
    ("cargo", "Cargo.toml", ""),
    ("Maven", "pom.xml", ""),
    ("Gradle", "build.gradle", ""),
    ("Gradle", "build.gradle.kts", ""),
)


@dataclass(frozen=True, slots=True)
class Framework:
    """What runs the tests, and the file that shows it."""

    name: str
    file: str


def find_framework(checkout: Path) -> Framework | None:
    """Return what runs the tests of a checkout, or None if no file tells."""
    for name, file, text in _SIGNS:
        if _has(checkout / file, text):
            return Framework(name, file)
    return None


def _has(path: Path, text: str) -> bool:
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return False
    return text in path.read_text(encoding="utf-8", errors="replace")
