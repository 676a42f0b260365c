"""What pydantic found wrong with a file → one sentence for the person who edits it.

Owns the wording: file, line, key path, what stands there and what may. Knows no particular file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bot.config.yaml_source import KeyPath, LocatedYaml
from bot.errors import ConfigError
from bot.text.markdown import code


def explain(detail: ErrorDetails, model: type[BaseModel], source: LocatedYaml, name: str) -> ConfigError:
    """Word one finding of a model's validation; `name` is the file's, `source` what stood in it."""
    path: KeyPath = tuple(detail["loc"])
    written = ".".join(map(str, path))
    place = f"{name}, line {source.line(path)}: `{written}`"
    match detail["type"]:
        case "extra_forbidden":
            known = list(_section_at(model, path[:-1]).model_fields)
            near = difflib.get_close_matches(str(path[-1]).replace("-", "_"), known, n=1)
            hint = (
                f"Did you mean `{near[0]}`?" if near else f"The keys here are {', '.join(f'`{key}`' for key in known)}."
            )
            return ConfigError(f"{place} is not a key that the bot knows.", hint=hint)
        case "missing":
            return ConfigError(f"{name}: the key `{written}` is missing.", hint=f"Add it: {_says(model, path)}")
        case _:
            return ConfigError(f"{place} {_sentence(detail)}.", hint=_says(model, path))


_WANTED = {
    "string_type": "must be text",
    "bool_type": "must be `true` or `false`",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list, e.g. `[a, b]`",
    "model_type": "must be a group of keys",
    "invalid_key": "must be text",
    "string_pattern_mismatch": "does not have the right form",
}


def _sentence(detail: ErrorDetails) -> str:
    context: Mapping[str, Any] = detail.get("ctx", {})
    kind = detail["type"]
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        return f"is {_shown(detail['input'])}, and must be {str(context['expected']).replace(chr(39), '`')}"
    wanted = _WANTED.get(kind) or detail["msg"].removeprefix("Input ").replace("should", "must")
    return f"is {_shown(detail['input'])} and {wanted}"


def _shown(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f"the text {code(value, 80)}"
        case int() | float():
            return f"the number `{value}`"
        case Mapping():
            return "a group of keys"
        case _:
            return "a list"


def _section_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel]:
    section = model
    for key in path:
        found = section.model_fields[str(key)].annotation if str(key) in section.model_fields else None
        inner = next(iter(get_args(found)), found)  # a list of groups is described by the group
        section = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else section
    return section


def _says(model: type[BaseModel], path: KeyPath) -> str:
    """Return what the documentation says of a key, for the remedy."""
    names = [key for key in path if isinstance(key, str)]
    field = _section_at(model, tuple(names[:-1])).model_fields.get(names[-1]) if names else None
    return (field.description or "") if field else ""
