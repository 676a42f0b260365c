"""The names that a function of the target sees in its own file: constants, functions, methods and initial attributes.

A name has a value only if exactly one statement sets it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from bot.carried.abstract_values import Symbol
from bot.carried.conditional_values import Value

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class ModuleScope:
    """The scope of a function's file: read once, shared by all samples."""

    globals: Mapping[str, Value]
    functions: Mapping[str, Function]
    methods: Mapping[str, Function]
    initials: Mapping[str, ast.expr]
    results: dict[object, object] = field(default_factory=dict, compare=False)
    """Results of functions that were interpreted already, for other expectations about them."""

    @classmethod
    @lru_cache(maxsize=4)  # each patch of a file asks for those of the same class
    def of(cls, module: ast.Module, class_name: str | None) -> ModuleScope:
        """Collect a module's constants and functions, a class's methods, and attributes that only `__init__` sets."""
        owner = next((n for n in module.body if isinstance(n, ast.ClassDef) and n.name == class_name), None)
        methods = {node.name: node for node in (owner.body if owner else ()) if isinstance(node, Function)}
        functions = {node.name: node for node in module.body if isinstance(node, Function)}
        return cls(_globals(module), functions, methods, _initials(methods))


def parameters(function: Function) -> list[ast.arg]:
    """Return the parameters that can be given by position."""
    return [*function.args.posonlyargs, *function.args.args]


def import_symbols(node: ast.Import | ast.ImportFrom) -> dict[str, Value]:
    if isinstance(node, ast.Import):
        return {
            a.asname or a.name.partition(".")[0]: Symbol(a.name if a.asname else a.name.partition(".")[0])
            for a in node.names
        }
    return {alias.asname or alias.name: Symbol(f"{node.module or ''}.{alias.name}") for alias in node.names}


def _globals(module: ast.Module) -> dict[str, Value]:
    """Return the module's own imports, and the constants that no other statement sets."""
    constants: dict[str, Value] = {}
    stores: Counter[str] = Counter()
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            constants.update(import_symbols(node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stores[node.id] += 1
        elif not isinstance(node, Function | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    for node in module.body:
        match node:
            # Another assignment, also inside a loop or an `if`, would make the value uncertain.
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)) if stores[name] == 1:
                constants[name] = value
    return constants


def _initials(methods: Mapping[str, Function]) -> Mapping[str, ast.expr]:
    """Return the value of each attribute that one plain assignment in `__init__` sets and nothing else does."""
    stores = Counter(
        node.attr
        for method in methods.values()
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    )
    init = methods.get("__init__")
    return {
        node.targets[0].attr: node.value
        for node in (init.body if init else ())
        if isinstance(node, ast.Assign) and len(node.targets) == 1
        if isinstance(node.targets[0], ast.Attribute) and stores[node.targets[0].attr] == 1
    }
