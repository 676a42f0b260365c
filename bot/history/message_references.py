"""A commit's message → its references to other commits and pull requests.

It knows git's own lines, patchback, Meeseeks, Mergify, cherry-pick robots and workflows such as sglang's, GitHub's
merges and bors. A reference is only text: it counts if `bot.git.same_change` finds that the commit makes, or takes
back, the change that it names.

Anyone writes messages, of any length, so every pattern must take linear time: repetitions are bounded, or cannot match
in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from bot.git.commit_message import PICKED_WORDS, picked_from, reverted_commits

_REPOSITORY = r"[\w.-]{1,100}/[\w.-]{1,100}"
_NUMBER = re.compile(r"\(#(\d{1,9})\)")
# In a revert's title the number inside the quotes is the reverted one's.
_LAST_NUMBER = re.compile(r"\(#(\d{1,9})\)\W?\s*$(?<!\")")
_OWN_NUMBER = re.compile(r" \(#\d{1,9}\)$")
# GitHub's own, homu's and bors': "Auto merge of #12 - ann:fix, r=bea", "Merge #12".
_MERGE = re.compile(r"(?:Merge (?:pull request|PR) |Auto merge of |Rollup merge of |Merge )#(\d{1,9})\b(?! #)")
_PICKED_IN_SUBJECT = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)\s*$")
_PATCHBACK = re.compile(r"^\[PR #(\d{1,9})/([0-9a-f]{7,40}) backport\]")
_MERGED_AS = re.compile(r"backport of PR #\d+ as merged into \S+\s+\(([0-9a-f]{7,40})\)")
_FIXES = re.compile(r"^Fixes:? +(?:commit +)?(?:([0-9a-f]{8,40})\b|#(\d{1,9})\b)", re.MULTILINE)
_REVERT_SUBJECT = re.compile(r"^Revert\b[^#]*#(\d{1,9})\b")
# git's and GitHub's words around the reverted title, and those of https://www.conventionalcommits.org/en/v1.0.0/#specification
_UNDOES_TITLE = re.compile(r'(Revert|Reapply) "(.+)"|(revert)(?:\([^()]*\))?: (.+)')
_NUMBER_LIST = (
    rf"((?:(?:https://github\.com/{_REPOSITORY}/pull/|{_REPOSITORY}#|#|PR )\d{{1,9}}(?:,? and |, ?| & |\+)?)+)"
)
_VERB = r"(?:back-?port(?:ed|s|ing)?|cherry[- ]?pick(?:ed|s|ing)?)(?: of| from)?(?: (?:PRs?|pull requests?))?:? ?"
_REVERTS_NUMBERS = re.compile(
    rf"^(?:This )?Revert(?:s| of)?:? (?:PRs? |pull requests? )?{_NUMBER_LIST}", re.IGNORECASE | re.MULTILINE
)
# "Backport PR #12: …", "Backport of #12 and #13", "Automated cherry pick of #12": anywhere in a title; in the body at a
# line's start, or it is prose.
_TITLE_WORDS = re.compile(rf"\b{_VERB}{_NUMBER_LIST}", re.IGNORECASE)
_BODY_WORDS = re.compile(
    rf"^(?!>)\W{{0,4}}(?:This is an? )?(?:\w{{1,40}} )?{_VERB}{_NUMBER_LIST}", re.IGNORECASE | re.MULTILINE
)
_QUOTE = re.compile(r"[ \t]{0,9}>")
_BARE_HASH = re.compile(rf"{PICKED_WORDS}`?([0-9a-f]{{10,40}})\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?:#|/pull/|PR )(\d{1,9})", re.IGNORECASE)
# "[Cherry-pick to release/v1] Fix (#12)", "fix: [backport 1.2] Ring (#12)": the original's number, or the start of its
# hash, ends the title. A squash appends its own number.
_TITLE_NAMES_TARGET = re.compile(r"\[(?:cherry[- ]?pick|back-?port)(?:ed)?[ :][^\[\]]{1,120}\]", re.IGNORECASE)
_LAST_NUMBERS = re.compile(r"((?:\(#\d{1,9}\)\s{0,9})+)$")
_LAST_HASH = re.compile(r"\(([0-9a-f]{7,40})\)(?: \(#\d{1,9}\))?$")
_LONGEST_END = 100
# What tools and people write above a backport's description, in bold or not.
_SOURCE_NUMBER = re.compile(
    rf"^\*{{0,2}}(?:source|main|upstream|original) (?:PR|pull request):?\*{{0,2}}:? ?{_NUMBER_LIST}",
    re.IGNORECASE | re.MULTILINE,
)
_SOURCE_COMMIT = re.compile(
    r"^\*{0,2}(?:source|main|upstream|original) commit:?\*{0,2}:? ?`?([0-9a-f]{7,40})\b", re.IGNORECASE | re.MULTILINE
)
_LIST_OF_COMMITS = "will backport the following commits"  # https://github.com/sorenlouv/backport
_LISTED = re.compile(r"^ ?- \[.{1,500}\]\(https://[\w.-]{1,100}/[\w./-]{1,200}/pull/(\d{1,9})\)", re.MULTILINE)
# The branch that a merge names: "auto-backport-of-pr-12-on-v5", "cherry-pick-12-to-1.7", "backport/12-to-release-1",
# "bp/7.2.x/12"; a version is no number, and neither is a hash: git's abbreviations have 7 digits at least.
_BRANCH = re.compile(
    r"(?:^|[/_-])(?:back-?port|cherry-?pick|bp)(?:[-_/](?:of|pr)){0,4}[-_/]?(?:v?[\d.]{1,40}x?/)?#?(\d{1,6})(?![\da-z.])",
    re.IGNORECASE,
)
# Mergify, Elastic and patchback end with the number: "mergify/bp/release/1.2/pr-12".
_BRANCH_END = re.compile(r"(?:^|[/_-])(?:back-?ports?|bp)/(?:[\w.-]{1,100}/){1,6}pr-(\d{1,9})(?![\w.])", re.IGNORECASE)
_BRANCH_HASH = re.compile(
    r"cherry-?pick[-/]([0-9a-f]{7,40})-to-|/backports/(?:[\w.-]{1,100}/){1,6}([0-9a-f]{40})/pr-", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class References:
    """The references in one message. Commits are in lower case, perhaps abbreviated; pull requests are numbers.

    `sources` are named on a line of their own or by a tool, `hashes` in passing. `undoes_titles` are the titles of
    commits that the message takes back: of a revert the reverted commit's, of a "Reapply" the revert's.
    """

    sources: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    backports: tuple[int, ...] = ()
    reverts_numbers: tuple[int, ...] = ()
    fixes_numbers: tuple[int, ...] = ()
    undoes_titles: tuple[str, ...] = ()


NOTHING = References()
# Every reference contains one of these words. Most messages have none, so the patterns are skipped for them.
_WORDS = ("pick", "back", "bp", "revert", "reapply", "fixes")


def parse_references(message: str) -> References:
    """Read a commit's message."""
    text = message.lower()
    if not any(word in text for word in _WORDS):
        return NOTHING
    subject, _, body = message.partition("\n")
    fixes = _FIXES.findall(message)
    sources = _distinct(_sources(message, subject))
    return References(
        sources=sources,
        hashes=_distinct(name for name in _bare_hashes(message) if name not in sources),
        reverts=_distinct(reverted_commits(message)),
        fixes=_distinct(name for name, _ in fixes if name),
        backports=_distinct(_backported_numbers(subject, body)),
        reverts_numbers=_distinct(_reverted_numbers(message, subject)),
        fixes_numbers=_distinct(int(number) for _, number in fixes if number),
        undoes_titles=_undone_titles(subject),
    )


