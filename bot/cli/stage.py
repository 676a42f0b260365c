"""`stage plan|pick|seal|prove|publish`: the line in separate jobs that pass one run folder, for any CI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.options import API_URL, ApiUrl, tell
from bot.environment.safe_output import to_json
from bot.errors import ConfigError
from bot.handlers import jobs
from bot.handlers.event import Event, read_event
from bot.pipeline.context import ConnectionSettings
from bot.pipeline.run_folder import RunFolder
from bot.report.terminal import render_explanations, results_table

Run = Annotated[Path, typer.Option("--run", help="The run folder.", metavar="DIR", file_okay=False)]
Data = Annotated[Path, typer.Option(help="Where the mirror is kept.", metavar="DIR", file_okay=False)]
Targets = Annotated[
    list[str] | None, typer.Option("--target", help="A target's id in the plan; all without.", metavar="ID")
]
RepositoryName = Annotated[
    str, typer.Option("--repository", help="owner/name.", envvar="GITHUB_REPOSITORY", metavar="NAME")
]
Login = Annotated[
    str | None, typer.Option(help="The bot's account, where its token cannot say.", envvar="BACKPORT_BOT_LOGIN")
]

_DATA = Path("backport-data")
_WAIT = 600.0
"""Seconds: nobody starts a job again whose token has reached its limit."""


def add_to(app: typer.Typer) -> None:
    """Add these commands as a group."""
    group = typer.Typer(help="The line in separate jobs: plan, pick, seal, prove, publish.", no_args_is_help=True)
    for name, stage in (("plan", plan), ("pick", pick), ("seal", seal), ("prove", prove), ("publish", publish)):
        group.command(name)(stage)
    app.add_typer(group, name="stage")


def plan(
    run: Run,
    *,
    repository: RepositoryName,
    event: Annotated[
        Path | None,
        typer.Option(help="A webhook's payload.", envvar="GITHUB_EVENT_PATH", metavar="FILE", dir_okay=False),
    ] = None,
    event_name: Annotated[
        str, typer.Option(help="The webhook's name.", envvar="GITHUB_EVENT_NAME", metavar="NAME")
    ] = "issue_comment",
    comment: Annotated[
        int | None, typer.Option(help="Instead of an event: a comment's number.", metavar="NUMBER")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Instead of backport.yaml on the default branch.", dir_okay=False)
    ] = None,
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Answer an event and pin what it asks for. BACKPORT_BOT_TOKEN may comment; prints the targets to pick.

    Printed besides: the plan's seal, whether `pick` takes the account that publishes, and the labels of the machine to
    prove on, where the configuration names them.
    """
    connection = ConnectionSettings(repository, api_url, data, login, _WAIT)
    ready = jobs.run_plan(RunFolder(run), _event(event_name, event, comment), connection, config=config, progress=tell)
    _give(
        {
            "targets": jobs.matrix(ready.targets),
            "seal": ready.seal,
            "account": ready.account,
            "runner": list(ready.runner) or "",
        }
    )


def _event(name: str, file: Path | None, comment: int | None) -> Event:
    if comment is not None:
        return Event("issue_comment", comment_id=comment)
    if file is None:
        raise ConfigError("There is no event, so nothing was planned.", hint="Give --event FILE or --comment NUMBER.")
    return read_event(name, file)


def pick(
    run: Run,
    target: Targets = None,
    seal: Annotated[
        str, typer.Option(help="What the plan was sealed with.", envvar="BACKPORT_BOT_PLAN_SEAL", metavar="DIGEST")
    ] = "",
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Make candidates from the plan, with a bundle of each. BACKPORT_BOT_TOKEN may read the repository.

    Picking all targets at once lets an older branch learn from a newer one.
    """
    connection = ConnectionSettings("", api_url, data, login, _WAIT)
    for line in jobs.run_pick(RunFolder(run), target or (), connection, seal=seal or None, progress=tell):
        typer.echo(line)


def seal(run: Run) -> None:
    """Fix what plan and pick left before anybody's code runs; prints the seal and the targets to prove."""
    digest, targets = jobs.run_seal(RunFolder(run))
    _give({"seal": digest, "targets": jobs.matrix(targets)})


def prove(
    run: Run,
    target: Targets = None,
    seal: Annotated[
        str, typer.Option(help="What the folder was sealed with.", envvar="BACKPORT_BOT_SEAL", metavar="DIGEST")
    ] = "",
) -> None:
    """Run the regression suites on the candidates. Needs no token and no network; every verdict is a result.

    This machine is the runner, whatever `prove.runner` says.
    """
    for each, verdict in jobs.run_prove(RunFolder(run), target or (), seal=seal or None, progress=tell).items():
        typer.echo(f"{each}: {verdict.outcome.value}: {verdict.reason}")


def publish(
    run: Run,
    *,
    repository: RepositoryName,
    seal: Annotated[str, typer.Option(help="What `stage seal` printed.", envvar="BACKPORT_BOT_SEAL", metavar="DIGEST")],
    again: Annotated[
        Path | None,
        typer.Option(help="A run folder for the branches that moved; without it they end.", metavar="DIR"),
    ] = None,
    proofs: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the proofs' artifacts, prove-ROUND-ID/ID.json; without it RUN/prove/ID.json.",
            metavar="DIR",
        ),
    ] = None,
    evidence_url: Annotated[
        str,
        typer.Option(
            help="The page that keeps the proofs' reports.", envvar="BACKPORT_BOT_EVIDENCE_URL", metavar="URL"
        ),
    ] = "",
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Open what is proven and show every ending. BACKPORT_BOT_TOKEN may push, comment and open pull requests.

    A branch that moved since its proof is not opened. With --again it is planned anew into that folder: run the stages
    from `pick` on again, with the seal that is printed.
    """
    connection = ConnectionSettings(repository, api_url, data, login, _WAIT)
    next_round = RunFolder(again) if again else None
    folder = RunFolder(run, proofs)
    results = jobs.run_publish(folder, seal, connection, again=next_round, evidence_url=evidence_url, progress=tell)
    console = Console(highlight=False)
    console.print(results_table(results))
    console.print(render_explanations(results), markup=False, soft_wrap=True)
    if next_round is not None:
        planned = next_round.plan().planned() if next_round.path("plan/plan.json").exists() else ()
        _give({"targets": jobs.matrix(planned), "seal": next_round.seal("plan") if planned else ""})


def _give(outputs: dict[str, object]) -> None:
    jobs.write_outputs(outputs)
    typer.echo(to_json(outputs))
