"""Makes mutants: each changes one expression or statement in a way in which a fix may be wrong.

The operators know Python's syntax and no target project: names come from the function that they change.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from bot.mutation.patched_source import PatchedFile

_SWAPPED_OPERATORS: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-", "*"),
    ast.Sub: ("+",),
    ast.Mult: ("+", "//"),
    ast.FloorDiv: ("*", "%"),
    ast.Mod: ("//",),
}
_SWAPPED_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}
_DTYPES = ("torch.int64", "torch.int16", "torch.float32")
_SPECIAL = ("{size} == 16", "{size} in (1, 16, 64)", "{size} <= 64", "not is_hip()")
_LIMITS = ("min({}, 64)", "max({}, 64)", "({} if not is_hip() else 1)")


@dataclass(frozen=True, slots=True)
class Mutation:
    """A changed file, and in words what was changed. `kind` is one of the words in `KINDS`."""

    kind: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: `{_short(self.before)}` → `{_short(self.after)}`"


KINDS = (
    "operator", "operand", "constant", "condition", "comparison", "dropped statement", "repeated statement",
    "special case", "limit", "swapped names", "dtype", "device", "slice", "copy",
)  # fmt: skip


def mutations(patched_file: PatchedFile) -> Iterator[Mutation]:
    """Yield every change of what a patch wrote, each once, that is still Python."""
    sources = {patched_file.after}
    for statement in patched_file.statements():
        for kind, node, text in _changes(patched_file, statement):
            source = patched_file.replace_text(node, text)
            if source not in sources and patched_file.parses(node, source):
                sources.add(source)
                yield Mutation(kind, node.lineno, patched_file.text(node), text, source)


_Change = tuple[str, ast.expr | ast.stmt, str]


def _changes(patched_file: PatchedFile, statement: ast.stmt) -> Iterator[_Change]:
    yield from _of_statement(patched_file, statement)
    if isinstance(statement, ast.If):
        yield from _of_condition(patched_file, statement.test)
        roots: list[ast.AST] = [statement.test]
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return):
        roots = [statement.value] if statement.value else []
        if isinstance(statement, ast.Assign):
            yield from _of_target(patched_file, statement)
    else:
        roots = []
    names = _names(patched_file, statement)
    for root in roots:
        for node in ast.walk(root):
            if isinstance(node, ast.expr):
                yield from _of_expression(patched_file, node, names)
                yield from _of_size(patched_file, node, root)


def _of_statement(patched_file: PatchedFile, node: ast.stmt) -> Iterator[_Change]:
    text = patched_file.text(node)
    pad = " " * node.col_offset
    yield "dropped statement", node, "pass"
    yield "repeated statement", node, f"{text}\n{pad}{text}"
    for test in _SPECIAL:
        size = next(
            (name for name in ("self.page_size", "max_bs", "bs") if name in _function_text(patched_file, node)), "bs"
        )
        inner = textwrap.indent(text, "    ").lstrip()
        yield "special case", node, f"if {test.format(size=size)}:\n{pad}    {inner}"


def _function_text(patched_file: PatchedFile, node: ast.stmt) -> str:
    function = patched_file.function_of(node)
    return patched_file.text(function) if function else ""


def _of_condition(patched_file: PatchedFile, test: ast.expr) -> Iterator[_Change]:
    text = patched_file.text(test)
    yield "condition", test, "True"
    yield "condition", test, "False"
    yield "condition", test, f"not ({text})"
    for special in ("self.page_size > 1", "self.page_size == 16", "not is_hip()"):
        yield "condition", test, f"{text} and {special}"


def _of_target(patched_file: PatchedFile, node: ast.Assign) -> Iterator[_Change]:
    """Assign to another attribute that the function sets, and keep a copy of what is only read."""
    if isinstance(node.value, ast.Attribute | ast.Subscript):
        yield "copy", node.value, f"{patched_file.text(node.value)}.clone()"
    if isinstance(node.value, ast.Attribute):
        for limit in ("[:1]", "[:4]", "[1:]"):
            yield "slice", node.value, f"{patched_file.text(node.value)}{limit}"


def _of_expression(patched_file: PatchedFile, node: ast.expr, names: frozenset[str]) -> Iterator[_Change]:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for word in _SWAPPED_OPERATORS.get(type(op), ()):
                yield "operator", node, f"({patched_file.text(left)} {word} {patched_file.text(right)})"
            yield "operand", node, patched_file.text(left)
            yield "operand", node, patched_file.text(right)
        case ast.BoolOp(values=values):
            yield from (("operand", node, patched_file.text(value)) for value in values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            words = _SWAPPED_COMPARISONS.get(type(op), ())
            yield from (
                ("comparison", node, f"{patched_file.text(left)} {word} {patched_file.text(right)}") for word in words
            )
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield from (("constant", node, str(number)) for number in (value + 1, value - 1, 0, 64))
        case ast.Slice(upper=ast.expr() as upper):
            limits = (f"{patched_file.text(upper)} - 1", "1", f"min({patched_file.text(upper)}, 4)")
            yield from (("slice", upper, limit) for limit in limits)
        case ast.Call(keywords=keywords):
            yield from _of_keywords(patched_file, keywords)
        case ast.Name() | ast.Attribute():
            yield from _of_name(patched_file, node, names)


def _of_keywords(patched_file: PatchedFile, keywords: list[ast.keyword]) -> Iterator[_Change]:
    for keyword in keywords:
        text = patched_file.text(keyword.value)
        if keyword.arg == "dtype":
            yield from (("dtype", keyword.value, second_name) for second_name in _DTYPES if second_name != text)
        if keyword.arg == "device":
            yield "device", keyword.value, '"cpu"'
            yield "device", keyword.value, "None"


def _of_name(patched_file: PatchedFile, node: ast.Name | ast.Attribute, names: frozenset[str]) -> Iterator[_Change]:
    text = patched_file.text(node)
    if text not in names:
        return
    kinds = {name for name in names if name != text and _alike(name, text)}
    yield from (("swapped names", node, name) for name in sorted(kinds))


def _of_size(patched_file: PatchedFile, node: ast.expr, root: ast.AST) -> Iterator[_Change]:
    """Limit what is calculated with: an operand, or the whole of it."""
    inside = [
        child
        for parent in ast.walk(root)
        if isinstance(parent, ast.BinOp | ast.Tuple)
        for child in ast.iter_child_nodes(parent)
    ]
    if isinstance(node, ast.Name | ast.Attribute | ast.BinOp) and node in inside:
        yield from (("limit", node, limit.format(patched_file.text(node))) for limit in _LIMITS)


def _names(patched_file: PatchedFile, statement: ast.stmt) -> frozenset[str]:
    """Return what the statement's function calculates with: its parameters and attributes of the instance."""
    function = patched_file.function_of(statement)
    if function is None:
        return frozenset()
    functions = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    names = {argument.arg for argument in function.args.args[1:]}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            names.update([ast.unparse(node)] if id(node) not in functions else [])
    return frozenset(names)


def _alike(name: str, second_name: str) -> bool:
    """Say whether two names may be taken for each other: both buffers, or both sizes, judged by their words."""
    return {_word(name), _word(second_name)} in ({"buffer"}, {"size"})


def _word(name: str) -> str:
    last = name.rpartition(".")[2]
    if last.endswith(("_table", "_indices", "_indptr", "_buf", "indptr_", "_len_buffer")):
        return "buffer"
    if last.startswith(("max_", "num_", "bs")) or last.endswith(("_size", "_len", "_bs", "_tokens")):
        return "size"
    return ""


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 90 else f"{words[:60]} … {words[-25:]}"
