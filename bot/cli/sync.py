"""`sync`: finds what the stable branches lack, and opens proven pull requests for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.carried.load import configured_patches
from bot.cli.options import API_URL, ApiUrl, AsJson, ConfigFile, tell
from bot.cli.own_repository import chosen_config, named_repository
from bot.config import Config, load_config
from bot.environment import credentials
from bot.environment.safe_output import to_json
from bot.git.untrusted_repository import open_clone
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.run_sync import SyncRun, open_missing, survey_clone, survey_repository
from bot.handlers.tracking_issues import write_tracking_issues
from bot.pick.caches import PickCaches
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.open_context import open_configured_repository
from bot.report.sync_issue import render_summary
from bot.report.sync_json import sync_to_json
from bot.report.sync_page import render_page
from bot.report.sync_terminal import branches_table, render_lines
from bot.sync.lock import only_one


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("sync")(sync_branches)


def sync_branches(
    *,
    branch: Annotated[
        str | None, typer.Option("--branch", metavar="GLOB", help="Only the stable branches that match.")
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Prove and open the missing originals. Without it, nothing is changed.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder to write the report to, as a page and as JSON.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
    data: Annotated[Path, typer.Option(help="The folder of the mirror and the index.")] = Path("backport-data"),
    git: Annotated[
        Path | None,
        typer.Option(
            metavar="REPO", exists=True, file_okay=False, help="Survey a local clone by git only, without GitHub."
        ),
    ] = None,
    api_url: ApiUrl = API_URL,
    login: Annotated[
        str | None, typer.Option(help="The login of the bot's account, if its token does not reveal it.")
    ] = None,
) -> None:
    """List what the stable branches should have. Each original of the main branch gets a state with a reason.

    BACKPORT_BOT_TOKEN is GitHub's token. The `sync` section of the configuration defines what belongs on a branch.
    """
    if git is not None and open_:
        raise typer.BadParameter("nothing can be opened without GitHub: leave out --git or --open.")
    file = chosen_config(config)
    with only_one(data):
        if git is not None:
            settings = _config_or_default(file, git)
            run = _survey_clone(git, settings, file.parent if file else Path(), data, branch)
        else:
            with _open_context(file, data, api_url, login) as context:
                settings = context.config
                run = _survey_or_open(context, data, branch, open_=open_)
    if report is not None:
        _write_report(run, report)
    _write_step_summary(run, settings.templates.sync_summary)
    _print(run, as_json=as_json)


def _survey_or_open(context: RepositoryContext, data: Path, branch: str | None, *, open_: bool) -> SyncRun:
    if not open_:
        return survey_repository(context, data, branch)
    run = open_missing(context, data, branch)
    if context.config.sync.tracking_issue:
        write_tracking_issues(run.survey, context)
    return run


def _survey_clone(clone: Path, config: Config, parent: Path, data: Path, branch: str | None) -> SyncRun:
    patches = configured_patches(config.patches, parent)
    with open_clone(clone) as repository:
        caches = PickCaches.open(data)
        context = PickContext(mirror=repository, config=config, patches=patches, progress=tell, caches=caches)
        return survey_clone(context, data, branch)


def _config_or_default(file: Path | None, clone: Path) -> Config:
    repository = named_repository(clone) or "local/clone"
    if file is not None:
        return load_config(file, repository=repository)
    tell(
        "There is no backport.yaml, so each key has its default. Stable branches are release/*. --config names a file."
    )
    return Config(repository=repository)


@contextmanager
def _open_context(config: Path | None, data: Path, api_url: str, login: str | None) -> Iterator[RepositoryContext]:
    account = credentials.require_account("GitHub was not asked; --git REPO surveys a clone without it")
    connection = ConnectionSettings(api_url, data, login, repository=named_repository())
    with open_configured_repository(config, connection, account, progress=tell) as context:
        yield context


def _write_report(run: SyncRun, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    page = directory / "index.html"
    page.write_text(render_page(run.survey), encoding="utf-8", errors="replace")
    (directory / "sync.json").write_text(json.dumps(sync_to_json(run.survey, run.results)), encoding="utf-8")
    tell(f"The report: {page}")


def _write_step_summary(run: SyncRun, template: str | None) -> None:
    """Add the summary to the page of the GitHub Actions run, if there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8", errors="replace") as file:
            file.write(render_summary(run.survey, template=template))


def _print(run: SyncRun, *, as_json: bool) -> None:
    if as_json:
        typer.echo(to_json(sync_to_json(run.survey, run.results), indent=2))
        return
    console = Console(highlight=False)
    console.print(branches_table(run.survey))
    console.print(render_lines(run.survey), markup=False, soft_wrap=True)
