"""A first backport.yaml for a repository: the keys whose defaults do not fit it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.config import Config

_DEFAULT = Config.model_fields["branches"].default
_HEAD = "# Backport Bot. The bot reads this file on the default branch; a key that is not here has its default.\n"


def render_settings(globs: Sequence[str], *, always: bool = False) -> str | None:
    """Return the text of backport.yaml for these stable branches; None if the defaults fit and it is not wanted."""
    if not always and tuple(globs) in ((), _DEFAULT):
        return None
    # JSON's strings are YAML's: https://yaml.org/spec/1.2.2/#13-terminology
    return f"{_HEAD}branches: {json.dumps(list(globs) or list(_DEFAULT), ensure_ascii=False)}\n"
