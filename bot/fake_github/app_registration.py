"""GitHub Apps that people register from a manifest: another site posts it, and a page asks for a confirmation.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.fake_github.accounts import App, Registration, User, now
from bot.fake_github.github_state import World

LIFETIME = timedelta(hours=1)
"""After it a code is worth nothing."""


class ManifestRefused(Exception):
    """GitHub would not register this; the text says why."""


def new_key() -> tuple[str, str]:
    """Return a private key and its public key, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public


def read_manifest(text: str) -> Mapping[str, Any]:
    """Return a manifest. Raises ManifestRefused for one that lacks what GitHub requires."""
    try:
        manifest = json.loads(text)
    except ValueError:
        raise ManifestRefused("The manifest is no JSON.") from None
    if not isinstance(manifest, dict) or not _is_url(manifest.get("url")):
        raise ManifestRefused("`url` wasn't supplied.")
    hook = manifest.get("hook_attributes")
    if hook is not None and not (isinstance(hook, dict) and _is_url(hook.get("url"))):
        raise ManifestRefused("Hook url wasn't supplied.")
    if not _is_url(manifest.get("redirect_url")):
        raise ManifestRefused("`redirect_url` wasn't supplied.")
    return manifest


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")


def register(world: World, owner: User, name: str, manifest: Mapping[str, Any]) -> str:
    """Make the App, and return the code that its secrets are exchanged for, once. Raises ManifestRefused."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug or any(app.slug == slug for app in world.apps.values()):
        raise ManifestRefused("Name is already taken.")
    hook, (private, public) = manifest.get("hook_attributes") or {}, new_key()
    account = world.ensure_user(f"{slug}[bot]", "Bot")
    app = App(
        id=world.next_id(),
        slug=slug,
        name=name,
        owner=owner,
        created_at=now(),
        permissions={"metadata": "read", **manifest.get("default_permissions", {})},
        events=list(manifest.get("default_events", ())),
        external_url=manifest["url"],
        webhook_url=hook.get("url", "") if hook.get("active", True) else "",
        webhook_secret=secrets.token_hex(20) if hook else "",
        public_key=public,
    )
    account.app = world.apps[app.id] = app
    code = secrets.token_hex(20)
    world.registrations[code] = Registration(app=app, private_key=private, created_at=now())
    return code


def redirection(manifest: Mapping[str, Any], code: str, state: str) -> str:
    """Return where the person is led on to."""
    separator = "&" if urlsplit(manifest["redirect_url"]).query else "?"
    return f"{manifest['redirect_url']}{separator}{urlencode({'code': code, **({'state': state} if state else {})})}"


def exchange(world: World, code: str) -> Registration | None:
    """Return the registration of a code, and forget it; None for an unknown, used or old one."""
    registration = world.registrations.pop(code, None)
    return registration if registration and registration.created_at + LIFETIME > now() else None
