"""`init`: writes the files that a repository needs, after a look at its checkout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from bot import MAJOR_TAG, REPOSITORY
from bot.adoption.checkout import Checkout, read_checkout
from bot.adoption.framework import Framework
from bot.adoption.proposals import FileState, Proposal, write_new
from bot.adoption.published_version import commit_of_tag
from bot.adoption.settings_file import render_settings
from bot.adoption.workflow_file import PATH, PATH_BESIDE, BotVersion, called_version, render_workflow
from bot.cli.pickers import ask_for_globs, confirm, is_interactive
from bot.config import FILE_NAME
from bot.report.terminal import plain
from bot.text.branch_names import pattern_problem
from bot.text.markdown import count


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("init")(init)


def init(
    folder: Annotated[
        Path, typer.Argument(help="A folder of the checkout.", exists=True, file_okay=False, metavar="FOLDER")
    ] = Path(),
    *,
    branches: Annotated[
        list[str] | None,
        typer.Option("--branches", help="A glob for the stable branches, in place of what is found.", metavar="GLOB"),
    ] = None,
    bot_repository: Annotated[
        str,
        typer.Option("--bot", help="Where the bot is published (owner/name), e.g. a copy of your own.", metavar="NAME"),
    ] = REPOSITORY,
    ref: Annotated[str, typer.Option(help="The tag or the commit of the bot to use.", metavar="REF")] = MAJOR_TAG,
    pin: Annotated[bool, typer.Option("--pin", help="Write the commit that REF means now in place of REF.")] = False,
    config: Annotated[
        bool, typer.Option("--with-config", help="Write backport.yaml even if the defaults fit.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the files and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Write the workflow file, and backport.yaml if the defaults do not fit. No file that is there is changed.

    The exit code is 1 if a file is there and differs; the difference is printed.
    """
    checkout = read_checkout(folder)
    typer.echo(_describe(checkout))
    asks = is_interactive() and not yes and not dry_run
    globs = _checked(branches) if branches else checkout.globs
    if asks and not branches:
        globs = ask_for_globs(globs or ("release/*",))
    proposals = _proposals(checkout.folder, globs, _Version(bot_repository, ref, pin=pin), config=config)
    if dry_run:
        for proposal in proposals:
            typer.echo(f"\n{proposal.path} ({proposal.state(checkout.folder).value}):\n{proposal.text}", nl=False)
        return
    if asks and not confirm(f"Write {' and '.join(proposal.path for proposal in proposals)}?"):
        typer.echo("Nothing was written.")
        raise typer.Exit(1)
    states = write_new(proposals, checkout.folder)
    typer.echo(_result(states, checkout))
    raise typer.Exit(FileState.DIFFERENT in states.values())


@dataclass(frozen=True, slots=True)
class _Version:
    repository: str
    ref: str
    pin: bool

    def render(self) -> str:
        if not self.pin:
            return render_workflow(BotVersion(self.repository, self.ref))
        commit = commit_of_tag(f"https://github.com/{self.repository}.git", self.ref)
        return render_workflow(BotVersion(self.repository, commit), tag=self.ref)


def _proposals(folder: Path, globs: Sequence[str], version: _Version, *, config: bool) -> list[Proposal]:
    settings = render_settings(globs, always=config)
    workflow = Proposal(PATH, version.render())
    if _is_of_another_tool(workflow.present(folder)):
        workflow = replace(workflow, path=PATH_BESIDE)
    return [workflow, *([Proposal(FILE_NAME, settings)] if settings else [])]


def _is_of_another_tool(text: str | None) -> bool:
    return text is not None and called_version(text) is None


def _checked(globs: Sequence[str]) -> Sequence[str]:
    for glob in globs:
        if problem := pattern_problem(glob):
            raise typer.BadParameter(f"{glob!r} {problem}.", param_hint="--branches")
    return globs


def _describe(checkout: Checkout) -> str:
    repository = checkout.repository
    name = f"{repository.name} on {repository.host}" if repository else "no remote names it"
    if repository is not None and repository.host != "github.com" and not repository.host.endswith(".ghe.com"):
        # https://docs.github.com/enterprise-server@latest/actions/reference/workflows-and-actions/reusing-workflow-configurations
        name += ", which runs no workflow of github.com: copy the bot's repository there, and name it with --bot"
    lines = [
        f"Checkout: {checkout.folder}",
        f"Repository: {name}",
        f"Default branch: {checkout.default_branch or 'not known'}",
        f"Release branches: {_releases(checkout)}",
        f"Tests: {_tests(checkout.framework)}",
    ]
    return "\n".join(map(plain, lines))


def _releases(checkout: Checkout) -> str:
    fetch = f"; `git fetch {checkout.unfetched}` brings those of the project" if checkout.unfetched else ""
    if not checkout.release_branches:
        return f"none is known here; the default is release/*, and --branches names others{fetch}"
    branches = count(len(checkout.release_branches), "branch")
    return f"{' '.join(checkout.globs)} ({branches}, e.g. {checkout.release_branches[-1]}){fetch}"


def _tests(framework: Framework | None) -> str:
    if framework is None:
        return (
            "no file tells what runs them; if a proof does not, `prove.tests.command` in backport.yaml names a command"
        )
    name = f"{framework.preset}, by {framework.file}"
    return (
        name if framework.is_default else f"{name}; a proof runs them so with `prove.tests.command: {framework.preset}`"
    )


def _result(states: dict[Proposal, FileState], checkout: Checkout) -> str:
    lines = []
    for proposal, state in states.items():
        lines.append(f"{proposal.path}: {'written' if state is FileState.NEW else state.value}")
        if state is FileState.DIFFERENT:
            lines.append(f"It was not changed. To bring it up to date:\n{proposal.diff(checkout.folder)}")
        if proposal.path == PATH_BESIDE:
            lines.append(f"{PATH} is another tool's and stays. If both serve the same labels, remove one of them.")
    return "\n".join([*lines, "", *_next_steps(checkout)])


def _next_steps(checkout: Checkout) -> list[str]:
    repository = checkout.repository
    settings = f"https://{repository.host}/{repository.name}/settings" if repository else "Settings"
    return [
        "Next:",
        f"1. Commit the files, and push them to the default branch {checkout.default_branch}".rstrip() + ".",
        "2. Either allow GitHub Actions to create pull requests, at the end of this page:",
        f"   {settings}/actions",
        "   Then backport pull requests start no workflows of yours. Or give the bot an account of its own, and store",
        "   its token as the secret BACKPORT_TOKEN:",
        f"   {settings}/secrets/actions",
        "3. Run `backport-bot doctor` to see whether all is right.",
        "4. Comment `/backport BRANCH` on a merged pull request.",
    ]
