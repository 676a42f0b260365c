"""`app create` and `app manifest`: a GitHub App for the bot, with the permissions that it needs."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.adoption.app_file import default_file, reserved_file
from bot.adoption.app_manifest import app_manifest
from bot.cli.options import API_URL, ApiUrl, tell
from bot.environment.safe_output import to_json
from bot.errors import ConfigError
from bot.github.app_registration import RegisteredApp, convert_manifest, web_url
from bot.report.terminal import plain


class OptionalRight(StrEnum):
    """The rights that only some repositories need: those of `bot.adoption.rights` with a condition."""

    ACTIONS = "actions"
    MEMBERS = "members"
    WORKFLOWS = "workflows"


Name = Annotated[str, typer.Option(help="The App's name, which no other App on GitHub has.", metavar="NAME")]
WebhookUrl = Annotated[
    str,
    typer.Option(
        help="The address of the service. Without one the App gets no events: for GitHub Actions.", metavar="URL"
    ),
]
Permissions = Annotated[
    list[OptionalRight] | None, typer.Option("--with", help="A permission that only some repositories need.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands as a group."""
    group = typer.Typer(help="A GitHub App as the bot's account.", no_args_is_help=True)
    group.command("create")(create)
    group.command("manifest")(print_manifest)
    app.add_typer(group, name="app")


def create(
    name: Name = "backport-bot",
    *,
    organization: Annotated[
        str, typer.Option(help="The organization that the App is to belong to.", metavar="LOGIN")
    ] = "",
    webhook_url: WebhookUrl = "",
    permissions: Permissions = None,
    file: Annotated[
        Path | None, typer.Option(help="The file for its secrets; by default in your folder of configurations.")
    ] = None,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    minutes: Annotated[float, typer.Option(help="How long to wait for GitHub's answer.", min=0, max=60)] = 30,
    api_url: ApiUrl = API_URL,
) -> None:
    """Register a GitHub App on GitHub's own page, and store its id, its key and its webhook secret in a file.

    A page on this machine leads to GitHub, where you are signed in. Only you can read the file. No secret is printed.
    """
    from bot.adoption.app_page import registration_page  # noqa: PLC0415 - it needs the `server` extra

    path, optional = file or default_file(), [permission.value for permission in permissions or ()]

    def manifest(redirect_url: str) -> dict[str, object]:
        return app_manifest(name, webhook_url=webhook_url, redirect_url=redirect_url, optional=optional)

    github_url = web_url(api_url)
    with (
        reserved_file(path) as store,
        registration_page(manifest, github_url=github_url, organization=organization, port=port) as page,
    ):
        tell(f"Open this page on this machine, and follow it: {page.url}")
        if browser:
            webbrowser.open(page.url)
        code = page.code(minutes * 60)
        if code is None:
            raise ConfigError(
                f"GitHub led nobody back within {minutes:g} minutes, so no App was stored.",
                hint="Start again, and press the button on GitHub's page. An App that is there by now can be deleted.",
            )
        registered = convert_manifest(code, api_url=api_url)
        store(registered)
    typer.echo(_next_steps(registered, path, service=bool(webhook_url)))


def print_manifest(name: Name = "backport-bot", webhook_url: WebhookUrl = "", permissions: Permissions = None) -> None:
    """Print the manifest of the App as JSON. Nothing is registered."""
    optional = [permission.value for permission in permissions or ()]
    typer.echo(to_json(app_manifest(name, webhook_url=webhook_url, optional=optional), indent=2))


def _next_steps(app: RegisteredApp, path: Path, *, service: bool) -> str:
    use = (
        [f"2. Start the service with this file: systemd's EnvironmentFile={path}, or `set -a; . {path}` in a shell."]
        if service
        else [
            "2. For GitHub Actions, store its id and its key as secrets, and hand them on in the workflow file:",
            "     secrets:",
            "       app_id: ${{ secrets.BACKPORT_APP_ID }}",
            "       private_key: ${{ secrets.BACKPORT_PRIVATE_KEY }}",
        ]
    )
    lines = [
        f"The App {app.slug} is registered, and its secrets are in {path}.",
        "Next:",
        f"1. Install it on your repositories: {app.page}/installations/new",
        *use,
        "3. Run `backport-bot doctor` to see whether all is right.",
    ]
    return "\n".join(plain(line) if not line.startswith(" ") else line for line in lines)
