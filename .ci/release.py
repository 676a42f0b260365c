"""What a release is checked for, and its page's text: `release.py TAG` prints the section of CHANGELOG.md for a tag.

Raises SystemExit with the reason if the tag is not the version of the program, or the changelog has no section for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def version(source: str) -> str:
    """Return the version that bot/__init__.py states."""
    match = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if match is None:
        raise SystemExit("bot/__init__.py states no __version__, so nothing is released.")
    return match[1]


def notes(changelog: str, number: str) -> str:
    """Return the text below the heading `## NUMBER - DATE`, up to the next one of its level."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, text = section.partition("\n")
        if re.fullmatch(rf"{re.escape(number)} - \d{{4}}-\d\d-\d\d", heading.strip()) and text.strip():
            return text.strip() + "\n"
    raise SystemExit(f"CHANGELOG.md has no section `## {number} - YYYY-MM-DD`, so nothing is released. Give it one.")


def main(tag: str) -> str:
    """Return the notes of the release that a tag names."""
    number = version((ROOT / "bot/__init__.py").read_text(encoding="utf-8"))
    if tag != f"v{number}":
        raise SystemExit(f"The tag is {tag}, and the version is {number}, so nothing is released. Tag v{number}.")
    if not re.fullmatch(r"\d+\.\d+\.\d+", number):
        raise SystemExit(f"{number} is no released version, so nothing is released. Correct bot/__init__.py.")
    return notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), number)


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]))
