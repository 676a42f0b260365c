"""Asks for a backport again, or cancels, as a comment on GitHub does: by that very comment.

The person writes it, by their own token. So GitHub shows who asked, the same checks decide, and nothing is done twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.commands.parser import Command, parse_commands
from bot.commands.verbs import Verb
from bot.errors import BackportError, GitHubError
from bot.pipeline.authorization import is_authorized
from bot.server.database import Database
from bot.server.pages.access import Reader
from bot.server.pages.rendering import page
from bot.server.pages.run_pages import missing
from bot.server.pages.run_queries import RequestState, RunQueries, RunState
from bot.server.pages.sign_in import GitHubAccess
from bot.server.pages.words import read_number
from bot.server.repositories import Repositories

_LARGEST_FORM = 4096
_PAUSE = timedelta(minutes=2)
"""How long one run is not asked about again: until GitHub has told of the comment, the page looks as before."""


class Actions:
    """What a person who has signed in may do. `origin` is the address of the pages, without a path."""

    def __init__(
        self, database: Database, queries: RunQueries, access: GitHubAccess, repositories: Repositories, origin: str
    ) -> None:
        self._database, self._queries, self._access = database, queries, access
        self._repositories, self._origin = repositories, origin

    async def redo(self, request: Request) -> Response:
        """Ask for the backport of an ended run again."""
        return await run_in_threadpool(self._act, request, await _form(request), Verb.BACKPORT)

    async def cancel(self, request: Request) -> Response:
        """Cancel what waits and runs for an original."""
        return await run_in_threadpool(self._act, request, await _form(request), Verb.CANCEL)

    async def sign_out(self, request: Request) -> Response:
        """End the session in this browser."""
        form = await _form(request)
        reader = self._access.reader(request)
        if not self._is_ours(request, form, reader, "sign-out"):
            return _foreign(reader)
        response = RedirectResponse("/", 303)
        self._access.cookies.forget(response)
        return response

    def _act(self, request: Request, form: Mapping[str, str], verb: Verb) -> Response:
        reader = self._access.reader(request)
        pair = self._queries.find(read_number(request.path_params["run"]) or 0)
        if pair is None or not self._access.visible(reader, [pair[0].known_repository]):
            return missing(reader)
        state, run = pair
        if not self._is_ours(request, form, reader, f"{verb} {run.id}"):
            return _foreign(reader)
        try:
            self._write(reader, state, run, verb)
        except BackportError as error:
            return page("refused.html.j2", reader, status=403, tab="", error=error)
        return RedirectResponse(f"/runs/{run.id}?asked={verb}", 303)

    def _write(self, reader: Reader, state: RequestState, run: RunState, verb: Verb) -> None:
        if (run.step is None) is not (verb is Verb.BACKPORT):
            raise GitHubError("The run is not in that state any more, so nothing was done.", hint="Look at it again.")
        command = self._command(run, verb)
        with self._repositories.lend(state.repository) as context:
            if reader.session is None or not is_authorized(command, reader.session.login, context):
                raise GitHubError(
                    f"GitHub says that {reader.login} may not do this, so nothing was done.",
                    hint="Ask somebody who may write to the repository.",
                )
        if not self._is_first(run, verb):
            raise GitHubError("This was asked for a moment ago, so nothing more was done.", hint="It takes a moment.")
        self._access.app.comment(reader.session.token, state.repository, state.number, str(command))

    def _command(self, run: RunState, verb: Verb) -> Command:
        if verb is Verb.CANCEL:
            return Command(verb=verb)
        command = self._queries.request(run.request).command_for(run.target)
        # A name that the grammar has no place for would make another command of it.
        if parse_commands(str(command)) != (command,):
            raise GitHubError("The command cannot be written again, so nothing was done.", hint="Comment on GitHub.")
        return command

    def _is_first(self, run: RunState, verb: Verb) -> bool:
        """Note that somebody asks; False if somebody did a moment ago."""
        statement = """
            INSERT INTO backport_fact AS known (name, value) VALUES (%s, %s)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE known.value < %s RETURNING name
        """
        now = datetime.now(UTC)
        values = (f"page {verb} {run.id}", now.isoformat(), (now - _PAUSE).isoformat())
        with self._database.transaction() as connection:
            return connection.execute(statement, values).fetchone() is not None

    def _is_ours(self, request: Request, form: Mapping[str, str], reader: Reader, action: str) -> bool:
        """Say whether a form was sent from a page of ours that was made for this session."""
        if request.headers.get("origin", self._origin) != self._origin or reader.session is None:
            return False
        expected_proof = reader.session.form_proof(action)
        return hmac.compare_digest(form.get("proof", "").encode(), expected_proof.encode())


def _foreign(reader: Reader) -> Response:
    error = GitHubError(
        "This form was not sent from a page that was made for you, so nothing was done.",
        hint="Open the page of the run, and use the button there.",
    )
    return page("refused.html.j2", reader, status=403, tab="", error=error)


async def _form(request: Request) -> Mapping[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return {}
    return dict(parse_qsl(body.decode(errors="replace")))
