"""What the command line says of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PagesMode(StrEnum):
    """Who may read the pages: nobody, as there are none, or everybody."""

    OFF = "off"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSettings:
    """Whether there are pages, and for whom."""

    mode: PagesMode = PagesMode.OFF


NO_PAGES = PagesSettings()
