"""backport.yaml → Config.

Owns the keys of the configuration, their defaults and the sentence for each mistake in them. Reads one file and nothing
else. Every key is used by the program; an unknown one is an error, because a misspelt key would be a silent default.
"""

from __future__ import annotations

import difflib
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo

from bot.branch_names import is_glob, name_problem, pattern_problem, slug
from bot.errors import ConfigError
from bot.located_yaml import parse_yaml
from bot.mistakes import explain
from bot.report.templating import template_problem

FILE_NAME = "backport.yaml"


class Permission(StrEnum):
    """GitHub's levels on a repository, lowest first."""

    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def allows(self, needed: Permission) -> bool:
        """Say whether someone with this level may do what needs the other."""
        order = list(Permission)
        return order.index(self) >= order.index(needed)


def _branch_pattern(value: str) -> str:
    problem = pattern_problem(value) if is_glob(value) else name_problem(value)
    return _accept(value, problem and f"`{value}` {problem}")


def _accept(value: str, problem: str | None) -> str:
    if problem:
        raise ValueError(problem)
    return value


def _placeholders(value: str, known: tuple[str, ...], needed: tuple[str, ...]) -> str:
    used = re.findall(r"\{([^{}]*)\}", value)
    for name in used:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            names = f"did you mean `{{{near[0]}}}`?" if near else "there are " + ", ".join(f"`{{{n}}}`" for n in known)
            raise ValueError(f"`{{{name}}}` is not a placeholder: {names}")
    if not any(name in used for name in needed):
        raise ValueError("must contain " + " or ".join(f"`{{{name}}}`" for name in needed))
    return value


def _branch_template(value: str) -> str:
    known = ("number", "target", "target_slug")
    _placeholders(value, known, ("number",))
    _placeholders(value, known, ("target", "target_slug"))
    problem = name_problem(re.sub(r"\{[^{}]*\}", "x", value))
    return _accept(value, problem and f"gives a branch name that {problem}")


def _title_template(value: str) -> str:
    return _placeholders(value, ("number", "target", "title"), ("title",))


def _label_template(value: str) -> str:
    return _placeholders(value, ("target",), ("target",))


def _markdown_template(value: str, info: ValidationInfo) -> str:
    return _accept(value, template_problem(str(info.field_name), value))


def _login(value: str) -> str:
    return value.removeprefix("@")


Pattern = Annotated[str, AfterValidator(_branch_pattern)]
Login = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_login)]
Label = Annotated[str, Field(min_length=1, max_length=50)]
MarkdownTemplate = Annotated[str, AfterValidator(_markdown_template)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Permissions(_Section):
    """Who may ask for what. A level is GitHub's permission on the repository and includes every higher one."""

    backport: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport BRANCH…` and for a label that asks for one."""
    no_prove: Annotated[Permission, Field(strict=False)] = Permission.MAINTAIN
    """Needed for `--no-prove`."""
    cancel: Annotated[Permission, Field(strict=False)] = Permission.WRITE
    """Needed for `/backport cancel`."""
    status: Annotated[Permission, Field(strict=False)] = Permission.READ
    """Needed for `/backport status` and `/backport help`."""
    users: tuple[Login, ...] = Field(default=(), strict=False)
    """Logins that may ask for and cancel backports whatever their level; `--no-prove` still goes by level."""
    teams: tuple[Login, ...] = Field(default=(), strict=False)
    """Team slugs of the repository's organisation whose members may do the same."""


class Prove(_Section):
    """How a candidate is proven."""

    device: Literal["auto", "cpu", "cuda", "rocm"] = "auto"
    """Where the regression suite runs; `auto` takes a GPU where there is one."""
    timeout_minutes: Annotated[float, Field(gt=0, le=360, strict=False)] = 15
    """Minutes that one run of the suite gets at most; a base run and a candidate run get as much each."""
    required: bool = True
    """Open only what is proven. With `false`, what is not proven opens as a draft that says so."""


class Committer(_Section):
    """Whom the cherry-picked commits name as committer; their authors stay as they are."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^<>\x00-\x1f]+$")] = "backport-bot"
    """As git writes it."""
    email: Annotated[str, Field(min_length=3, pattern=r"^[^<>\s]+@[^<>\s]+$")] = "backport-bot@users.noreply.github.com"
    """As git writes it; also how the bot tells its own commits from people's."""


class Templates(_Section):
    """Markdown (Jinja2) in place of ours. The built-in ones under `bot/report/templates/` show the values at hand."""

    status: MarkdownTemplate | None = None
    """The status comment on the original pull request."""
    pull_request: MarkdownTemplate | None = None
    """The body of a backport pull request."""


class Config(_Section):
    """The whole of backport.yaml."""

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$")]
    """The repository, as `owner/name`."""
    branches: tuple[Pattern, ...] = Field(default=("release/*",), strict=False, min_length=1)
    """The stable branches, as names or globs: what `all` and `auto` mean. `*` stops at a slash, `**` does not."""
    max_targets: Annotated[int, Field(ge=1, le=50)] = 20
    """Target branches that one command may name or its globs may match."""
    branch_name: Annotated[str, AfterValidator(_branch_template)] = "backport/{number}-to-{target_slug}"
    """The backport branch. `{target_slug}` is the target with `-` for `/`; `{target}` is the target as it is."""
    title: Annotated[str, AfterValidator(_title_template)] = "[{target}] {title} (backport #{number})"
    """The title of a backport pull request."""
    labels: tuple[Label, ...] = Field(default=("backport",), strict=False)
    """Labels set on every backport pull request."""
    trigger_label: Annotated[str, AfterValidator(_label_template)] = "backport {target}"
    """A label that, put on a merged pull request, asks for a backport as the comment does."""
    permissions: Permissions = Permissions()
    """Who may ask for what."""
    patches: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), strict=False)
    """Folders of carried patches besides those that come with the bot, relative to this file."""
    prove: Prove = Prove()
    """How a candidate is proven."""
    committer: Committer = Committer()
    """Who commits the cherry-picked commits."""
    templates: Templates = Templates()
    """Texts in place of ours."""

    def backport_branch(self, number: int, target: str) -> str:
        """Return the backport branch for an original pull request and a target branch."""
        return fill(self.branch_name, number=str(number), target=target, target_slug=slug(target))


def fill(template: str, **values: str) -> str:
    """Put values in the place of `{placeholders}`; a value is never read as a template itself."""
    return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found.group(1), found.group()), template)


def load_config(path: Path) -> Config:
    """Read a configuration file; raises ConfigError with file, line, key path and what to write instead."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Check the path; the file is UTF-8 text.") from error
    return parse_config(text, name=str(path))


def parse_config(text: str, *, name: str = FILE_NAME) -> Config:
    """Read a configuration's text; `name` is the file's, for errors. Raises ConfigError."""
    source = parse_yaml(text, name=name)
    try:
        return Config.model_validate(source.data)
    except ValidationError as error:
        raise explain(error.errors()[0], Config, source, name) from None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of backport.yaml, for editors."""
    made = Config.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": FILE_NAME}
