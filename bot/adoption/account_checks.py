"""Conditions of the bot's account: who it is, and which rights GitHub says that it has."""

from __future__ import annotations

from collections.abc import Iterator

from bot.adoption.rights import SCOPES, missing_rights
from bot.github.reader import Reader, Reply
from bot.models.diagnosis import Diagnosis, bad, good, note, unknown

_SUBJECT = "account"
_RIGHTS = "rights"


def check_account(reader: Reader, repository: Reply, *, has_account: bool, of_run: bool) -> Iterator[Diagnosis]:
    """Check the account. `of_run` is whether the token is that of a workflow run."""
    if not has_account:
        yield note(
            _SUBJECT,
            "No token and no App is given (BACKPORT_BOT_TOKEN, or BACKPORT_BOT_APP_ID and BACKPORT_BOT_PRIVATE_KEY).",
            "GitHub was read as the public sees it; what only an account sees is unknown.",
            "Export one of them and start again. In GitHub Actions the run's own token is enough.",
        )
        return
    if reader.permissions is not None:
        yield from _app(reader)
        return
    user = reader.get("/user")
    if user.status == 401:
        yield bad(
            _SUBJECT, "GitHub does not accept the token.", "Each request fails.", "Make a new one, and export it again."
        )
        return
    yield good(_SUBJECT, f"The token is {user.field('login')}'s." if user.ok else "The token is that of an App.")
    yield from _token_rights(user, repository, of_run=of_run)
    yield from _push(repository)


def _app(reader: Reader) -> Iterator[Diagnosis]:
    app = reader.get_as_app("/app")
    slug = app.field("slug") if app is not None else None
    yield good(_SUBJECT, f"It is the GitHub App {slug}, installed on {reader.repository}.")
    absent = missing_rights(reader.permissions or {})
    always = [right for right in absent if not right.condition]
    if always:
        names = ", ".join(f"{right.title}: {right.level}" for right in always)
        yield bad(
            _RIGHTS,
            f"The App's installation lacks {names}.",
            "; ".join(f"Without {right.title} it cannot {right.purpose}" for right in always) + ".",
            "Add the permissions in the App's settings. Then accept them on the page of the installation.",
        )
    else:
        yield good(_RIGHTS, "The installation has all permissions that are always needed.")
    for right in absent:
        if right.condition:
            yield note(
                _RIGHTS,
                f"The App's installation lacks {right.title}: {right.level}.",
                f"It is needed only if {right.condition}.",
                "If so, add it in the App's settings, and accept it on the page of the installation.",
            )


def _token_rights(user: Reply, repository: Reply, *, of_run: bool) -> Iterator[Diagnosis]:
    scopes = user.headers.get("x-oauth-scopes")
    if of_run:
        yield good(_RIGHTS, "The token is that of a workflow run: the workflow file says what it may do.")
    elif scopes is None:
        # https://docs.github.com/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens
        yield unknown(
            _RIGHTS,
            "The token is fine-grained, or an App's: GitHub does not tell what it may do.",
            "A right that it lacks shows only when the bot needs it.",
            "Compare its page under Settings, Developer settings, with the permissions in docs/reference.md.",
        )
    else:
        yield from _scopes({scope.strip() for scope in scopes.split(",")}, public=repository.field("private") is False)


def _scopes(scopes: set[str], *, public: bool) -> Iterator[Diagnosis]:
    enough = "repo" in scopes or (public and "public_repo" in scopes)
    if enough:
        yield good(_RIGHTS, f"The token's scopes are {', '.join(sorted(scopes))}.")
    else:
        yield bad(
            _RIGHTS,
            f"The token's scopes are {', '.join(sorted(filter(None, scopes))) or 'none'}.",
            "It cannot push backport branches or open pull requests.",
            "Make a token with the scope `repo`" + (" or `public_repo`." if public else "."),
        )
    for scope in SCOPES[1:]:
        if scope.name not in scopes and not (scope.name == "read:org" and {"admin:org", "write:org"} & scopes):
            yield note(
                _RIGHTS,
                f"The token lacks the scope `{scope.name}`.",
                f"It cannot {scope.purpose}." if scope.name == "workflow" else f"It cannot see {scope.purpose}.",
                "If the repository needs that, add the scope.",
            )
    yield note(
        "check runs",
        "The account is a person's or a machine user's.",
        "Only GitHub Apps write check runs; the bot works without them.",
        "`backport-bot app create` registers an App.",
    )


def _push(repository: Reply) -> Iterator[Diagnosis]:
    may_push = repository.field("permissions", "push")
    if may_push is False:
        yield bad(
            "push",
            "The account has no write access to the repository.",
            "It cannot push backport branches.",
            "Give it the role Write under Settings, Collaborators and teams.",
        )
    elif may_push:
        yield good("push", "The account has write access to the repository.")
