"""Conditions of the repository: reachable by API and git, its release branches, its configuration and its rules."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bot.adoption.checkout import Checkout
from bot.config import FILE_NAME, Config, parse_config
from bot.errors import ConfigError, GitError
from bot.git.environment import authorization
from bot.git.process import Git
from bot.github.reader import Reader, Reply
from bot.models.diagnosis import Diagnosis, bad, good, note, unknown
from bot.text.branch_names import matches_glob
from bot.text.markdown import count
from bot.text.release_branches import release_globs

_SECONDS = 60
_BLOCKING_RULES = {
    "creation": "branches may not be made",
    "update": "branches may not be changed",
    "pull_request": "changes need a pull request",
    "required_signatures": "commits must be signed",
    "commit_message_pattern": "commit messages must have a form",
    "commit_author_email_pattern": "authors' addresses must have a form",
    "committer_email_pattern": "committers' addresses must have a form",
    "branch_name_pattern": "branch names must have a form",
    "required_deployments": "deployments are required",
    "workflows": "workflows must pass",
}
"""Rules that can refuse a push of a backport branch: https://docs.github.com/rest/repos/rules"""


@dataclass(frozen=True, slots=True)
class UpstreamConfig:
    """The configuration of the default branch: its text, None if there is no file, and what it means if it is valid."""

    text: str | None
    config: Config | None
    problem: ConfigError | None = None


def check_reachable(reader: Reader) -> tuple[Reply, list[Diagnosis]]:
    """Read the repository by the API; return GitHub's answer as well."""
    reply = reader.get_here()
    if reply.ok and reply.field("archived"):
        return reply, [
            bad(
                "repository",
                f"{reader.repository} is archived.",
                "Nothing can be pushed.",
                "Unarchive it, or leave it.",
            )
        ]
    if reply.ok:
        return reply, [good("repository", f"{reader.repository}, default branch {reply.field('default_branch')}.")]
    return reply, [
        bad(
            "repository",
            f"GitHub does not show {reader.repository} (HTTP {reply.status}).",
            "The bot can do nothing there.",
            "Check the name, and that the account has access. A fine-grained token names its repositories.",
        )
    ]


def read_upstream_config(reader: Reader) -> UpstreamConfig:
    """Read backport.yaml of the default branch."""
    reply = reader.get_here(f"/contents/{FILE_NAME}")
    text = decode_file(reply)
    try:
        return UpstreamConfig(text, parse_config(text or "", repository=reader.repository))
    except ConfigError as error:
        return UpstreamConfig(text, None, error)


def decode_file(reply: Reply) -> str | None:
    """Return the text of a file as the contents API gives it; None if there is none."""
    content = reply.field("content")
    if not reply.ok or not isinstance(content, str):
        return None
    try:
        return base64.b64decode(content).decode(errors="replace")
    except binascii.Error:
        return None


def check_config(upstream: UpstreamConfig, repository: str, checkout: Checkout | None) -> Iterator[Diagnosis]:
    """Check that the configuration can be used, is this repository's, and is what the checkout has."""
    if upstream.problem is not None:
        consequence = "Each request is answered with this error, and nothing is opened."
        yield bad("configuration", upstream.problem.message, consequence, upstream.problem.hint)
    elif upstream.config is not None and upstream.config.repository.casefold() != repository.casefold():
        yield bad(
            "configuration",
            f"{FILE_NAME} says `repository: {upstream.config.repository}`, and this is {repository}.",
            "Each request is answered with this error, and nothing is opened.",
            f"Write `repository: {repository}`, or remove the key.",
        )
    elif upstream.text is None:
        yield good("configuration", f"The default branch has no {FILE_NAME}, so each key has its default.")
    else:
        yield good("configuration", f"{FILE_NAME} on the default branch is valid.")
    local = _read(checkout.folder / FILE_NAME) if checkout is not None else None
    if local is not None and local != upstream.text:
        yield note(
            "configuration",
            f"{FILE_NAME} in this checkout is not that of the default branch.",
            "Comments and commands follow the default branch's.",
            "Commit it and merge it there, or pull.",
        )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def check_branches(reader: Reader, repository: Reply, config: Config) -> Iterator[Diagnosis]:
    """Ask git for the branches, with the account's token, and look for those that the patterns match."""
    url = str(repository.field("clone_url"))
    try:
        names = _branches(url, reader.git_token())
    except GitError as error:
        yield bad("git access", error.message, "The bot cannot fetch the repository.", error.hint)
        return
    yield good("git access", f"git lists {count(len(names), 'branch')} of {url}.")
    stable = sorted(name for name in names if any(matches_glob(glob, name) for glob in config.branches))
    patterns = " ".join(config.branches)
    if stable:
        yield good("branches", f"`{patterns}` matches {count(len(stable), 'branch')}, e.g. {stable[-1]}.")
        return
    default = str(repository.field("default_branch"))
    others = " ".join(release_globs(names - {default}))
    yield note(
        "branches",
        f"`{patterns}` matches no branch.",
        "`/backport all` and `auto` find nothing; a branch that a command names by itself is still served.",
        f"Set `branches` in {FILE_NAME}" + (f", e.g. {others}." if others else ", when there are release branches."),
    )


def _branches(url: str, token: str) -> set[str]:
    git = Git(secrets=(token,) if token else ())
    variables = authorization(url, token) if token else {}
    result = git.attempt("ls-remote", "--heads", "--", url, variables=variables, seconds=_SECONDS)
    if result.code:
        hint = "Check that this machine reaches the server, and that the token may read the contents."
        raise git.error(result, "git could not list the branches", hint=hint)
    lines = result.stdout.decode(errors="replace").splitlines()
    return {line.partition("refs/heads/")[2] for line in lines}


def check_rules(reader: Reader, config: Config) -> Diagnosis:
    """Check whether a rule of the repository can refuse a backport branch."""
    name = config.backport_branch(1, "release/1.0")
    reply = reader.get_here(f"/rules/branches/{quote(name, safe='')}")
    if not reply.ok or not isinstance(reply.data, list):
        return unknown(
            "rules",
            f"GitHub does not show the rules for `{name}` (HTTP {reply.status}).",
            "A rule may refuse backport branches.",
            "Look under Settings, Rules, for rulesets whose branches match it.",
        )
    kinds = [str(rule.get("type")) for rule in reply.data if isinstance(rule, dict)]
    blocking = [_BLOCKING_RULES[kind] for kind in dict.fromkeys(kinds) if kind in _BLOCKING_RULES]
    if not blocking:
        return good("rules", f"No ruleset stops a branch such as `{name}`.")
    return note(
        "rules",
        f"Rulesets apply to a branch such as `{name}`: {'; '.join(blocking)}.",
        "GitHub may refuse the bot's push.",
        "Exclude the pattern of `branch_name` from the ruleset, or let the bot's account bypass it.",
    )
