"""The `pick` section: how a candidate is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.config.values import Section


class Pick(Section):
    """How a candidate is made."""

    max_prerequisites: Annotated[int, Field(ge=0, le=5)] = 3
    """Earlier pull requests that are looked for at most where a pick conflicts; 0 looks for none."""

    propose: bool = True
    """Open a draft where a conflict was resolved in a likely but not certain way; without it that stays a conflict."""
