"""Explains a rejected push: names the rule that rejected it, and the remedy.

git reports a refusal by a rule, by a hook and by a lost lock alike, so only the server's text tells them apart. Words
that match no known rule are quoted as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST_QUOTE = 400
"""Characters of the server's words that a message holds."""
_REMARK = re.compile(r"^remote:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NOISE = re.compile(
    r"^(?:Resolving deltas|Counting objects|Compressing objects|Processing changes|Total \d)\b|^[-=*. ]*$"
)
_OF_SERVER = re.compile(
    r"error: 40[134]\b|Authentication failed|could not read (?:Username|Password)|Permission denied"
    r"|^remote: (?:error|ERROR|fatal)\b|HTTP 413|pack exceeds maximum",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class PushRefusal:
    """Why the server refused: its own words on one line, without backticks, and the remedy."""

    words: str
    hint: str


def explain_refusal(stderr: str, summary: str) -> PushRefusal:
    """Explain a refused push by what the server said beside it and by its `summary` of the branch."""
    remarks = [remark for remark in _REMARK.findall(stderr) if not _NOISE.search(remark)]
    text = "\n".join((summary, *remarks, stderr))
    hint = next((hint for pattern, hint in _REMEDIES if pattern.search(text)), _UNKNOWN)
    return PushRefusal(words=_on_one_line(remarks, summary, stderr), hint=hint)


def is_refusal(stderr: str, summary: str) -> bool:
    """Say whether a server answered at all; otherwise it was the connection that failed."""
    return bool(summary) or _OF_SERVER.search(stderr) is not None


def _on_one_line(remarks: list[str], summary: str, stderr: str) -> str:
    words = dict.fromkeys(re.sub(r"^(?:error|ERROR|fatal): *", "", remark) for remark in remarks)
    parts = [part for part in (*words, summary if summary not in words else "") if part] or [stderr.strip()]
    line = re.sub(r"\s+", " ", " ".join(parts)).replace("`", "'").strip()
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1].rstrip()}…"


_EXEMPT = (
    "A maintainer can exempt the bot, or the branches that `branch_name` gives, from that rule "
    "(Settings → Rules, or Branches)"
)
_REPEAT = "then post the same comment again."
_UNKNOWN = f"The words above are the server's. {_EXEMPT} if it is one of the repository; {_REPEAT}"


def _remedy(pattern: str, hint: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE), hint


