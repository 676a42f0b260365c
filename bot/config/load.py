"""The file backport.yaml: read, checked, and described for editors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.config.config import Config
from bot.config.validation import validate
from bot.config.yaml_source import parse_yaml
from bot.errors import ConfigError

FILE_NAME = "backport.yaml"


def load_config(path: Path, *, repository: str = "") -> Config:
    """Read a configuration file; raises ConfigError with file, line, key path and what to write instead.

    `repository` is the value of that key in a file that lacks it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Check the path; the file is UTF-8 text.") from error
    return parse_config(text, name=str(path), repository=repository)


def parse_config(text: str, *, name: str = FILE_NAME, repository: str = "") -> Config:
    """Read a configuration's text; `name` is the file's, for errors. `repository` as above. Raises ConfigError."""
    source = parse_yaml(text, name=name)
    if repository and "repository" not in source.data:
        source = replace(source, data={**source.data, "repository": repository})
    return validate(Config, source)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of backport.yaml, for editors. A file may leave out every key."""
    document = Config.model_json_schema(mode="validation")
    del document["required"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": FILE_NAME}
