"""YAML text → plain data that still knows its lines.

Owns reading a file that people edit: bounded in size, without aliases where nobody needs them, a key at most once in
each mapping, and the line of every value for whoever has to complain about one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from bot.errors import ConfigError

LARGEST = 256 * 1024
"""Characters of a file that are still read."""

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A document's top mapping, and the line (from 1) of each value by its key path."""

    data: Mapping[str, object]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """Return the line of a value, or of the nearest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse_yaml(text: str, *, name: str, aliases: bool = False) -> LocatedYaml:
    """Read a document whose top is a mapping; an empty one is an empty mapping. `name` is the file's, for errors.

    Raises ConfigError where the text is too large, no YAML, holds a key twice, or uses aliases that are not allowed.
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
    return LocatedYaml(data, lines)


def _load(text: str, name: str) -> tuple[object, dict[KeyPath, int]]:
    lines: dict[KeyPath, int] = {}
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
        for index, each in enumerate(node.value):
            _walk(each, (*path, index), lines, name)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if here in lines:
                raise ConfigError(
                    f"{name}, line {line}: `{key.value}` is there twice; the first is on line {lines[here]}.",
                    hint="Keep one of them.",
                )
            lines[here] = line
            _walk(value, here, lines, name)


def _describe(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem or error.context} on line {error.problem_mark.line + 1}."
    return " ".join(str(error).split()) + "."
