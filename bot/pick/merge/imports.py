"""Proposals for Python imports: the names of a statement are merged as a set, wrapped as on the target.

They apply only if both sides consist of import statements.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from bot.pick.merge.regions import LineRegion, Lines

# black's default: https://black.readthedocs.io/en/stable/the_black_code_style/current_style.html#line-length
_WIDTH = 88
_ONE_LINE = re.compile(rb"^(?P<head>[ \t]*from\s+\S+\s+import\s+)(?P<names>[^()#\n\\]+)(?P<tail>\s*(?:#[^\n]*)?\n)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One import statement of a region. `module` is its key; a plain `import x` is keyed by its whole text."""

    module: bytes
    names: tuple[bytes, ...]
    lines: Lines


def merge_imports(region: LineRegion) -> Lines | None:
    """Add the original's new imports to the target's and remove those that it removes."""
    sides = [_statements(side) for side in (region.base, region.ours, region.theirs)]
    if any(side is None for side in sides):
        return None
    base, ours, theirs = (side or [] for side in sides)
    # With two statements of one module it is unknown which of them to extend.
    if not theirs or len({statement.module for statement in ours}) < len(ours):
        return None
    result = {statement.module: statement for statement in ours}
    order = [statement.module for statement in ours]
    before = {statement.module: statement for statement in base}
    after = {statement.module: statement for statement in theirs}
    for module, statement in after.items():
        original_base = before.get(module)
        new_names = [name for name in statement.names if original_base is None or name not in original_base.names]
        old_names = [name for name in (original_base.names if original_base else ()) if name not in statement.names]
        if module in result:
            result[module] = _with_names(result[module], statement, new_names, old_names)
        elif original_base is None:
            order.insert(_place(order, list(after), module), module)
            result[module] = statement
        # The original adds names to a statement that the target does not have.
        elif new_names:
            return None
    modules = [module for module in order if module in after or module not in before]
    return tuple(line for module in modules for line in result[module].lines)


def _place(order: list[bytes], theirs: list[bytes], module: bytes) -> int:
    index = theirs.index(module)
    for follower in theirs[index + 1 :]:
        if follower in order:
            return order.index(follower)
    for leader in reversed(theirs[:index]):
        if leader in order:
            return order.index(leader) + 1
    return next((index for index, neighbour in enumerate(order) if neighbour > module), len(order))


def _with_names(ours: Statement, theirs: Statement, new_names: list[bytes], old_names: list[bytes]) -> Statement:
    names = [name for name in ours.names if name not in old_names]
    for name in new_names:
        if name not in names:
            names.insert(_place(names, list(theirs.names), name), name)
    return ours if tuple(names) == ours.names else Statement(ours.module, tuple(names), _write(ours, names))


def _write(ours: Statement, names: list[bytes]) -> Lines:
    if not names:
        return ()
    single_line = _ONE_LINE.match(ours.lines[0]) if len(ours.lines) == 1 else None
    head = ours.lines[0].partition(b" import ")[0] + b" import "
    if single_line:
        line = head + b", ".join(names) + single_line["tail"]
        if len(line) <= _WIDTH + 1:
            return (line,)
    if len(ours.lines) > 2 and all(line.strip().rstrip(b",") in ours.names for line in ours.lines[1:-1]):
        blank = re.match(rb"[ \t]*", ours.lines[1])
        indent = blank.group() if blank else b"    "
        return (ours.lines[0], *(indent + name + b",\n" for name in names), ours.lines[-1])
    return (head + b"(\n", *(b"    " + name + b",\n" for name in names), b")\n")


def _statements(lines: Lines) -> list[Statement] | None:
    """Return the import statements of the lines, or None if there is anything else."""
    text = b"".join(lines)
    if b"import" not in text:
        return None if text.strip() else []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    statements = []
    line_index = 0
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or node.end_lineno is None:
            return None
        # Comments and other code between the statements would get lost.
        if b"".join(lines[line_index : node.lineno - 1]).strip():
            return None
        statement_lines = lines[line_index : node.end_lineno]
        line_index = node.end_lineno
        names = tuple((f"{n.name} as {n.asname}" if n.asname else n.name).encode() for n in node.names)
        if isinstance(node, ast.ImportFrom):
            statements.append(
                Statement(b"from " + b"." * node.level + (node.module or "").encode(), names, statement_lines)
            )
        else:
            statements.append(Statement(b"import " + b",".join(names), (), statement_lines))
    return None if b"".join(lines[line_index:]).strip() else statements
