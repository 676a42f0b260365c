"""What the service signed before its secret was changed."""

from __future__ import annotations

from bot.environment.signing import SigningKey
from bot.server.database import Database
from bot.server.signing_keys import accept_earlier_keys


def _started(database: Database, secret: str) -> SigningKey:
    key = SigningKey.derive(secret)
    accept_earlier_keys(database, key)
    return key


def test_what_was_signed_before_a_change_of_the_secret_is_believed_for_half_a_year(database: Database) -> None:
    signature = _started(database, "the first secret").sign("a request")
    key = _started(database, "the second secret")
    assert key.verify(signature, "a request")
    assert not key.verify(signature, "another request")
    assert not key.verify(SigningKey.derive("a secret of somebody").sign("a request"), "a request")
    with database.transaction() as connection:
        connection.execute("UPDATE backport_fact SET value = '2020-01-01T00:00:00+00:00'")
    assert not _started(database, "the third secret").verify(signature, "a request")
