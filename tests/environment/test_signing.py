"""What the signature of a line covers."""

from __future__ import annotations

import pytest

from bot.environment import credentials
from bot.environment.credentials import AppKey
from bot.environment.signing import SigningKey
from bot.text.logins import same_login

KEY = SigningKey.derive("hush")


@pytest.mark.parametrize("texts", [("a", "b"), ("ab",), ("a", "b", ""), ("", "ab"), ("b", "a"), ("\ud83d",)], ids=repr)
def test_a_signature_is_over_the_texts_and_where_each_ends(texts: tuple[str, ...]) -> None:
    signature = KEY.sign(*texts)
    assert KEY.verify(signature, *texts)
    assert not KEY.verify(signature, *texts, "more")
    assert not KEY.verify(signature, "".join(texts), "x")
    assert not SigningKey.derive("another").verify(signature, *texts)


@pytest.mark.parametrize("signature", ["", "0" * 64, "é"])
def test_what_is_no_signature_is_none(signature: str) -> None:
    assert not KEY.verify(signature, "a")


def test_a_key_is_the_same_however_the_secret_was_pasted() -> None:
    assert SigningKey.derive("-----BEGIN\nabc\n-----END\n") == SigningKey.derive("-----BEGIN abc -----END")


def test_a_key_shows_nothing_of_itself() -> None:
    assert "_key" not in repr(KEY)


def test_the_key_follows_from_what_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    app = AppKey("1", "private")
    assert credentials.signing_key("token") is None
    assert credentials.signing_key("token", webhook_secret="hush") == KEY
    assert credentials.signing_key(app, webhook_secret="hush") == SigningKey.derive("private")
    monkeypatch.setenv(credentials.SIGNING_SECRET, "own")
    assert credentials.signing_key(app) == SigningKey.derive("own")


def test_accounts_compare_without_case_and_nobody_is_nobody() -> None:
    assert same_login("Widget-Bot", "widget-bot")
    assert not same_login("a", "b")
    assert not same_login(None, None)
    assert not same_login("", "")
