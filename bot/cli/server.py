"""`demo`, `serve` and `reconcile`: the bot at work, on loopback or for a repository.

What needs the `server` extra is imported when a command runs: the other commands do without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.options import API_URL, ApiUrl, AsJson, DeviceKind, tell
from bot.text.markdown import count


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("serve")(serve_webhooks)
    app.command("reconcile")(reconcile_requests)


def demo(
    as_json: AsJson = False,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the pages up until Ctrl-C.")] = False,
    device: Annotated[DeviceKind, typer.Option(help="Where the suites run.")] = DeviceKind.AUTO,
    sync: Annotated[
        bool, typer.Option("--sync", help="The second act: a scheduled sync finds what is missing, without a comment.")
    ] = False,
) -> None:
    """Run the main job on real sglang releases, against a GitHub on loopback: no account, no GPU needed."""
    from bot.demo.run import show_demo  # noqa: PLC0415

    raise typer.Exit(show_demo(as_json=as_json, serve=serve, device=device.value, sync=sync))


def serve_webhooks(
    config: Annotated[Path, typer.Option(help="The configuration of the repository.")] = Path("backport.yaml"),
    data: Annotated[Path, typer.Option(help="Where the mirror and the journal are kept.")] = Path("backport-data"),
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8080,
    api_url: ApiUrl = API_URL,
    login: Annotated[str | None, typer.Option(help="The bot's account, where its token cannot say.")] = None,
) -> None:
    """Answer webhooks until Ctrl-C. BACKPORT_BOT_TOKEN and BACKPORT_BOT_SECRET hold the token and the secret."""
    from bot.server.run import serve_until_interrupted  # noqa: PLC0415

    serve_until_interrupted(config, data=data, port=port, api_url=api_url, login=login, progress=tell)


def reconcile_requests(
    config: Annotated[Path, typer.Option(help="The configuration of the repository.")] = Path("backport.yaml"),
    data: Annotated[Path, typer.Option(help="Where the mirror is kept.")] = Path("backport-data"),
    days: Annotated[float, typer.Option(help="Look at pull requests that changed in this many days.", min=0)] = 14,
    api_url: ApiUrl = API_URL,
    login: Annotated[str | None, typer.Option(help="The bot's account, where its token cannot say.")] = None,
) -> None:
    """Serve requests that no webhook told of, or that were due at a merge. BACKPORT_BOT_TOKEN holds the token."""
    from bot.server.reconcile import reconcile_once  # noqa: PLC0415

    results = reconcile_once(config, data=data, days=days, api_url=api_url, login=login, progress=tell)
    typer.echo(f"{count(len(results), 'target branch')} served" if results else "Nothing was missed.")
