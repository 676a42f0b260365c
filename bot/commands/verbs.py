"""The table of commands: each verb with the permission that it needs and the text that the help shows.

A new command is a new member of `Verb`. mypy then names each place that has to know it: `entry` below and the handler
in `bot.handlers`. The parser reads each member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never


class Verb(StrEnum):
    """The verbs, in the order in which the help lists them."""

    BACKPORT = "backport"
    STATUS = "status"
    CANCEL = "cancel"
    HELP = "help"


KEYWORDS = tuple(verb for verb in Verb if verb is not Verb.BACKPORT)
"""The verbs that are written after `/backport`. Any other word there is a target branch."""


@dataclass(frozen=True, slots=True)
class VerbEntry:
    """A row of the table. `permission` is the key of the section `permissions` that sets the level for the command.

    `forms` maps each way to write the command to its help text.
    """

    permission: Literal["backport", "cancel", "status"]
    forms: Mapping[str, str]


def entry(verb: Verb) -> VerbEntry:
    """Return a verb's row of the table."""
    match verb:
        case Verb.BACKPORT:
            return VerbEntry("backport", _BACKPORT_FORMS)
        case Verb.STATUS:
            text = "show the state of each target branch"
            return VerbEntry("status", {"/backport status": text})
        case Verb.CANCEL:
            text = "stop the running and waiting requests of this pull request"
            return VerbEntry("cancel", {"/backport cancel": text})
        case Verb.HELP:
            return VerbEntry("status", {"/backport help": "show this"})
        case _:
            assert_never(verb)


_BACKPORT_FORMS = {
    "/backport BRANCH…": "bring this pull request to these branches; `release/v0.5.*` names several stable ones",
    "/backport all": "bring it to every stable branch",
    "/backport auto": "bring it to every stable branch that is found affected",
    "/backport BRANCH… --commits SHA…": "bring these commits, if the bot cannot tell which ones were merged",
}

FORMS: Mapping[str, str] = {form: text for verb in Verb for form, text in entry(verb).forms.items()}
"""Each way to write a command, with its help text."""
