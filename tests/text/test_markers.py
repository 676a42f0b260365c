"""The hidden lines: what is written into one is read back, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.markers import (
    CommandRecord,
    RecordState,
    read_branch_states,
    read_command_record,
    status_key,
    status_marker,
    write_branch_states,
    write_command_record,
)

# GitHub keeps no lone surrogate: what is sent there is spelled out before.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_LINES = st.builds(
    CommandRecord,
    state=st.sampled_from(RecordState),
    command=_TEXT,
    requester=_TEXT,
    recorded_at=st.integers(0, 10**11),
    run=st.just("") | st.from_regex("[0-9]{1,12}", fullmatch=True),
    signature=st.just("") | st.from_regex("[0-9a-f]{64}", fullmatch=True),
)


@given(_TEXT, st.just("") | st.from_regex("[0-9a-f]{64}", fullmatch=True))
def test_a_key_is_read_back_with_its_signature(key: str, signature: str) -> None:
    assert status_key(f"{status_marker(key, signature)}\nText") == (key, signature)


@given(_LINES)
def test_a_kept_command_is_read_back(line: CommandRecord) -> None:
    body = write_command_record(f"{status_marker('k')}\nText\n", line)
    assert read_command_record(body) == line
    assert read_command_record(body.replace("\n", "\r\n")) == line


@given(st.dictionaries(_TEXT, _TEXT, max_size=4))
def test_how_the_branches_stand_is_read_back(states: dict[str, str]) -> None:
    assert read_branch_states(write_branch_states(f"{status_marker('k')}\nText", states)) == states


@pytest.mark.parametrize(
    "body",
    [
        "<!-- backport-bot:remembered:/backport%20a -->",
        "Text\n<!-- backport-bot:remembered:/backport%20a -->",
        f"{status_marker('k')}\nText\n<!-- backport-bot:remembered:/backport%20a -->",
        f"{status_marker('k')}\n> <!-- backport-bot:remembered:/backport%20a -->",
    ],
)
def test_a_line_elsewhere_keeps_nothing(body: str) -> None:
    assert read_command_record(body) is None


def test_a_line_that_an_early_version_wrote_is_read_without_requester_and_signature() -> None:
    line = read_command_record(f"{status_marker('k')}\n<!-- backport-bot:started:/backport%20a -->\nText")
    assert line == CommandRecord(state=RecordState.STARTED, command="/backport a")
