"""The workflow file of a repository that uses the bot, and how an existing one differs from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot import MAJOR_TAG, REPOSITORY
from bot.adoption.rights import RUN_TOKEN
from bot.config.yaml_source import parse_yaml
from bot.errors import ConfigError

PATH = ".github/workflows/backport.yml"
PATH_BESIDE = ".github/workflows/backport-bot.yml"
"""Where the file is if PATH belongs to another tool."""
_CALLED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)/\.github/workflows/backport\.yml@(?P<ref>\S+)")

# The condition is in the workflow that is called, so this file need not know how a request is written. It gets at most
# the rights of the job that calls it:
# https://docs.github.com/actions/reference/workflows-and-actions/reusing-workflow-configurations
# Without `cache-mode` the job that runs a candidate's code could write the caches of the default branch.
_TEXT = """\
name: Backport
on:
  issue_comment: {{types: [created]}}
  pull_request_target: {{types: [labeled, closed, synchronize, ready_for_review]}} # zizmor: ignore[dangerous-triggers]
permissions: {{}}
cache-mode: none
jobs:
  backport:
    permissions: {{{permissions}}}
    uses: {repository}/.github/workflows/backport.yml@{ref}
    secrets: {{token: "${{{{ secrets.BACKPORT_TOKEN }}}}"}}
"""


@dataclass(frozen=True, slots=True)
class BotVersion:
    """The version of the bot that a workflow calls: its repository, and a tag or a commit."""

    repository: str = REPOSITORY
    ref: str = MAJOR_TAG

    @property
    def is_pinned(self) -> bool:
        """Whether nobody can change what the reference means."""
        return re.fullmatch("[0-9a-f]{40}", self.ref) is not None


def render_workflow(version: BotVersion = BotVersion(), *, tag: str = "") -> str:
    """Return the text of the workflow file; `tag` is a comment behind a commit."""
    permissions = ", ".join(f"{name}: {level}" for name, level in RUN_TOKEN.items())
    ref = f"{version.ref} # {tag}" if tag else version.ref
    return _TEXT.format(permissions=permissions, repository=version.repository, ref=ref)


def called_version(text: str) -> BotVersion | None:
    """Return the version of the bot that a workflow file calls; None if it calls none."""
    match = _CALLED.search(text)
    return BotVersion(match["repository"], match["ref"]) if match else None


def differences(text: str) -> tuple[str, ...]:
    """Return what a workflow file that calls the bot lacks, as sentences; empty if it has all that it needs.

    Further triggers, jobs, inputs and secrets are its own affair.
    """
    try:
        workflow = _read(text)
    except ConfigError as error:
        return (error.message,)
    jobs = _mappings(workflow.get("jobs")).values()
    job = next((job for job in jobs if _CALLED.search(str(_mappings(job).get("uses")))), None)
    if job is None:
        return ("No job calls the bot.",)
    return (*_missing_events(workflow), *_missing_rights(workflow, _mappings(job)))


def _read(text: str) -> Mapping[str, object]:
    # YAML 1.1 reads `on` as true: https://yaml.org/type/bool.html
    return {"on" if str(key) == "True" else key: value for key, value in parse_yaml(text, name=PATH).data.items()}


def _missing_events(workflow: Mapping[str, object]) -> list[str]:
    events, sentences = _events(workflow.get("on")), []
    for event, settings in _events(_read(render_workflow())["on"]).items():
        types = _types(event, events.get(event))
        absent = [kind for kind in _types(event, settings) or () if types is not None and kind not in types]
        if event not in events:
            sentences.append(f"The trigger `{event}` is missing.")
        elif absent:
            sentences.append(f"The trigger `{event}` lacks the types {', '.join(absent)}.")
    return sentences


def _types(event: str, settings: object) -> list[str] | None:
    """Return the types of a trigger, by default GitHub's; None for all of them.

    https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """
    types = _mappings(settings).get("types")
    default = ["opened", "synchronize", "reopened"] if event.startswith("pull_request") else None
    return types if isinstance(types, list) else default


def _events(value: object) -> Mapping[str, object]:
    """Return the triggers of a workflow: it may have one, a list or a mapping of them."""
    if isinstance(value, str):
        return {value: None}
    return dict.fromkeys(value) if isinstance(value, list) else _mappings(value)


def _missing_rights(workflow: Mapping[str, object], job: Mapping[str, object]) -> list[str]:
    permissions = job.get("permissions", workflow.get("permissions"))
    if permissions in (None, "write-all"):  # what the repository's settings give, or all
        return []
    rights = _mappings(permissions)
    return [
        f"The job's permission `{name}: {level}` is missing."
        for name, level in RUN_TOKEN.items()
        if rights.get(name) != level
    ]


def _mappings(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