# The first that fits counts, so what GitHub says in detail stands before its codes. The codes and words are those of
# https://docs.github.com/code-security/secret-scanning/push-protection,
# https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository and of pushes that it refused.
_REMEDIES: tuple[tuple[re.Pattern[str], str], ...] = (
    _remedy(
        r"verified signature|must be signed",
        "The rule wants signed commits: set `commit.verified: true`, which lets GitHub sign the commits, or "
        f"exempt the bot from it; {_REPEAT}",
    ),
    _remedy(
        r"(?:branch|ref) name must|name (?:of the branch )?must match|branch name .{0,200}does not match",
        f"Set `branch_name` in `backport.yaml` to a pattern that the repository's rule allows; {_REPEAT}",
    ),
    _remedy(
        r"push protection|contains? secrets?|secrets? detected|detected secret|GH009",
        "The original contains text that GitHub takes for a secret. If it is one, revoke it and backport a version "
        f"without it. If not, allow it by the link in GitHub's words or in its push protection; {_REPEAT}",
    ),
    _remedy(
        r"GH007|private e-?mail|e-?mail privacy",
        "GitHub keeps an e-mail address of the pushed commits private. Set `committer.email` to the account's "
        "`…@users.noreply.github.com` address; if it is the original author's, a maintainer of that account can "
        f"allow it under Settings → Emails; {_REPEAT}",
    ),
    _remedy(
        r"GH001|large files? detected|file size|exceeds .{0,80}(?:limit|maximum)|HTTP 413|pack exceeds",
        "A file of the original is larger than the server takes. Finish this backport by hand, with the large file in "
        "Git LFS or left out.",
    ),
    _remedy(
        r"GH008|unknown Git LFS objects",
        "The original's large files are in Git LFS, and the server does not have them here: push them with "
        f"`git lfs push --all`, {_REPEAT}",
    ),
    _remedy(
        r"update (?:workflow|\.github/workflows)|without [`']?workflows?[`']? (?:permission|scope)",
        "The token may not push files in `.github/workflows`: give it the `workflow` scope (a GitHub App: "
        f"`Workflows: write`), {_REPEAT}",
    ),
    _remedy(
        r"file path is restricted|paths? .{0,200}restricted|file extension|path length",
        f"A rule of the repository forbids a file that the original changes. {_EXEMPT}; {_REPEAT}",
    ),
    _remedy(
        r"(?:commit message|author email|committer email|author name|e-?mail pattern).{0,80} must",
        "A rule of the repository wants commits written another way. Where it is about the committer, set `committer` "
        f"in `backport.yaml`; otherwise: {_EXEMPT}; {_REPEAT}",
    ),
    _remedy(
        r"locked branch|branch is locked",
        f"The branch is locked by a rule of the repository. {_EXEMPT}; {_REPEAT}",
    ),
    _remedy(
        r"(?:over|exceed(?:s|ed)) (?:its|your) .{0,40}(?:quota|budget)",
        f"The space that the owner of the repository pays for is used up. Whoever pays can add to it; {_REPEAT}",
    ),
    _remedy(
        r"rate limit",
        f"The server takes no more of the bot's pushes for now: wait a while, {_REPEAT}",
    ),
    _remedy(
        r"repository .{0,40}(?:disabled|locked)|account .{0,40}suspended",
        f"The repository, or the account, is shut on the server. Its owner, or GitHub's support, can open it; "
        f"{_REPEAT}",
    ),
    _remedy(
        r"for maintenance|maintenance mode",
        f"The server is under maintenance: wait a while, {_REPEAT}",
    ),
    _remedy(
        r"archived|read-only",
        f"The repository is archived, or may only be read for now. A maintainer can change that; {_REPEAT}",
    ),
    _remedy(
        r"SAML|single sign-on|SSO\b",
        f"The organisation wants single sign-on: authorise the bot's token for it; {_REPEAT}",
    ),
    _remedy(
        r"IP allow list",
        f"The organisation lets only listed addresses in: add the address that the bot runs at; {_REPEAT}",
    ),
    _remedy(
        r"directory.?file conflict|exists; cannot (?:create|lock)|refname conflict",
        "Another branch is in the way: git keeps no branch beside one whose name continues it after a slash. Rename or "
        f"delete it, or set another `branch_name` in `backport.yaml`; {_REPEAT}",
    ),
    _remedy(
        r"GH003|force.?push",
        f"A rule of the repository forbids replacing the branch. {_EXEMPT}, or delete the branch; {_REPEAT}",
    ),
    _remedy(
        r"GH006|GH013|protected branch|rule violations|restricted",
        f"A rule of the repository forbids this push. {_EXEMPT}; {_REPEAT}",
    ),
    _remedy(
        r"unpacker error|unpack failed|no space|internal server error|unable to (?:create|write)|failed to update ref"
        r"|commit_refs",
        f"The server could not store it: wait a while, {_REPEAT}",
    ),
    _remedy(
        r"hook declined|failed with exit status",
        "A hook of the server refused it, and the words above are the hook's. The server's operator knows its "
        f"rule; {_REPEAT}",
    ),
    _remedy(
        r"error: 404\b|repository .{0,200}not found",
        f"The repository is not there any more under this name, or the token may not see it: check both, {_REPEAT}",
    ),
    _remedy(
        r"error: 40[13]\b|permission .{0,80}denied|Permission denied|write access|Authentication failed|could not read",
        "Give the bot a valid token with write access to contents (and `workflow` for files in .github/workflows).",
    ),
)
