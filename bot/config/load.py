"""The file backport.yaml: read, checked, and described for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.config.config import Config
from bot.config.validation import validate
from bot.config.yaml_source import parse_yaml
from bot.errors import ConfigError

FILE_NAME = "backport.yaml"


def load_config(path: Path) -> Config:
    """Read a configuration file; raises ConfigError with file, line, key path and what to write instead."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Check the path; the file is UTF-8 text.") from error
    return parse_config(text, name=str(path))


def parse_config(text: str, *, name: str = FILE_NAME) -> Config:
    """Read a configuration's text; `name` is the file's, for errors. Raises ConfigError."""
    return validate(Config, parse_yaml(text, name=name))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of backport.yaml, for editors."""
    document = Config.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": FILE_NAME}
