"""`demo`, `serve` and `reconcile`: the bot as a service, on loopback or for a repository.

Modules that need the `server` extra are imported when a command runs: the other commands work without the extra.
"""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import API_URL, ApiUrl, AsJson, ConfigFile, DeviceKind, tell
from bot.cli.own_repository import chosen_config, named_repository
from bot.github.connection_settings import ConnectionSettings
from bot.server.pages.settings import PagesMode, PagesSettings
from bot.text.markdown import count


class LogFormat(StrEnum):
    """How the service's log looks. `auto` is text at a terminal, else JSON."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("serve")(serve_webhooks)
    app.command("reconcile")(reconcile_requests)


def demo(
    as_json: AsJson = False,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the pages until Ctrl-C.")] = False,
    device: Annotated[DeviceKind, typer.Option(help="The device that the suites run on.")] = DeviceKind.AUTO,
    sync: Annotated[
        bool,
        typer.Option("--sync", help="Show a scheduled sync as well, which finds missing backports without a comment."),
    ] = False,
) -> None:
    """Run the main job on real sglang releases. GitHub is a fake on this machine: no account and no GPU are needed."""
    from bot.demo.run import show_demo  # noqa: PLC0415

    raise typer.Exit(show_demo(as_json=as_json, serve=serve, device=device.value, sync=sync))


def serve_webhooks(
    *,
    config: ConfigFile = None,
    repository: Annotated[
        list[str] | None,
        typer.Option(
            help="A repository to serve; give it several times for several. Without it, a GitHub App serves all that "
            "it is installed on, and a token that of the configuration file or of this checkout.",
            metavar="OWNER/NAME",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help="The folder of the mirrors and the queue.")] = Path("backport-data"),
    database: Annotated[
        str | None,
        typer.Option(help="A PostgreSQL for the queue. Without it, one is started in the data folder.", metavar="URL"),
    ] = None,
    mirrors: Annotated[
        float, typer.Option(help="The room for all mirrors; those that were used longest ago go first.", metavar="GB")
    ] = 50,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8080,
    pages: Annotated[
        PagesMode,
        typer.Option(help="Who may read the pages: nobody, everybody, or who signs in, what GitHub shows them."),
    ] = PagesMode.OFF,
    keep_runs: Annotated[
        int, typer.Option(help="How long an ended run is kept in the database.", metavar="DAYS", min=14, max=36500)
    ] = 180,
    keep_details: Annotated[
        int, typer.Option(help="How long its log, difference and candidate are kept.", metavar="DAYS", min=1, max=36500)
    ] = 30,
    url: Annotated[
        str, typer.Option(help="The address that people reach the pages by, for the sign-in.", metavar="URL")
    ] = "",
    trust_header: Annotated[
        str,
        typer.Option(
            help="In place of the sign-in: the header in which a reverse proxy names the person's login on GitHub. The "
            "proxy must replace what others send.",
            metavar="NAME",
        ),
    ] = "",
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(help="The address or network of that proxy; may be given several times.", metavar="ADDRESS"),
    ] = None,
    api_url: ApiUrl = API_URL,
    login: Annotated[
        str | None, typer.Option(help="The login of the bot's account, if its token does not reveal it.")
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="How the log looks; auto is text at a terminal, else JSON.")
    ] = LogFormat.AUTO,
) -> None:
    """Serve webhooks until Ctrl-C. BACKPORT_BOT_TOKEN is the token, BACKPORT_BOT_SECRET the webhooks' secret.

    To exchange the secret, set BACKPORT_BOT_OLD_SECRET to the earlier one for a while. People sign in to the pages by
    the GitHub App of BACKPORT_BOT_CLIENT_ID and BACKPORT_BOT_CLIENT_SECRET.
    """
    from bot.server.logs import set_up_logs  # noqa: PLC0415
    from bot.server.retention import Retention  # noqa: PLC0415
    from bot.server.run import RepositoryChoice, serve_until_interrupted  # noqa: PLC0415
    from bot.server.service import ServiceSettings  # noqa: PLC0415

    progress = set_up_logs(
        as_text=log_format == "text" or (log_format == "auto" and sys.stderr.isatty()),
        verbose=logging.getLogger().isEnabledFor(logging.INFO),
    )
    connection = ConnectionSettings(api_url, data, login, repository=named_repository())
    choice = RepositoryChoice(
        names=repository or (),
        # A file is about one repository.
        config=config if repository else chosen_config(config),
        mirror_limit=int(mirrors * 1024**3),
    )
    serve_until_interrupted(
        choice,
        connection,
        service=ServiceSettings(
            directory=data,
            own_login=login,
            database=database,
            host=host,
            port=port,
            pages=PagesSettings(mode=pages, url=url, trust_header=trust_header, proxies=trust_proxy or ()),
            retention=Retention(runs=timedelta(days=keep_runs), details=timedelta(days=keep_details)),
        ),
        progress=progress,
    )


def reconcile_requests(
    config: ConfigFile = None,
    data: Annotated[Path, typer.Option(help="The folder of the mirror.")] = Path("backport-data"),
    days: Annotated[
        float, typer.Option(help="Look at the pull requests that changed in the last N days.", metavar="N", min=0)
    ] = 14,
    api_url: ApiUrl = API_URL,
    login: Annotated[
        str | None, typer.Option(help="The login of the bot's account, if its token does not reveal it.")
    ] = None,
) -> None:
    """Process requests whose webhook was lost. It also processes those due at a merge.

    BACKPORT_BOT_TOKEN is the token.
    """
    from bot.server.reconcile import reconcile_once  # noqa: PLC0415

    connection = ConnectionSettings(api_url, data, login, repository=named_repository())
    results = reconcile_once(chosen_config(config), connection, days=days, progress=tell)
    typer.echo(f"{count(len(results), 'target branch')} served" if results else "Nothing was missed.")
