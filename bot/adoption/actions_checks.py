"""Conditions of GitHub Actions: the workflow file, what its runs may do, and the runners of the proofs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot import MAJOR_TAG
from bot.adoption.repository_checks import decode_file
from bot.adoption.workflow_file import PATH, PATH_BESIDE, BotVersion, called_version, differences
from bot.config import Config
from bot.github.reader import Reader
from bot.models.diagnosis import Diagnosis, bad, good, note, unknown

_FOLDER = ".github/workflows"


def check_actions(reader: Reader, config: Config) -> Iterator[Diagnosis]:
    """Check what GitHub Actions needs. A repository that a service serves needs none of it."""
    for path in (PATH, PATH_BESIDE):
        text = decode_file(reader.get_here(f"/contents/{path}"))
        version = called_version(text) if text is not None else None
        if text is not None and version is not None:
            yield from _workflow(path, text, version)
            yield from _settings(reader)
            break
    else:
        yield note(
            "workflow",
            f"The default branch has no {PATH} that calls the bot.",
            "GitHub Actions serves no comment, unless another file calls the bot. That is right if a service does.",
            "`backport-bot init` writes the file.",
        )
    yield from _runners(reader, config)


def _workflow(path: str, text: str, version: BotVersion) -> Iterator[Diagnosis]:
    for sentence in differences(text):
        yield bad(
            "workflow", f"{path}: {sentence}", "Some requests are not served.", "`backport-bot init` shows a whole one."
        )
    if version.is_pinned or version.ref == MAJOR_TAG:
        yield good("workflow", f"{path} calls {version.repository} at {version.ref}.")
    else:
        yield note(
            "workflow",
            f"{path} calls {version.repository} at {version.ref}; this program belongs to {MAJOR_TAG}.",
            "It may behave otherwise than this program says.",
            f"Write @{MAJOR_TAG}, or the commit of a release (`backport-bot init --pin --dry-run` prints it).",
        )


def _settings(reader: Reader) -> Iterator[Diagnosis]:
    # https://docs.github.com/rest/actions/permissions#get-default-workflow-permissions-for-a-repository
    reply = reader.get_here("/actions/permissions/workflow")
    place = f"github.com/{reader.repository}/settings/actions"
    if not reply.ok:
        yield unknown(
            "Actions settings",
            f"GitHub shows them to administrators only (HTTP {reply.status}).",
            "Whether the run's own token may open pull requests is unknown.",
            f"Look for `Allow GitHub Actions to create and approve pull requests` on {place}.",
        )
    elif reply.field("can_approve_pull_request_reviews"):
        yield good("Actions settings", "GitHub Actions may create pull requests.")
    else:
        yield note(
            "Actions settings",
            "GitHub Actions may not create pull requests.",
            "The run's own token opens none. A token or an App of the bot's own is not concerned.",
            f"Allow it on {place}, or store the secret BACKPORT_TOKEN.",
        )


def _runners(reader: Reader, config: Config) -> Iterator[Diagnosis]:
    """Check that a runner has the labels that the configuration names. GitHub's own runners are not listed."""
    prove = config.prove
    labels_of_proofs = [entry.labels for entry in prove.devices if entry.labels] or [prove.actions.labels]
    own_runners = [set(labels) for labels in labels_of_proofs if not _is_hosted(labels)]
    if not own_runners:
        return
    if prove.runner == "github-actions":
        yield from _regression_workflow(reader, prove.actions.workflow)
    reply = reader.get_here("/actions/runners?per_page=100")
    if not reply.ok:
        yield unknown(
            "runners",
            f"GitHub lists the repository's runners to administrators only (HTTP {reply.status}).",
            "A proof waits until a runner with its labels takes it.",
            "Look under Settings, Actions, Runners. Runners of the organization are listed there as well.",
        )
        return
    runners = [_labels_of(runner) for runner in reply.field("runners") or ()]
    for labels in own_runners:
        names = ", ".join(sorted(labels))
        if any(labels <= present for present in runners):
            yield good("runners", f"A runner has the labels {names}.")
        else:
            yield note(
                "runners",
                f"No runner of the repository has the labels {names}.",
                "Unless the organization has one, a proof waits until `prove.actions.queue_minutes` are over.",
                "Look under Settings, Actions, Runners, and correct the labels.",
            )


def _is_hosted(labels: Collection[str]) -> bool:
    return len(labels) == 1 and next(iter(labels)).startswith(("ubuntu-", "windows-", "macos-"))


def _labels_of(runner: object) -> set[str]:
    labels = runner.get("labels") if isinstance(runner, dict) else None
    return {str(label.get("name")) for label in labels or () if isinstance(label, dict)}


def _regression_workflow(reader: Reader, name: str) -> Iterator[Diagnosis]:
    if reader.get_here(f"/contents/{_FOLDER}/{name}").ok:
        yield good("proof workflow", f"{_FOLDER}/{name} is on the default branch.")
    else:
        yield note(
            "proof workflow",
            f"The default branch has no {_FOLDER}/{name}.",
            "The service cannot dispatch a proof (`prove.runner: github-actions`); backport.yml does not need it.",
            "docs/ci.md has the file.",
        )
