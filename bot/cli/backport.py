"""`backport`: backports a merged pull request from a person's own machine, as a comment does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.options import API_URL, ApiUrl, AsJson, ConfigFile, tell
from bot.cli.own_repository import chosen_config, named_repository
from bot.cli.pickers import ask_for_branches, ask_for_pull_request, is_interactive
from bot.commands.parser import COMMITS, Command, parse_commands, parse_words
from bot.environment import credentials
from bot.environment.cache_folder import cache_directory
from bot.environment.safe_output import to_json
from bot.errors import ConfigError, GitError
from bot.git.worktree import Worktree
from bot.github.connection_settings import ConnectionSettings
from bot.handlers.local_backport import LocalResults, read_local_request, run_locally
from bot.handlers.local_resolution import (
    CONTINUE,
    Resolution,
    abort_resolution,
    begin_resolution,
    describe_resolution,
    find_clone,
    find_resolution,
    finish_pick,
)
from bot.handlers.request_summary import is_good
from bot.handlers.resolved_candidate import candidate_of
from bot.models import Candidate, Conflicted, Opened, TargetOutcome, TargetPlan
from bot.pick.context import PickContext
from bot.pipeline.context import RepositoryContext
from bot.pipeline.local_settings import quiet_context
from bot.pipeline.open_context import open_configured_repository
from bot.pipeline.request import BackportRequest
from bot.report.json_data import target_to_json
from bot.report.outcomes import IN_A_WORKTREE
from bot.report.terminal import render_error, render_explanations, results_table
from bot.text.branch_names import slug

_TABLE_WIDTH = 80


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("backport")(backport)


def backport(
    branches: Annotated[
        list[str] | None,
        typer.Argument(help="Target branches, globs, `all` or `auto`, as in a comment.", metavar="BRANCH…"),
    ] = None,
    *,
    pull_request: Annotated[
        int | None, typer.Option("--pr", help="The merged pull request.", min=1, metavar="N")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Push and open nothing.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Open drafts.")] = False,
    no_prove: Annotated[bool, typer.Option("--no-prove", help="Skip the regression suite.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Recreate the backport branch.")] = False,
    with_prerequisites: Annotated[
        bool, typer.Option("--with-prerequisites", help="If it conflicts, bring the earlier pull requests it needs.")
    ] = False,
    with_companions: Annotated[
        bool, typer.Option("--with-companions", help="Bring the fixes that belong with it.")
    ] = False,
    commits: Annotated[
        list[str] | None,
        typer.Option(
            "--commit", help="A commit to bring, instead of those of the merge; may be repeated.", metavar="SHA"
        ),
    ] = None,
    resolve: Annotated[
        bool,
        typer.Option("--resolve", help="Write each conflict into a worktree beside this clone, to resolve it there."),
    ] = False,
    continue_: Annotated[
        bool, typer.Option("--continue", help="Prove and open what was resolved in the worktree.")
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Remove the worktree with the conflict.")] = False,
    config: ConfigFile = None,
    data: Annotated[
        Path | None, typer.Option(help="The folder of the mirror; by default in the user's cache folder.")
    ] = None,
    api_url: ApiUrl = API_URL,
    as_json: AsJson = False,
) -> None:
    """Backport a merged pull request, as the comment `/backport BRANCH…` does; what is missing is asked for.

    The token is BACKPORT_BOT_TOKEN, else GH_TOKEN or GITHUB_TOKEN. Its account needs the permission that a comment
    needs. The exit code is 1 if a branch ends in another way than it should.
    """
    if abort:
        typer.echo(abort_resolution(*find_resolution()))
        return
    flags = {
        "--dry-run": dry_run,
        "--draft": draft,
        "--no-prove": no_prove,
        "--redo": redo,
        "--with-prerequisites": with_prerequisites,
        "--with-companions": with_companions,
    }
    words = [flag for flag, is_set in flags.items() if is_set] + ([COMMITS, *commits] if commits else [])
    resolved = find_resolution() if continue_ else None
    clone = find_clone() if resolve else None
    if resolved is None and not is_interactive() and (pull_request is None or not branches):
        raise typer.BadParameter("there is no terminal to ask at: give --pr N and the branches.")
    account = credentials.require_personal_account("nothing was done")
    # The number of a pull request means nothing in another repository.
    repository = resolved[1].repository if resolved is not None else named_repository()
    connection = ConnectionSettings(api_url, data or _mirror_folder(repository), repository=repository, partial=True)
    results = LocalResults(tell)
    with open_configured_repository(chosen_config(config), connection, account, progress=tell) as context:
        local = quiet_context(context)
        if resolved is not None:
            _go_on(*resolved, results, local)
        else:
            command, number = _complete(branches or (), words, pull_request, local)
            _run(command, number, results, local, clone)
    _print(results.outcomes, as_json=as_json)
    raise typer.Exit(0 if all(map(is_good, results.outcomes)) else 1)


def _mirror_folder(repository: str) -> Path:
    return cache_directory() / "mirrors" / (slug(repository) if repository else "configured")


def _complete(
    branches: Sequence[str], words: Sequence[str], number: int | None, context: RepositoryContext
) -> tuple[Command, int]:
    """Return the command and the pull request, and ask for what was not given."""
    number = number or ask_for_pull_request(context)
    branches = branches or ask_for_branches(context)
    return parse_words(["to", *branches, *words]), number


def _run(
    command: Command, number: int, results: LocalResults, context: RepositoryContext, clone: Worktree | None
) -> None:
    request = read_local_request(command, number, context)
    with _stoppable(results):
        run_locally(command, request, results, context)
        if clone is not None:
            for outcome in results.conflicts:
                _begin(outcome, request, clone, context)


def _begin(outcome: Conflicted, request: BackportRequest, clone: Worktree, context: RepositoryContext) -> None:
    """Write one conflict into a worktree; what stops it is told, and stops no other."""
    try:
        worktree = begin_resolution(outcome, request, clone, context)
    except GitError as error:
        tell(render_error(error))
        return
    tell(describe_resolution(worktree, outcome.target))


def _go_on(worktree: Worktree, resolution: Resolution, results: LocalResults, context: RepositoryContext) -> None:
    """Go on with what a person resolved. The worktree stays until its pull request is open."""
    if resolution.repository.casefold() != context.config.repository.casefold():
        raise ConfigError(
            f"The conflict is one of {resolution.repository}; the configuration is for {context.config.repository}.",
            hint="Leave out --config, or name the file of that repository.",
        )
    finish_pick(worktree)
    (command,) = parse_commands(resolution.command)
    request = read_local_request(command, resolution.pull_request, context)

    def by_hand(plan: TargetPlan, pick: PickContext) -> Candidate | None:
        return candidate_of(worktree, resolution, plan, context.github.login, pick)

    with _stoppable(results):
        run_locally(command, request, results, context, by_hand=by_hand)
    # A pull request that was open already has nothing of what the person made.
    if any(isinstance(outcome, Opened) and outcome.candidate is not None for outcome in results.outcomes):
        worktree.remove()
        tell(f"{worktree.directory} is removed.")
    else:
        tell(f"{worktree.directory} stays as it is. Correct it, commit, and run `{CONTINUE}` again.")


@contextmanager
def _stoppable(results: LocalResults) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _print(results.outcomes, as_json=False)
        tell("Stopped. What is open stays open; run the same command again, and it goes on with the other branches.")
        raise typer.Exit(130) from None


def _print(outcomes: Sequence[TargetOutcome], *, as_json: bool) -> None:
    if as_json:
        typer.echo(to_json([target_to_json(outcome) for outcome in outcomes], indent=2))
        return
    console = Console(highlight=False)
    # In a narrower window the table would cut its words; the lines below it have all that matters.
    if console.width >= _TABLE_WIDTH:
        console.print(results_table(outcomes))
    console.print(render_explanations(outcomes, by_hand=IN_A_WORKTREE), markup=False, soft_wrap=True)
