"""Validates a YAML document by its pydantic model, and words the first mistake for the person who edits the file.

A message names the file, the line, the key path, the value and the values that are allowed. The hint names the nearest
key, or quotes the documentation of the key. The wording is the same for each kind of file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.yaml_source import KeyPath, LocatedYaml
from bot.errors import ConfigError
from bot.text.markdown import code
from bot.text.suggestions import suggest

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], source: LocatedYaml) -> Model:
    """Return a document as a value of its model.

    Raises:
        ConfigError: the document has a mistake; the error words the first one.
    """
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        raise _mistake(error.errors(), model, source) from None


def _mistake(details: Sequence[ErrorDetails], model: type[BaseModel], source: LocatedYaml) -> ConfigError:
    first = _first(details)
    path: KeyPath = tuple(first["loc"])
    match first["type"]:
        # pydantic names the key and the place, but no key that may have been meant.
        case "extra_forbidden":
            keys = _fields(_section(model, path[:-1]))
            hint = suggest(str(path[-1]).replace("-", "_"), keys, listing="The keys here are")
            return source.mistake(path, "is not a key that the bot knows", hint=hint)
        case "missing":
            return source.mistake(path, "is missing", hint=f"Add it: {_documentation(model, path)}")
        case _:
            # A value that may be of several types has one detail for each type, and the type's name ends its path.
            path = source.longest_match(path)
            same_place = [detail for detail in details if source.longest_match(tuple(detail["loc"])) == path]
            return source.mistake(path, _predicate(same_place), hint=_documentation(model, path))


def _first(details: Sequence[ErrorDetails]) -> ErrorDetails:
    """Return the first detail. A mistyped key comes before the missing key of its section that it stands for."""
    section = details[0]["loc"][:-1]
    typos = (detail for detail in details if (detail["type"], detail["loc"][:-1]) == ("extra_forbidden", section))
    return next(typos, details[0]) if details[0]["type"] == "missing" else details[0]


_TYPES = {
    "string_type": "text",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "date_type": "a date, e.g. `2026-04-11`",
    "date_from_datetime_parsing": "a date, e.g. `2026-04-11`",
    "tuple_type": "a list, e.g. `[a, b]`",
    "dict_type": "a group of keys",
    "mapping_type": "a group of keys",
    "model_type": "a group of keys",
    "invalid_key": "text",
}


def _predicate(details: Sequence[ErrorDetails]) -> str:
    first = details[0]
    context: Mapping[str, Any] = first.get("ctx", {})
    value = _describe_value(first["input"])
    match first["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            # The members of an enumeration are shown as `<Color.RED: 'red'>`.
            choices = re.sub(r"<[^<>]*('[^']*')>", r"\1", str(context["expected"]))
            return f"is {value}, and must be {choices.replace(chr(39), '`')}"
        case "string_pattern_mismatch":
            return f"is {value} and does not have the right form"
        case "too_short":
            count = context["min_length"]
            return f"is empty and must have at least {count} {'entry' if count == 1 else 'entries'}"
        case kind if kind in _TYPES:
            types = dict.fromkeys(_TYPES[detail["type"]] for detail in details if detail["type"] in _TYPES)
            return f"is {value} and must be {' or '.join(types)}"
        case _:
            return f"is {value} and {first['msg'].removeprefix('Input ').replace('should', 'must')}"


def _describe_value(value: object) -> str:
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


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a section by the keys that a file has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _section(model: type[BaseModel], path: KeyPath) -> type[BaseModel]:
    """Return the section that a key path leads to. A list or a mapping of sections has one model for all of them."""
    keys = iter(path)
    for key in keys:
        field = _fields(model).get(str(key))
        if field is not None:
            model = next(_models(field.annotation), model)
            if get_origin(field.annotation) is Mapping:
                next(keys, None)  # the name of an entry is no key of the model
    return model


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _documentation(model: type[BaseModel], path: KeyPath) -> str:
    """Return the documentation of a key, or of the section around it if the key has none."""
    names = [key for key in path if isinstance(key, str)]
    field = _fields(_section(model, tuple(names[:-1]))).get(names[-1]) if names else None
    return (field and field.description) or _section(model, tuple(names)).__doc__ or ""
