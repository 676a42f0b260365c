"""What the command line and the environment say of the pages."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bot.errors import ConfigError

_NOT_STARTED = "so the service was not started"


class PagesMode(StrEnum):
    """Who may read the pages: nobody, as there are none; everybody; or who has signed in, what GitHub shows them."""

    OFF = "off"
    PUBLIC = "public"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSettings:
    """Whether there are pages, and for whom.

    With a `trust_header`, a reverse proxy at one of the addresses `proxies` has signed people in, and names them there.
    Else they sign in with GitHub, by the App of `client_id`. `url` is the address that people reach the pages by.
    """

    mode: PagesMode = PagesMode.OFF
    url: str = ""
    trust_header: str = ""
    proxies: Sequence[str] = ()
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    api_url: str = ""

    def check(self) -> None:
        """Raise ConfigError if people could not sign in, or if somebody else could name them."""
        if self.mode is not PagesMode.SIGN_IN:
            if self.trust_header or self.proxies:
                raise ConfigError(
                    f"--trust-header and --trust-proxy are for `--pages sign-in` alone, {_NOT_STARTED}.",
                    hint="Give --pages sign-in, or leave them out.",
                )
        elif self.trust_header:
            self._check_proxies()
        elif not (self.client_id and self.client_secret):
            raise ConfigError(
                f"BACKPORT_BOT_CLIENT_ID and BACKPORT_BOT_CLIENT_SECRET are not both set, {_NOT_STARTED}.",
                hint="They stand on the App's page on GitHub. Or let a reverse proxy sign people in: --trust-header.",
            )
        elif urlsplit(self.url).scheme not in ("https", "http") or not urlsplit(self.url).netloc:
            raise ConfigError(
                f"GitHub leads people back to the pages, and their address is not known, {_NOT_STARTED}.",
                hint="Give it with --url, e.g. --url https://backports.example.org.",
            )

    def _check_proxies(self) -> None:
        if not self.proxies:
            raise ConfigError(
                f"Anybody could send the header {self.trust_header}, {_NOT_STARTED}.",
                hint="Name the addresses of the proxy, which must replace the header: --trust-proxy 10.0.0.7.",
            )
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ConfigError(
                    f"--trust-proxy {proxy} is no address ({error}), {_NOT_STARTED}.",
                    hint="Give an address or a network, e.g. 10.0.0.7 or 10.0.0.0/24.",
                ) from None

    @property
    def origin(self) -> str:
        """The address without a path, as browsers send it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


NO_PAGES = PagesSettings()
