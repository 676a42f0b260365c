"""The manifest that a GitHub App for the bot is registered from.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

from bot import REPOSITORY
from bot.adoption.rights import APP_EVENTS, app_permissions

_PAGE = f"https://github.com/{REPOSITORY}"


def app_manifest(
    name: str, *, webhook_url: str = "", redirect_url: str = "", optional: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the manifest. Without the URL of a service the App gets no events, which is enough for GitHub Actions.

    `optional` are permissions that only some repositories need; `redirect_url` is where the page of GitHub leads on to.
    """
    # GitHub requires an address of the hook also for one that is switched off.
    hook = {"url": webhook_url or _PAGE, "active": bool(webhook_url)}
    redirection: dict[str, Any] = {"redirect_url": redirect_url} if redirect_url else {}
    if webhook_url:
        # The pages of the service are beside its webhook; people who sign in there are led back to it.
        redirection["callback_urls"] = [urljoin(webhook_url, "/sign-in/callback")]
    return {
        "name": name,
        "url": _PAGE,
        "description": "Backports merged fixes to release branches, and proves each one first.",
        "public": False,
        "hook_attributes": hook,
        "default_permissions": app_permissions(*optional),
        "default_events": list(APP_EVENTS) if webhook_url else [],
        **redirection,
    }
