"""The service's log: one JSON object a line for machines, or text for a terminal, without secrets.

All modules log by Python's `logging`. What a line is about (a delivery, a repository, a step) is bound around the work,
so that each line of the work has it: https://www.structlog.org/en/stable/contextvars.html
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor

from bot.environment import credentials
from bot.errors import GitHubError
from bot.models import Progress
from bot.text.redaction import redact

log = logging.getLogger(__name__)


def set_up_logs(*, as_text: bool, verbose: bool = False) -> Progress:
    """Send all log lines of this process to standard error, as text or JSON; return what logs a line of progress.

    Lines of the service and of the pipeline begin at `info`, the others at `warning` unless the log is to be `verbose`.
    """
    stream = sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(_text(stream.isatty()) if as_text else structlog.processors.JSONRenderer()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    for name in ("bot.server", "bot.pipeline"):
        logging.getLogger(name).setLevel(logging.INFO)
    return lambda text: log.info("%s", text)


def _text(is_terminal: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(colors=is_terminal, timestamp_key="time")


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        pass_foreign_args=True,
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[
            _add_request_id,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _without_secrets,
            renderer,
        ],
    )


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401 - structlog's
    """Add GitHub's number of the request that failed, for which its support asks."""
    errors = [argument for argument in event.pop("positional_args", None) or () if isinstance(argument, Exception)]
    exc_info = event.get("exc_info")
    errors += [exc_info[1]] if isinstance(exc_info, tuple) else []
    for error in errors:
        origin = error if isinstance(error, GitHubError) else error.__cause__
        if isinstance(origin, GitHubError) and origin.request_id:
            event["github_request"] = origin.request_id
    return event


def _without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401 - structlog's
    secrets = credentials.secrets_taken()
    return {name: redact(value, secrets) if isinstance(value, str) else value for name, value in event.items()}
