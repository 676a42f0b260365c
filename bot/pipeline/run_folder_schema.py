"""Makes the JSON Schema of a run folder's files, for other tools: run-folder.schema.json beside this file."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import DataclassSchema, ModelSchema

from bot.pipeline.run_folder_records import Picked, Plan, Proof

_KINDS: tuple[type[BaseModel], ...] = (Plan, Picked, Proof)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the three kinds of file. The docstrings of attributes describe the keys."""
    mode: Literal["validation"] = "validation"
    _, definitions = models_json_schema([(kind, mode) for kind in _KINDS], schema_generator=_DescribedSchema)
    kinds = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in _KINDS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "run folder",
        "oneOf": kinds,
        **definitions,
    }


class _DescribedSchema(GenerateJsonSchema):
    """Does what `use_attribute_docstrings` does. pydantic then reads the sources each time the bot starts: 0.3 s."""

    def dataclass_schema(self, schema: DataclassSchema) -> dict[str, Any]:
        """Describe a dataclass."""
        return _with_docstrings(super().dataclass_schema(schema), schema["cls"])

    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        """Describe a model."""
        return _with_docstrings(super().model_schema(schema), schema["cls"])


def _with_docstrings(json_schema: dict[str, Any], owner_class: type) -> dict[str, Any]:
    for owner in owner_class.__mro__:
        for name, text in _attribute_docstrings(owner):
            json_schema["properties"][name].setdefault("description", text)
    return json_schema


def _attribute_docstrings(owner: type) -> list[tuple[str, str]]:
    generic = getattr(owner, "__pydantic_generic_metadata__", {}).get("origin")
    if generic or not owner.__module__.startswith("bot."):
        return []  # the generic class itself is among the bases of what is made of it
    (definition,) = ast.parse(inspect.getsource(owner)).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return [
        (attribute.target.id, inspect.cleandoc(text.value.value))
        for attribute, text in pairwise(body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]
