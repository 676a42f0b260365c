"""`stage plan|pick|seal|prove|publish`: the pipeline as separate jobs of any CI, which pass on one run folder.

Each command imports what it alone uses: the plan has a person waiting for a sign that the comment was seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import API_URL, ApiUrl, tell
from bot.environment.safe_output import to_json
from bot.errors import ConfigError
from bot.github.connection_settings import ConnectionSettings
from bot.handlers import ci_plan
from bot.handlers.ci_event import Event, read_event

Run = Annotated[Path, typer.Option("--run", help="The run folder.", metavar="DIR", file_okay=False)]
Data = Annotated[Path, typer.Option(help="The folder of the mirror.", metavar="DIR", file_okay=False)]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="The id of a target in the plan; by default all targets.", metavar="ID"),
]
RepositoryName = Annotated[
    str, typer.Option("--repository", help="owner/name.", envvar="GITHUB_REPOSITORY", metavar="NAME")
]
Login = Annotated[
    str | None,
    typer.Option(help="The login of the bot's account, if its token does not reveal it.", envvar="BACKPORT_BOT_LOGIN"),
]

_DATA = Path("backport-data")
_WAIT = 600.0
"""Seconds. If GitHub's rate limit is reached, a job waits: no one would start it again."""


def add_to(app: typer.Typer) -> None:
    """Add these commands as a group."""
    group = typer.Typer(help="Run the pipeline as separate CI jobs.", no_args_is_help=True)
    for name, stage in (("plan", plan), ("pick", pick), ("seal", seal), ("prove", prove), ("publish", publish)):
        group.command(name)(stage)
    app.add_typer(group, name="stage")


def plan(
    run: Run,
    *,
    repository: RepositoryName,
    event: Annotated[
        Path | None,
        typer.Option(
            help="The file of a webhook's payload.", envvar="GITHUB_EVENT_PATH", metavar="FILE", dir_okay=False
        ),
    ] = None,
    event_name: Annotated[
        str, typer.Option(help="The webhook's name.", envvar="GITHUB_EVENT_NAME", metavar="NAME")
    ] = "issue_comment",
    comment: Annotated[
        int | None, typer.Option(help="The number of a comment, instead of an event.", metavar="NUMBER")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A file that replaces backport.yaml of the default branch.", dir_okay=False)
    ] = None,
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Reply to an event, and write the plan of its request. BACKPORT_BOT_TOKEN needs the right to comment.

    Prints the targets to pick, the plan's seal, whether `pick` uses the account that publishes, the labels of the
    runner for the proof if they are configured, and the targets that have ended.
    """
    connection = ConnectionSettings(api_url, data, login, _WAIT, repository)
    ready = ci_plan.run_plan(run, _event(event_name, event, comment), connection, config=config, progress=tell)
    from bot.handlers import ci_outputs

    _write_outputs(
        {
            "targets": ci_outputs.matrix(ready.targets),
            "seal": ready.seal,
            "account": ready.account,
            "runner": list(ready.runner) or "",
            **ci_outputs.outcome_outputs(ready.results),
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
        str, typer.Option(help="The seal that `stage plan` printed.", envvar="BACKPORT_BOT_PLAN_SEAL", metavar="DIGEST")
    ] = "",
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Make the candidates of the plan, and a git bundle of each. BACKPORT_BOT_TOKEN needs the right to read.

    Pick all targets in one job: then an older branch can reuse the result of a newer one.
    """
    from bot.handlers import ci_jobs
    from bot.pipeline.run_folder import RunFolder

    connection = ConnectionSettings(api_url, data, login, _WAIT)
    for line in ci_jobs.run_pick(RunFolder(run), target or (), connection, seal=seal or None, progress=tell):
        typer.echo(line)


def seal(run: Run) -> None:
    """Seal the results of plan and pick before untrusted code runs. Prints the seal and the targets to prove.

    With `prove.devices` each target is there once for each device, with the labels of its runner.
    """
    from bot.handlers import ci_jobs, ci_outputs
    from bot.pipeline.run_folder import RunFolder

    digest, proofs = ci_jobs.run_seal(RunFolder(run))
    _write_outputs({"seal": digest, "targets": ci_outputs.proof_matrix(proofs)})


def prove(
    run: Run,
    target: Targets = None,
    device: Annotated[
        str | None, typer.Option(help="One of `prove.devices`; by default all of them.", metavar="NAME")
    ] = None,
    seal: Annotated[
        str, typer.Option(help="The seal that `stage seal` printed.", envvar="BACKPORT_BOT_SEAL", metavar="DIGEST")
    ] = "",
) -> None:
    """Run the regression suites on the candidates. They need no token and no network. Any verdict is a success.

    The suites run on this machine, even if `prove.runner` names another runner.
    """
    from bot.handlers import ci_jobs
    from bot.pipeline.run_folder import RunFolder

    verdicts = ci_jobs.run_prove(RunFolder(run), target or (), device=device, seal=seal or None, progress=tell)
    for name, verdict in verdicts.items():
        typer.echo(f"{name}: {verdict.outcome.value}: {verdict.reason}")


def publish(
    run: Run,
    *,
    repository: RepositoryName,
    seal: Annotated[
        str, typer.Option(help="The seal that `stage seal` printed.", envvar="BACKPORT_BOT_SEAL", metavar="DIGEST")
    ],
    again: Annotated[
        Path | None,
        typer.Option(help="A run folder to plan branches again that moved; without it they fail.", metavar="DIR"),
    ] = None,
    proofs: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the proofs' artifacts, prove-ROUND-ID/ID.json; by default RUN/prove/ID.json.",
            metavar="DIR",
        ),
    ] = None,
    evidence_url: Annotated[
        str,
        typer.Option(
            help="The URL of the page with the proofs' reports.", envvar="BACKPORT_BOT_EVIDENCE_URL", metavar="URL"
        ),
    ] = "",
    data: Data = _DATA,
    api_url: ApiUrl = API_URL,
    login: Login = None,
) -> None:
    """Open the proven candidates. Prints the outcome of each target branch.

    BACKPORT_BOT_TOKEN needs the right to push, comment and open pull requests. If a branch moved since its proof, its
    candidate is not opened. With --again DIR it is planned again into that folder: run the stages from `pick` on again,
    with the seal that is printed.
    """
    from rich.console import Console

    from bot.handlers import ci_jobs, ci_outputs
    from bot.pipeline.run_folder import RunFolder
    from bot.report.terminal import render_explanations, results_table

    connection = ConnectionSettings(api_url, data, login, _WAIT, repository)
    next_round = RunFolder(again) if again else None
    folder = RunFolder(run, proofs)
    results = ci_jobs.run_publish(
        folder, seal, connection, next_round=next_round, evidence_url=evidence_url, progress=tell
    )
    console = Console(highlight=False)
    console.print(results_table(results))
    console.print(render_explanations(results), markup=False, soft_wrap=True)
    outputs = ci_outputs.outcome_outputs(results)
    if next_round is not None:
        targets = next_round.plan().planned_targets() if next_round.path("plan/plan.json").exists() else ()
        outputs |= {"targets": ci_outputs.matrix(targets), "seal": next_round.seal("plan") if targets else ""}
    _write_outputs(outputs)


def _write_outputs(outputs: dict[str, object]) -> None:
    from bot.handlers import ci_outputs

    ci_outputs.write_outputs(outputs)
    typer.echo(to_json(outputs))
