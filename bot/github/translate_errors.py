"""Translates the exceptions of PyGithub and requests to ours; no other module sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from github import GithubException

from bot.environment.trace import span
from bot.errors import (
    BadCredentials,
    Forbidden,
    GitHubError,
    NoDrafts,
    NotFound,
    NotYetKnown,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from bot.github.rate_limits import is_limit, retry_at
from bot.github.remedies import FieldError, clock_remedy, is_early, lacks_drafts, parse_errors, remedy_for

_LONGEST = 400
"""Characters of GitHub's words that an error holds."""


@contextmanager
def translate_errors(action: str) -> Iterator[None]:
    """Turn an exception of PyGithub inside the block into a GitHubError. `action` completes "GitHub could not …".

    Raises:
        RateLimited, Unavailable, NotYetKnown, Forbidden, NotFound, ValidationFailed or GitHubError.
    """
    try:
        with span("github", action=action):
            yield
    except GithubException as error:
        raise _from_answer(action, error) from error
    except requests.RequestException as error:
        raise _from_silence(action, error) from error


def _from_silence(action: str, error: requests.RequestException) -> Unavailable:
    url = error.request.url if error.request is not None else None
    host = urlsplit(str(url or "")).hostname or "GitHub"
    match error:
        case requests.Timeout():
            fact = f"{host} did not answer in time"
        case requests.exceptions.SSLError():
            fact = f"no secure connection to {host} could be made"
        case requests.ConnectionError():
            fact = f"the connection to {host} failed"
        case _:
            fact = f"the answer of {host} could not be read ({type(error).__name__})"
    return Unavailable(
        f"GitHub was asked to {action}, but {fact}. The bot did not go on with it.",
        hint=f"Check that this machine reaches {host}, and https://www.githubstatus.com. Then try again: the same "
        "request can be made twice.",
    )


def _from_answer(action: str, error: GithubException) -> GitHubError:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    errors = parse_errors(error.data)
    message = _message(error.data, errors)
    text = f"GitHub could not {action}: {error.status} {message}".rstrip() + "."
    status, request_id = error.status, headers.get("x-github-request-id", "")
    if is_limit(status, headers, message):
        return RateLimited(
            text,
            hint="Wait until the limit resets.",
            retry_at=retry_at(headers),
            http_status=status,
            request_id=request_id,
        )
    if status >= 500:
        return Unavailable(text, hint="Try again in a minute.", http_status=status, request_id=request_id)
    kind = _KINDS.get(status, GitHubError)
    if is_early(status, message, errors):
        kind = NotYetKnown
    elif lacks_drafts(message):
        kind = NoDrafts
    hint = clock_remedy(headers.get("date", "")) if status == 401 else ""
    return kind(text, hint=hint or remedy_for(status, message, errors), http_status=status, request_id=request_id)


_KINDS: Mapping[int, type[GitHubError]] = {401: BadCredentials, 403: Forbidden, 404: NotFound, 422: ValidationFailed}


def _message(data: object, errors: Sequence[FieldError]) -> str:
    if not isinstance(data, Mapping):
        return str(data or "")[:_LONGEST]
    parts = [str(data.get("message") or ""), *map(str, errors)]
    return "; ".join(dict.fromkeys(part for part in parts if part))[:_LONGEST].rstrip(".")
