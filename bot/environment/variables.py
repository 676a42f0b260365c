"""The environment variables that the bot reads, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping

SECRETS: Mapping[str, str] = {
    "BACKPORT_BOT_TOKEN": "The token of the bot's account.",
    "BACKPORT_BOT_APP_ID": "The id of a GitHub App, in place of a token.",
    "BACKPORT_BOT_PRIVATE_KEY": "The App's private key (PEM); `\\n` stands for a line's end.",
    "BACKPORT_BOT_SECRET": "The secret of the webhooks.",
    "BACKPORT_BOT_OLD_SECRET": "The earlier secret of the webhooks, which is still believed while it is exchanged.",
    "BACKPORT_BOT_DATABASE": "The address of the service's PostgreSQL, as `--database` takes it, with a password.",
    "BACKPORT_BOT_SIGNING_SECRET": "Signs what the bot must believe later of its own comments; long and random. "
    "Without it an App signs with its key, and a service with the webhooks' secret.",
    "BACKPORT_BOT_CLIENT_ID": "The client id of the GitHub App, with which people sign in to the service's pages.",
    "BACKPORT_BOT_CLIENT_SECRET": "A client secret of that App.",
}
SETTINGS: Mapping[str, str] = {
    "BACKPORT_BOT_LOGIN": "The login of the bot's account, if its token does not reveal it.",
    "BACKPORT_BOT_PLAN_SEAL": "The seal that `stage plan` printed.",
    "BACKPORT_BOT_SEAL": "The seal that `stage seal` printed.",
    "BACKPORT_BOT_EVIDENCE_URL": "The URL of the page with the proofs' reports.",
    "BACKPORT_BOT_CACHE": "The folder of what can be made or fetched again.",
    "BACKPORT_BOT_TMP": "The folder of temporary folders, also for containers.",
    "BACKPORT_BOT": "The command of a bot that a runner's image brings: the action installs none.",
}
FOREIGN: Mapping[str, str] = {
    "GITHUB_API_URL": "The URL of GitHub's API.",
    "GH_TOKEN": "A token, as the `gh` program takes it, for `backport` without BACKPORT_BOT_TOKEN.",
    "GITHUB_TOKEN": "The same, after GH_TOKEN.",
    "GITHUB_REPOSITORY": "The repository, if backport.yaml does not name it.",
    "GITHUB_EVENT_NAME": "The name of the event that a CI run begins with.",
    "GITHUB_EVENT_PATH": "The file with the event's payload.",
    "GITHUB_OUTPUT": "The file that a stage writes its outputs to.",
    "GITHUB_RUN_ID": "The workflow run that serves a request.",
    "GITHUB_STEP_SUMMARY": "The file that `sync` adds its summary to.",
    "RUNNER_TEMP": "The folder of temporary folders and of the cache on a runner.",
    "XDG_CACHE_HOME": "The user's folder of caches.",
    "RUSTUP_HOME": "The folder of Rust's toolchains, which tests of Rust read.",
    "JAVA_HOME": "The folder of Java, which tests of Java read.",
}
"""Set by GitHub Actions, or by the user's system."""
