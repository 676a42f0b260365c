"""Reads from a GitHub Actions workflow file whether it starts on a pull request, for which branches and files.

A workflow file is untrusted text. It is read as a stream of events up to a size and a depth, and only the few lists
that matter are built. A construct that is not plain counts as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from bot.analysis.workflow_filters import selects

LARGEST = 512 * 1024
"""Bytes of a file that is still read. sglang's largest has 89 KB."""
MOST_EVENTS = 50_000
"""Of the parser, for one file."""
MOST_FILES = 300
"""Files that GitHub certainly compares with a filter by path."""
_DEEPEST = 6
"""Levels below `on` that a filter may have."""
_DEEPEST_ELSEWHERE = 50
"""The parser takes quadratic time in the levels of a list in brackets: a minute for 20,000."""
_OPENING = frozenset({"opened", "synchronize", "reopened"})
"""Activities on which a workflow starts that names none:
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request"""
_PATHS = frozenset({"paths", "paths-ignore"})
_FILTERS = _PATHS | frozenset({"branches", "branches-ignore", "types"})

_Value: TypeAlias = "str | list[_Value] | dict[str, _Value]"


class UnclearWorkflow(ValueError):
    """The file has a construct that this reader does not read, so its trigger is unknown."""


@dataclass(frozen=True, slots=True)
class PullRequestTrigger:
    """What a workflow says about pull requests. `filters` holds lists of patterns or words by their key."""

    name: str
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def starts(self, branch: str, files: Sequence[str]) -> bool | None:
        """Whether it starts when a pull request to `branch` that changes `files` opens; None if unknown."""
        if not _OPENING & set(self.filters.get("types", _OPENING)):
            return None  # only on labels, say, which the pull request may get
        answers = [*self._by_branch(branch), *self._by_files(files)]
        if False in answers:
            return False
        return None if None in answers else True

    @property
    def branches(self) -> tuple[str, ...]:
        """The patterns of the branches that it is for; empty for any."""
        return tuple(self.filters.get("branches", ()))

    def for_branch(self, branch: str) -> bool | None:
        """Whether it is for pull requests to a branch; None if unknown."""
        answers = list(self._by_branch(branch))
        return False if False in answers else None if None in answers else True

    def _by_branch(self, branch: str) -> Iterator[bool | None]:
        if "branches" in self.filters:
            yield selects(self.filters["branches"], branch)
        if "branches-ignore" in self.filters:
            is_ignored = selects(self.filters["branches-ignore"], branch)
            yield None if is_ignored is None else not is_ignored

    def _by_files(self, files: Sequence[str]) -> Iterator[bool | None]:
        if len(files) > MOST_FILES and _PATHS & self.filters.keys():
            yield None
        elif "paths" in self.filters:
            yield _any([selects(self.filters["paths"], file) for file in files])
        elif "paths-ignore" in self.filters:
            ignored_files = [selects(self.filters["paths-ignore"], file) for file in files]
            yield _any([None if entry is None else not entry for entry in ignored_files])


def _any(answers: Sequence[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers else False


def pull_request_trigger(content: bytes) -> PullRequestTrigger | None:
    """Return what a workflow file says about pull requests, or None if it does not start on them.

    Raises:
        UnclearWorkflow: the file is too large, is not YAML, or has a construct that is not plain.
    """
    try:
        return _trigger(_read(content))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnclearWorkflow("it is not YAML") from error


def _trigger(top: Mapping[str, _Value]) -> PullRequestTrigger | None:
    events, name = top.get("on", ""), top.get("name", "")
    plain_name = name if isinstance(name, str) else ""
    if isinstance(events, dict):
        if "pull_request" not in events:
            return None
        return PullRequestTrigger(plain_name, _filters(events["pull_request"]))
    return (
        PullRequestTrigger(plain_name) if "pull_request" in ([events] if isinstance(events, str) else events) else None
    )


def _filters(value: _Value) -> dict[str, tuple[str, ...]]:
    if value in ("", "null", "~"):
        return {}
    if not isinstance(value, dict) or not _FILTERS.issuperset(value):
        raise UnclearWorkflow("a filter is not known")
    return {key: _words(entry) for key, entry in value.items()}


def _words(value: _Value) -> tuple[str, ...]:
    entries = [value] if isinstance(value, str) else value
    words = tuple(entry for entry in entries if isinstance(entry, str))
    if isinstance(entries, dict) or len(words) < len(entries) or not words:
        raise UnclearWorkflow("a filter is not known")
    return words


def _read(content: bytes) -> dict[str, _Value]:
    """Return `on` and `name` of the top mapping, and pass over everything else."""
    if len(content) > LARGEST:
        raise UnclearWorkflow("it is too large")
    events = _events(content.decode("utf-8"))
    if not isinstance(next(events, None), yaml.MappingStartEvent):
        raise UnclearWorkflow("it holds no keys")
    top: dict[str, _Value] = {}
    for key in events:
        if isinstance(key, yaml.MappingEndEvent):
            break
        if not isinstance(key, yaml.ScalarEvent) or key.value in top or key.value == "<<":
            raise UnclearWorkflow("a key is no plain word, or is there twice")
        if key.value in ("on", "name"):
            top[key.value] = _value(next(events), events, _DEEPEST)
        else:
            _pass_over(next(events), events)
    return top


def _events(text: str) -> Iterator[yaml.Event]:
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if count > MOST_EVENTS:
            raise UnclearWorkflow("it is too long")
        if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            yield event


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Value:
    if isinstance(event, yaml.ScalarEvent) and event.tag is None:
        return str(event.value)
    if not depth or not isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent) or event.tag:
        raise UnclearWorkflow("an alias, a tag, or too deep")
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(entry, events, depth - 1) for entry in _until(yaml.SequenceEndEvent, events)]
    mapping: dict[str, _Value] = {}
    for key in _until(yaml.MappingEndEvent, events):
        if not isinstance(key, yaml.ScalarEvent) or key.value in mapping or key.value == "<<":
            raise UnclearWorkflow("a key is no plain word, or is there twice")
        mapping[key.value] = _value(next(events), events, depth - 1)
    return mapping


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    while not isinstance(event := next(events), end):
        yield event


def _pass_over(event: yaml.Event, events: Iterator[yaml.Event]) -> None:
    depth = 0
    while True:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if not depth:
            return
        if depth > _DEEPEST_ELSEWHERE:
            raise UnclearWorkflow("it is too deep")
        event = next(events)
