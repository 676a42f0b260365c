"""`preflight`: forecasts the backports of a pull request to the stable branches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import API_URL, ApiUrl, AsJson, ConfigFile, tell
from bot.cli.own_repository import chosen_config, named_repository
from bot.environment import credentials
from bot.environment.safe_output import to_json
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.preflight import preflight_stable
from bot.pipeline.open_context import open_configured_repository
from bot.report.preflight import forecasts_to_json, render_preflight, render_preflight_check


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("preflight")(run_preflight)


def run_preflight(
    pull_request: Annotated[int, typer.Option("--pr", help="The pull request, open or merged.", min=1, metavar="N")],
    config: ConfigFile = None,
    data: Annotated[Path, typer.Option(help="The folder of the mirror.")] = Path("backport-data"),
    check_run: Annotated[bool, typer.Option(help="Also write the result as a neutral check run on the head.")] = True,
    api_url: ApiUrl = API_URL,
    login: Annotated[
        str | None, typer.Option(help="The login of the bot's account, if its token does not reveal it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast the backport of a pull request to each stable branch. BACKPORT_BOT_TOKEN is the token."""
    account = credentials.require_account("nothing was tried")
    connection = ConnectionSettings(api_url, data, login, repository=named_repository())
    with open_configured_repository(chosen_config(config), connection, account, progress=tell) as context:
        original = context.github.pull_request(pull_request)
        forecasts = preflight_stable(original, context)
        if check_run:
            context.github.write_check_run(original.head_sha, render_preflight_check(forecasts))
    typer.echo(to_json(forecasts_to_json(forecasts), indent=2) if as_json else render_preflight(forecasts))
