"""Reads backport.yaml into a `Config`: its keys, their defaults, and the wording of mistakes.

The program uses each key. An unknown key is an error, because a misspelt key would silently have its default.
"""

from bot.config.config import Config
from bot.config.elsewhere import OtherRepository
from bot.config.load import FILE_NAME, load_config, parse_config, schema
from bot.config.permissions import Permission, Permissions
from bot.config.pick import PickConfig
from bot.config.prove import ProveConfig
from bot.config.publish import CommitOptions, Committer, Publish, Templates
from bot.config.sync import Conditions, Refusal, Rule, Sync

__all__ = [
    "FILE_NAME",
    "CommitOptions",
    "Committer",
    "Conditions",
    "Config",
    "OtherRepository",
    "Permission",
    "Permissions",
    "PickConfig",
    "ProveConfig",
    "Publish",
    "Refusal",
    "Rule",
    "Sync",
    "Templates",
    "load_config",
    "parse_config",
    "schema",
]
