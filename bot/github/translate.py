"""Foreign errors → ours, once. PyGithub's and requests' exceptions go no further than this room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import GithubException

from bot.errors import Forbidden, GitHubError, NotFound, RateLimited, Unavailable, ValidationFailed
from bot.github.limits import is_limit, retry_at


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn what PyGithub raises inside into a GitHubError. `action` completes "GitHub could not …".

    Raises:
        RateLimited, Unavailable, Forbidden, NotFound, ValidationFailed or GitHubError.
    """
    try:
        yield
    except GithubException as error:
        raise _from_answer(action, error) from error
    except requests.RequestException as error:
        raise Unavailable(
            f"GitHub could not {action}: {type(error).__name__}.",
            hint="GitHub or the network did not answer; the same request can be made again.",
        ) from error


def _from_answer(action: str, error: GithubException) -> GitHubError:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    said = _message(error)
    text = f"GitHub could not {action}: {error.status} {said}".rstrip() + "."
    status, request_id = error.status, headers.get("x-github-request-id", "")
    if is_limit(status, headers, said):
        return RateLimited(text, hint="Wait until the limit resets.", retry_at=retry_at(headers), http_status=status)
    if status >= 500:
        return Unavailable(text, hint="Try again in a minute.", http_status=status, request_id=request_id)
    if status in (401, 403):
        return Forbidden(text, hint=_PERMISSION_HINT, http_status=status, request_id=request_id)
    if status == 404:
        return NotFound(text, hint="Check the name, and that the token may see it.", http_status=404)
    if status == 422:
        return ValidationFailed(text, hint="The request's content was refused as it stands.", http_status=422)
    return GitHubError(text, hint="See GitHub's answer.", http_status=status, request_id=request_id)


_PERMISSION_HINT = (
    "Check that the token is valid and has these repository permissions: contents: write, pull requests: write, "
    "issues: write, checks: write."
)


def _message(error: GithubException) -> str:
    data = error.data
    if not isinstance(data, Mapping):
        return str(data or "")[:200]
    # REST tells of an error by `code`, GraphQL by `type`; not every one has a sentence.
    errors = [item for item in data.get("errors") or [] if isinstance(item, Mapping)]
    details = [str(item.get("message") or item.get("type") or "") for item in errors]
    return "; ".join(part for part in [str(data.get("message", "")), *details] if part)[:400].rstrip(".")
