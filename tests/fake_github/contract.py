"""GitHub's official OpenAPI description, and how an answer of the fake GitHub differs from it in status and body."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs

from bot.fake_github.middleware import Exchange

PREFIX = "/api/v3"
# Parameters whose values hold slashes: refs, branches, paths, labels.
_LONG = {"ref", "path", "branch", "basehead", "name"}
# Where the description is wrong: the head repository is null once a fork is deleted, and a label need not have a
# description. Of an installation's account the list wants that it is a user and an enterprise as well; the
# description of a single one, which the same function makes, has it right.
_MISTAKES = re.compile(
    r"(\d+/)?(head/repo: null|labels/\d+/description: null) is not of type .*|\d+/account: \{.*", re.DOTALL
)
# What GitHub answers everywhere, though its description lists it for some operations only.
_EVERYWHERE = {400, 401, 403, 404, 405, 409, 422}


def as_unions(node: Any) -> Any:
    """Turn OpenAPI's `nullable` into what JSON Schema knows."""
    if isinstance(node, list):
        return [as_unions(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: as_unions(value) for key, value in node.items() if key not in {"example", "examples"}}
    if node.pop("nullable", None) is not True:
        return node
    if "enum" in node:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("type"), str):
        return {**node, "type": [node["type"], "null"]}
    return {"anyOf": [node, {"type": "null"}]}


class Contract:
    """The description, ready to judge."""

    def __init__(self, node_modules: Path) -> None:
        text = (node_modules / "@octokit/openapi/generated/api.github.com.json").read_text()
        self._document = as_unions(json.loads(text))
        self._registry = jsonschema_rs.Registry([("urn:github", self._document)], draft=jsonschema_rs.Draft4)
        self._validators: dict[str, Any] = {}
        self._operations = sorted(
            ((_specificity(path), method.upper(), _pattern(path), path, operation)
             for path, item in self._document["paths"].items()
             for method, operation in item.items()
             if method in {"get", "post", "put", "patch", "delete"}),
            key=lambda item: item[0],
        )  # fmt: skip

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """Find the operation that a request means: the one with the fewest parameters."""
        for _, verb, pattern, template, operation in self._operations:
            if verb == method and pattern.fullmatch(path):
                return template, operation
        return None

    def problems(self, exchange: Exchange) -> list[str]:
        """List how an answer differs from what GitHub describes."""
        path = exchange.url.partition("?")[0].removeprefix(PREFIX).rstrip("/")
        summary = f"{exchange.method} {exchange.url} → {exchange.status}"
        match = self.operation(exchange.method, path)
        if match is None:
            return [] if exchange.status == 404 else [f"{summary}: GitHub has no such operation"]
        template, operation = match
        response = operation["responses"].get(str(exchange.status))
        pointer = f"urn:github#/paths/{_escape(template)}/{exchange.method.lower()}/responses/{exchange.status}"
        if response and "$ref" in response:
            pointer = f"urn:github{response['$ref']}"
            response = self._document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if response is None and exchange.status not in _EVERYWHERE:
            return [f"{summary}: GitHub answers {sorted(operation['responses'])}"]
        if "application/json" in (response or {}).get("content", {}):
            return self._invalid(summary, f"{pointer}/content/application~1json/schema", exchange)
        if exchange.status >= 400:
            return self._invalid(summary, "urn:github#/components/schemas/basic-error", exchange)
        return [f"{summary}: GitHub sends no JSON here"] if exchange.body.strip() not in {b"", b"{}"} else []

    def _invalid(self, summary: str, pointer: str, exchange: Exchange) -> list[str]:
        if pointer not in self._validators:
            self._validators[pointer] = jsonschema_rs.Draft4Validator(
                {"$ref": pointer}, registry=self._registry, validate_formats=True
            )
        errors = self._validators[pointer].iter_errors(json.loads(exchange.body))
        messages = [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]
        return [f"{summary}: {text}" for text in messages if not _MISTAKES.fullmatch(text)][:5]


def _specificity(path: str) -> tuple[int, int]:
    return (path.count("{"), -len(path))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    text = re.escape(parts[0])
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        text += (".+" if name in _LONG else "[^/]+") + re.escape(literal)
    return re.compile(text)


def _escape(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