def numbers_in(subject: str) -> tuple[int, ...]:
    """Return the pull requests that a title names in brackets, as GitHub writes its own at the end."""
    return tuple(map(int, _NUMBER.findall(subject)))


def numbers_in_branch(subject: str) -> tuple[int, ...]:
    """Return the pull requests that the branch in a merge's title is named for."""
    if not _MERGE.match(subject):
        return ()
    branch = subject.rpartition(" from ")[2]
    return tuple(map(int, _BRANCH_END.findall(branch) or _BRANCH.findall(branch)))


def own_number(subject: str) -> int | None:
    """Return the number of the pull request that brought a commit, as its title says."""
    match = _MERGE.match(subject) or _LAST_NUMBER.search(subject)
    return int(match.group(1)) if match else None


def without_own_number(subject: str) -> str:
    """Return a title without the number that GitHub appends at a squash."""
    return _OWN_NUMBER.sub("", subject)


def _sources(message: str, subject: str) -> list[str]:
    in_subject = _PICKED_IN_SUBJECT.search(subject)
    patchback = _PATCHBACK.match(subject)
    return [
        *picked_from(message),
        *([in_subject.group(1)] if in_subject else ()),
        *([patchback.group(2)] if patchback else ()),
        *(_MERGED_AS.findall(message)),
        *(_SOURCE_COMMIT.findall(message)),
        *_hash_at_end(subject),
        *("".join(names) for names in _BRANCH_HASH.findall(subject)),
    ]


def _hash_at_end(subject: str) -> list[str]:
    return _LAST_HASH.findall(subject[-_LONGEST_END:]) if _TITLE_NAMES_TARGET.search(subject) else []


def _number_at_end(subject: str) -> list[int]:
    """Return the original's number of a title that names the target branch: the last but the squash's own."""
    if not _TITLE_NAMES_TARGET.search(subject) or _hash_at_end(subject):
        return []
    last = _LAST_NUMBERS.search(subject[-_LONGEST_END:])
    return [numbers_in(last.group())[-2:][0]] if last else []


def _bare_hashes(message: str) -> list[str]:
    lines = (line for line in message.splitlines() if not _QUOTE.match(line))
    return [name.lower() for line in lines for name in _BARE_HASH.findall(line)]


def _undone_titles(subject: str) -> tuple[str, ...]:
    undoes = _UNDOES_TITLE.match(subject)
    if undoes is None:
        return ()
    word, quoted_title, _, plain_title = undoes.groups()
    if word == "Reapply":
        # git calls the revert of a revert "Reapply", so it takes back the revert:
        # https://git-scm.com/docs/git-revert
        return (f'Revert "{quoted_title}"',)
    return (quoted_title or plain_title.strip(),)


def _reverted_numbers(message: str, subject: str) -> list[int]:
    numbers = [int(number) for words in _REVERTS_NUMBERS.findall(message) for number in _DIGITS.findall(words)]
    in_subject = _REVERT_SUBJECT.match(subject)
    return [*numbers, int(in_subject.group(1))] if in_subject else numbers


def _backported_numbers(subject: str, body: str) -> list[int]:
    patchback = _PATCHBACK.match(subject)
    numbers = [int(patchback.group(1))] if patchback else []
    for words in (*_TITLE_WORDS.findall(subject), *_BODY_WORDS.findall(body), *_SOURCE_NUMBER.findall(body)):
        numbers += map(int, _DIGITS.findall(words))
    listed_numbers = map(int, _LISTED.findall(body)) if _LIST_OF_COMMITS in body else ()
    return [*numbers, *_number_at_end(subject), *listed_numbers, *numbers_in_branch(subject)]


T = TypeVar("T")


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
