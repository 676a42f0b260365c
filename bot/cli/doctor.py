"""`doctor`: checks what the bot needs, and changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.adoption.doctor import examine
from bot.cli.options import API_URL, ApiUrl, AsJson
from bot.cli.own_repository import named_repository
from bot.environment import credentials
from bot.environment.safe_output import to_json
from bot.models.diagnosis import Diagnosis, Health
from bot.report.diagnosis import diagnoses_to_json, render_diagnosis, render_total


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("doctor")(run_doctor)


def run_doctor(
    repository: Annotated[
        str, typer.Option(help="The repository (owner/name); by default that of the checkout here.", metavar="NAME")
    ] = "",
    api_url: ApiUrl = API_URL,
    login: Annotated[
        str | None,
        typer.Option(
            help="The login of the bot's account, if its token does not reveal it.", envvar="BACKPORT_BOT_LOGIN"
        ),
    ] = None,
    service: Annotated[
        str,
        typer.Option(help="The address of a service's webhook, to check the service as well.", metavar="URL"),
    ] = "",
    data: Annotated[Path, typer.Option(help="The data folder of the service, if it is on this machine.")] = Path(
        "backport-data"
    ),
    as_json: AsJson = False,
) -> None:
    """Check the machine, the account, the repository, its configuration and its workflow. Nothing is changed.

    Each line says a fact, its consequence and a remedy. BACKPORT_BOT_TOKEN is the token; without an account GitHub is
    read as the public sees it. The exit code is 1 if a condition is not met.

    With --service the service gets a ping, signed with BACKPORT_BOT_SECRET, and BACKPORT_BOT_DATABASE is looked at.
    """
    diagnoses = []
    account = credentials.optional_account("GitHub was not asked")
    repository = repository or named_repository()
    examined = examine(Path(), repository, account, api_url=api_url, login=login, service=service)
    for diagnosis in itertools.chain(examined, _of_service(service, data) if service else ()):
        diagnoses.append(diagnosis)
        if not as_json:
            typer.echo(render_diagnosis(diagnosis))
    typer.echo(to_json(diagnoses_to_json(diagnoses), indent=2) if as_json else render_total(diagnoses))
    raise typer.Exit(int(any(diagnosis.health is Health.BAD for diagnosis in diagnoses)))


def _of_service(url: str, data: Path) -> Iterator[Diagnosis]:
    from bot.server.service_checks import check_service  # noqa: PLC0415 - it needs the `server` extra

    secret, database = credentials.take(credentials.WEBHOOK_SECRET), credentials.take(credentials.DATABASE)
    return check_service(url, secret=secret, database=database, data=data)
