"""Workflow runs of the repository: dispatches them, finds them again, fetches their artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import requests
from github.Repository import Repository as PyGithubRepository
from github.WorkflowRun import WorkflowRun as PyGithubRun

from bot.errors import NotFound
from bot.github.translate_errors import translate_errors
from bot.models import WorkflowRun

LARGEST = 256 * 1024 * 1024
"""Bytes of an archive that are fetched at most; one that is cut off cannot be read as an archive."""
_CHUNK = 1024 * 1024
_DOWNLOAD_TIMEOUT = 60
"""Seconds without a byte."""
_LOOKED_AT = 100
"""Newest runs among which a title is looked for."""


class WorkflowRunsClient:
    """Workflow runs of one repository. Every method may raise GitHubError."""

    def __init__(self, repository: PyGithubRepository) -> None:
        self._repository = repository

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> None:
        """Ask for a run of a workflow file of the default branch."""
        with translate_errors(f"dispatch {workflow}"):
            self._repository.update()  # it, or its default branch, may have been renamed since
            url = f"{self._repository.url}/actions/workflows/{quote(workflow, safe='')}/dispatches"
            # GitHub takes the workflow file from this ref, so a release branch cannot change it.
            body = {"ref": self._repository.default_branch, "inputs": dict(inputs)}
            self._repository.requester.requestJsonAndCheck("POST", url, input=body)

    def find(self, workflow: str, word: str) -> WorkflowRun | None:
        """Return the newest run of the workflow whose title has this word, or None."""
        with translate_errors(f"list the runs of {workflow}"):
            runs = self._repository.get_workflow(workflow).get_runs(event="workflow_dispatch")
            for _, run in zip(range(_LOOKED_AT), runs, strict=False):
                if word in (run.display_title or "").split():
                    return _workflow_run(run)
        return None

    def get(self, run_id: int) -> WorkflowRun | None:
        """Return a run as it is now, or None if it was deleted."""
        try:
            with translate_errors(f"read workflow run {run_id}"):
                return _workflow_run(self._repository.get_workflow_run(run_id))
        except NotFound:
            return None

    def cancel(self, run_id: int) -> None:
        """Cancel a run; one that has ended stays as it is."""
        with translate_errors(f"cancel workflow run {run_id}"):
            self._repository.get_workflow_run(run_id).cancel()

    def artifact(self, run_id: int, name: str) -> bytes | None:
        """Return the zip archive that a run left under this name, or None."""
        with translate_errors(f"fetch what workflow run {run_id} left"):
            artifacts = self._repository.get_workflow_run(run_id).get_artifacts()
            newest = next((entry for entry in artifacts if entry.name == name and not entry.expired), None)
            return None if newest is None else self._download(newest.archive_download_url)

    def _download(self, url: str) -> bytes:
        """Fetch an archive from the storage that GitHub redirects to, without the token. Its size is limited.

        PyGithub's own streaming asks for `application/octet-stream`, which GitHub's API refuses for a redirect:
        https://docs.github.com/rest/actions/artifacts#download-an-artifact
        """
        status, headers, _ = self._repository.requester.requestJson("GET", url)
        if "location" not in headers:
            raise requests.RequestException(f"{status} without a location")
        # A plain request: the storage is not GitHub, and the token must not reach it.
        with requests.get(headers["location"], stream=True, timeout=_DOWNLOAD_TIMEOUT) as answer:
            answer.raise_for_status()
            content = bytearray()
            for chunk in answer.iter_content(_CHUNK):
                content += chunk
                if len(content) > LARGEST:
                    break
        return bytes(content)


def _workflow_run(run: PyGithubRun) -> WorkflowRun:
    return WorkflowRun(id=run.id, status=run.status, conclusion=run.conclusion, url=run.html_url)
