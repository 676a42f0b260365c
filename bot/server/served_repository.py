"""The repositories that are served, in the database: GitHub's number of each, its name, and the names it had.

GitHub redirects an old name in its API and in git, but its webhooks have the new name at once:
https://docs.github.com/en/repositories/creating-and-managing-repositories/renaming-a-repository
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import class_row

from bot.server.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRepository:
    """A repository that is served. `id` is GitHub's number of it, which a renaming does not change.

    `id` is None before GitHub told it. `installation` is the App's installation that it is reached by; None for a
    token. `changes` counts the tips of its default branch that were noted.
    """

    id: int | None
    name: str
    former_names: tuple[str, ...] = ()
    installation: int | None = None
    changes: int = 0

    def __post_init__(self) -> None:
        """Take a list from the database as well."""
        object.__setattr__(self, "former_names", tuple(self.former_names))

    @property
    def account(self) -> str:
        """The key of the account that it is reached by: an installation, or the token."""
        return f"installation-{self.installation}" if self.installation is not None else "token"

    @property
    def names(self) -> frozenset[str]:
        """All its names, in lower case."""
        return frozenset(name.casefold() for name in (self.name, *self.former_names))


class RepositoryRows:
    """The table of repositories. It may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def served(self) -> list[ServedRepository]:
        """Return the repositories that are served, by name."""
        statement = """
            SELECT id, name, former_names, installation, changes FROM backport_repository
            WHERE served ORDER BY lower(name)
        """
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(ServedRepository)) as rows,
        ):
            return rows.execute(statement).fetchall()

    def keep(self, repository: ServedRepository) -> None:
        """Record a repository that is served. A name that differs from the recorded one is its new one."""
        with self._database.transaction() as connection:
            _keep(connection, repository)

    def keep_exactly(self, repositories: Iterable[ServedRepository]) -> None:
        """Record that these repositories are served, and no others."""
        with self._database.transaction() as connection:
            numbers = [repository.id for repository in repositories if _keep(connection, repository)]
            connection.execute("UPDATE backport_repository SET served = false WHERE id <> ALL(%s)", (numbers,))

    def note_head(self, repository_id: int, commit: str | None) -> None:
        """Note the tip of a repository's default branch; None for one that is not known."""
        statement = """
            UPDATE backport_repository SET head = %(head)s, changes = changes + 1
            WHERE id = %(id)s AND head IS DISTINCT FROM %(head)s
        """
        with self._database.transaction() as connection:
            connection.execute(statement, {"id": repository_id, "head": commit})


def _keep(connection: Connection, repository: ServedRepository) -> bool:
    statement = """
        INSERT INTO backport_repository AS known (id, name, former_names, installation) VALUES (%s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name,
            former_names = ARRAY(
                SELECT DISTINCT former FROM unnest(known.former_names || known.name || excluded.former_names) AS former
                WHERE lower(former) <> lower(excluded.name)
            ),
            installation = excluded.installation,
            served = true
    """
    values = (repository.id, repository.name, list(repository.former_names), repository.installation)
    connection.execute(statement, values)
    # One that was made under a name that became free again is another one.
    taken = "UPDATE backport_repository SET served = false WHERE lower(name) = lower(%s) AND id <> %s"
    connection.execute(taken, (repository.name, repository.id))
    # An earlier version of the bot recorded requests by the name alone.
    own = "UPDATE backport_request SET repository_id = %s WHERE repository_id IS NULL AND lower(repository) = ANY(%s)"
    connection.execute(own, (repository.id, list(repository.names)))
    return True
