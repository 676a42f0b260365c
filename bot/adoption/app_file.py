"""The file that keeps the secrets of a GitHub App: an environment file that only its owner can read.

systemd's EnvironmentFile, a shell and compose read it. The private key is one line, as `bot.environment.credentials`
takes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.environment import credentials
from bot.environment.data_folder import FILE_MODE, FOLDER_MODE
from bot.errors import ConfigError
from bot.github.app_registration import RegisteredApp

Store = Callable[[RegisteredApp], None]


def default_file() -> Path:
    """Return the file in the user's folder of configurations. Nothing there is committed by mistake."""
    parent = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    return (parent if parent.is_absolute() else Path.home() / ".config") / "backport-bot/app.env"


@contextmanager
def reserved_file(path: Path) -> Iterator[Store]:
    """Make the file, and yield what writes the secrets to it. Without a write it is gone afterwards.

    GitHub gives the secrets once, so the file has to be there before they are asked for.

    Raises:
        ConfigError: a file is there already, or the path cannot be written to.
    """
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    except FileExistsError:
        raise ConfigError(
            f"{path} is there already, so no App was registered.",
            hint="It may hold the secrets of an App. Name another file with --file, or move that one away.",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror}), so no App was registered.",
            hint="Name another file with --file.",
        ) from error
    is_complete = False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:

            def store(app: RegisteredApp) -> None:
                nonlocal is_complete
                file.write(_render(app))
                file.flush()
                os.fsync(file.fileno())
                is_complete = True

            yield store
    finally:
        if not is_complete:
            path.unlink(missing_ok=True)


def _render(app: RegisteredApp) -> str:
    values = {
        credentials.APP_ID: app.app_id,
        # Single quotes: a shell and systemd change nothing in them.
        credentials.PRIVATE_KEY: "'" + app.private_key.strip().replace("\n", "\\n") + "'",
        credentials.WEBHOOK_SECRET: app.webhook_secret,
        # Nobody signs in to an App that has no service.
        credentials.CLIENT_ID: app.client_id if app.webhook_secret else "",
        credentials.CLIENT_SECRET: app.client_secret if app.webhook_secret else "",
    }
    lines = [f"{name}={value}\n" for name, value in values.items() if value]
    return f"# The GitHub App {app.slug}: {app.page}\n{''.join(lines)}"
