"""Write docs/reference.md from the code: `make reference`. With --check nothing is written, and a stale page an error.

Every table comes from the place where the program itself reads it; there are only headings here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

from bot.adoption.rights import APP_EVENTS, EVENTS, RIGHTS, SCOPES
from bot.cli import COMMANDS, app
from bot.commands.options import OPTIONS
from bot.commands.verbs import Verb, entry
from bot.config import Config, schema
from bot.environment.variables import FOREIGN, SECRETS, SETTINGS

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs/reference.md"
_HEAD = """# Reference

`make reference` writes this page from the code. [configuration.yaml](configuration.yaml) has each key with its default.
[Permissions](#permissions) is what the bot's account needs.
"""
_WORKFLOWS = ("backport", "sync", "regression")


def render() -> str:
    """Return the page."""
    sections = (_comments(), _labels(), _workflows(), _configuration(), _commands(), _variables(), _permissions())
    return "\n".join([_HEAD, *("\n".join(section) for section in sections)])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(_cell(text) for text in row)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _comments() -> Iterator[str]:
    yield "## Commands in a comment\n"
    yield "On a pull request, at the start of a line. The permission is the default of `permissions`.\n"
    rows = [
        (f"`{form}`", text, getattr(Config.model_fields["permissions"].default, entry(verb).permission).value)
        for verb in Verb
        for form, text in entry(verb).forms.items()
    ]
    yield from _table(("command", "what it does", "permission"), rows)
    yield from _table(("option", "what it does"), [(f"`{name}`", option.says) for name, option in OPTIONS.items()])


def _labels() -> Iterator[str]:
    yield "## Labels\n"
    keys = {key: (kind, default, text) for key, kind, default, text in _keys(schema(), schema())}
    chosen = [key for key in keys if "label" in key and not key.startswith(("sync.rules", "sync.deny", "prove"))]
    yield from _table(("key", "default", "meaning"), [(f"`{key}`", *keys[key][1:]) for key in chosen])


def _workflows() -> Iterator[str]:
    yield "## Workflows and the action\n"
    for name in _WORKFLOWS:
        path = f".github/workflows/{name}.yml"
        # YAML 1.1 reads the key `on` as true.
        called = _load(path)[True]["workflow_call"]
        yield f"### `{path}`\n"
        yield from _parameters("input", called.get("inputs", {}))
        yield from _parameters("secret", called.get("secrets", {}))
        yield from _parameters("output", called.get("outputs", {}))
    action = _load(".github/actions/backport/action.yml")
    yield f"### `.github/actions/backport`\n\n{action['description']}\n"
    yield from _parameters("input", action["inputs"])
    yield from _parameters("output", action["outputs"])


def _load(path: str) -> dict[Any, Any]:
    data: dict[Any, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return data


def _parameters(kind: str, entries: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not entries:
        return
    with_values = kind == "input"
    rows = [
        (f"`{name}`", *([_input_default(parameter)] if with_values else []), str(parameter.get("description", "")))
        for name, parameter in entries.items()
    ]
    yield from _table((kind, *(["default"] if with_values else []), "meaning"), rows)


def _input_default(parameter: Mapping[str, Any]) -> str:
    if parameter.get("required"):
        return "required"
    default = parameter.get("default", "")
    return "" if default == "" else f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _configuration() -> Iterator[str]:
    document = schema()
    yield "## Configuration\n"
    yield "The keys of `backport.yaml` on the default branch. None is required; inside a group some are.\n"
    sections: dict[str, list[Sequence[str]]] = {}
    for key, kind, default, text in _keys(document, document):
        sections.setdefault(key.partition(".")[0] if "." in key else "", []).append((f"`{key}`", kind, default, text))
    for name, rows in sections.items():
        if name:
            yield f"### `{name.removesuffix('[]')}`\n"
        yield from _table(("key", "type", "default", "meaning"), rows)


def _keys(
    section: Mapping[str, Any], document: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str, str]]:
    """Yield each key below a section of the schema: its path, type, default and documentation."""
    for name, value in section["properties"].items():
        field = _resolved(value, document)
        text = str(value.get("description") or field.get("description", ""))
        inner = _resolved(field.get("items", {}), document)
        if "properties" in field:
            yield from _keys(field, document, f"{prefix}{name}.")
            continue
        yield f"{prefix}{name}", _kind(field, document), _default(value, name in section.get("required", ())), text
        if "properties" in inner:
            yield from _keys(inner, document, f"{prefix}{name}[].")


def _resolved(field: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference; of a value that may be left empty, return what it is otherwise."""
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return _resolved({**field, **options[0], "anyOf": ()}, document)
    reference = field.get("$ref")
    if reference is None:
        return field
    target: Mapping[str, Any] = document["$defs"][reference.rpartition("/")[2]]
    return _resolved({**target, **{key: value for key, value in field.items() if key != "$ref"}}, document)


def _kind(field: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field.get("anyOf"):
        return " or ".join(_kind(_resolved(option, document), document) for option in field["anyOf"])
    kinds = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}
    match field.get("type"):
        case "array":
            return f"list of {_kind(_resolved(field['items'], document), document)}" if "items" in field else "list"
        case "object":
            return "group of keys"
        case kind:
            return kinds.get(str(kind), str(kind)) if "const" not in field else f"`{field['const']}`"


def _default(field: Mapping[str, Any], required: bool) -> str:
    if "default" not in field:
        return "required" if required else ""
    default = field["default"]
    return "none" if default is None else f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _commands() -> Iterator[str]:
    yield "## Command line\n\n`backport-bot COMMAND --help` prints the same. The exit code is 2 after an error.\n"
    group: Any = typer.main.get_command(app)
    yield from _options(group, "backport-bot")
    for name in COMMANDS:
        yield from _command(group.commands[name], f"backport-bot {name}")


def _command(command: Any, words: str) -> Iterator[str]:  # noqa: ANN401 - of typer's own copy of click
    inner = getattr(command, "commands", {})
    yield f"### `{words}`\n\n{_paragraphs(command.help or '')}\n"
    if not inner:
        yield from _options(command, words)
    for name in inner:
        yield from _command(inner[name], f"{words} {name}")


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _options(command: Any, words: str) -> Iterator[str]:  # noqa: ANN401 - as above
    context = typer.Context(command, info_name=words)
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [(f"`{record[0]}`", _default_of(record[1])) for record in records if record]
    if rows:
        yield from _table(("argument or option", "meaning"), rows)


def _default_of(text: str) -> str:
    # Otherwise `[default: …]` would be read as a link.
    return re.sub(r"\s*\[(default|required|env var)([^\]]*)\]$", r" (\1\2)", text)


def _variables() -> Iterator[str]:
    yield "## Environment variables\n\nThe bot removes secrets from its environment when it has read them.\n"
    for title, variables in (("secret", SECRETS), ("setting", SETTINGS), ("of GitHub Actions or the system", FOREIGN)):
        yield from _table((title, "meaning"), [(f"`{name}`", text) for name, text in variables.items()])


def _permissions() -> Iterator[str]:
    yield "## Permissions\n\nWhat the bot's account needs on the repository. `backport-bot doctor` checks it.\n"
    rows = [
        (
            right.title,
            right.level,
            {"given": right.level, "always": "always has it", "never": "cannot have it"}[right.workflow_run],
            right.level if right.fine_grained else "cannot have it",
            right.purpose,
            right.condition or "always",
        )
        for right in RIGHTS
    ]
    heads = ("permission", "GitHub App", "the run's own token", "fine-grained token", "for", "needed if")
    yield from _table(heads, rows)
    yield "A classic token has scopes instead:\n"
    scopes = [(f"`{scope.name}`", scope.purpose, scope.condition or "always") for scope in SCOPES]
    yield from _table(("scope", "for", "needed if"), scopes)
    events = ", ".join(f"`{event}`" for event in EVENTS)
    yield f"The webhook events of an App, or of a repository's webhook: {events}."
    hints = ", ".join(f"`{event}`" for event in APP_EVENTS if event not in EVENTS)
    yield f"With {hints} as well, a change of `backport.yaml` or of a repository's name counts at once.\n"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it; return the exit code."""
    text = render()
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{FILE.name} is not what the code says. Run `make reference`.", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
