"""Reads a YAML file that people edit, and keeps the line of each value for error messages.

A file is bounded in size. A key may stand once in each mapping. Aliases are an error unless the caller allows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import yaml

from bot.errors import ConfigError

LARGEST = 256 * 1024
"""Characters that a file may have."""

KeyPath = tuple[str | int, ...]


class Mistake(Protocol):
    """Words a mistake at a place of a file: `LocatedYaml.mistake` with its key path already given."""

    def __call__(self, predicate: str, *, hint: str) -> ConfigError: ...


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A document's top mapping, the file's name, and the line (from 1) of each value by its key path."""

    data: Mapping[str, object]
    lines: Mapping[KeyPath, int]
    name: str

    def longest_match(self, path: KeyPath) -> KeyPath:
        """Return the longest part of a key path, from its start, that the document has."""
        while path and path not in self.lines:
            path = path[:-1]
        return path

    def line(self, path: KeyPath) -> int:
        """Return the line of a value; if the document lacks the value, the line of the nearest one around it."""
        return self.lines.get(self.longest_match(path), 1)

    def mistake(self, path: KeyPath, predicate: str, *, hint: str) -> ConfigError:
        """Word a mistake: file, line and key path are the subject, `predicate` is the rest of the sentence."""
        subject = f"`{'.'.join(map(str, path))}`" if path else "the file"
        end = "" if predicate.endswith("?") else "."
        return ConfigError(f"{self.name}, line {self.line(path)}: {subject} {predicate}{end}", hint=hint)


def parse_yaml(text: str, *, name: str, aliases: bool = False) -> LocatedYaml:
    """Read a document whose top is a mapping; an empty one is an empty mapping. `name` is the file's, for errors.

    Raises:
        ConfigError: the text is too large, is not YAML, has a key twice, or uses aliases that are not allowed.
    """
    if len(text) > LARGEST:
        raise ConfigError(f"{name} is larger than {LARGEST // 1024} KiB; it was not read.", hint="Make it smaller.")
    try:
        if not aliases:
            _forbid_aliases(text, name)
        data, lines = _load(text, name)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not YAML: {_describe(error)}", hint="Correct the file at that place.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{name}, line 1: the file holds no keys.", hint="Write `key: value` lines.")
    return LocatedYaml(data, lines, name)


def _load(text: str, name: str) -> tuple[object, dict[KeyPath, int]]:
    lines: dict[KeyPath, int] = {}
    # The full loader makes any Python object that a document names.
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, lines
        _walk(root, (), lines, name)
        return loader.construct_document(root), lines
    finally:
        loader.dispose()


def _forbid_aliases(text: str, name: str) -> None:
    # An alias lets a small file stand for a huge one, and nothing in ours is long enough to need it.
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigError(f"{name}, line {line}: `*{event.anchor}` is an alias.", hint="Write the value out.")


def _walk(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], name: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*path, index), lines, name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            key_path, line = (*path, str(key.value)), key.start_mark.line + 1
            # YAML forbids a key twice, and PyYAML takes the last one: https://yaml.org/spec/1.2.2/#3213-node-comparison
            if key_path in lines:
                raise ConfigError(
                    f"{name}, line {line}: `{key.value}` is there twice; the first is on line {lines[key_path]}.",
                    hint="Keep one of them.",
                )
            lines[key_path] = line
            _walk(value, key_path, lines, name)


def _describe(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem or error.context} on line {error.problem_mark.line + 1}."
    return " ".join(str(error).split()) + "."
