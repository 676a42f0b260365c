"""What a function leaves behind, worked out from its source: known values, and honest unknowns."""

from __future__ import annotations

import ast
import textwrap

import pytest

from bot.carried.check_measures import MeasureResult, parameter_names, take
from bot.carried.module_scope import ModuleScope
from bot.carried.schema_code import FunctionReference, Measure

_REFERENCE = FunctionReference.model_validate({"file": "f", "class": "C", "name": "f", "parameters": ["n", "given"]})


def _measure(body: str, expect: str, *, remainder: str = "", top: str = "") -> MeasureResult:
    method = textwrap.indent(f"def f(self, n, given=None):\n{textwrap.indent(body, '    ')}", "    ")
    module = ast.parse(f"import torch\n{top}\nclass C:\n{method}\n{textwrap.indent(remainder, '    ')}\n")
    samples = {"n": (4,), "self.page": (16,)}
    measure = Measure(function="f", samples=samples, expect=expect, says="")
    return take(module, ModuleScope.of(module, "C"), measure, _REFERENCE)


HOLDS = {
    "arithmetic": ("self.x = -(-100 // self.page) * n + 2 ** 0 - 1 if False else 7 * n", "self.x == 28"),
    "tuple unpacking": ("a, (b, c) = 1, (2, n)\nself.x = a + b + c", "self.x == 7"),
    "default parameter": ("self.x = plus(n)", "self.x == 5"),
    "own helper": ("self.x = twice(n)", "self.x == 8"),
    "own method": ("self.fill(n)", "self.x == 5"),
    "own property": ("self.x = self.double_page", "self.x == 32"),
    "constant of the module": ("self.x = LIMIT * n", "self.x == 40"),
    "early return": ("self.x = n\nif n == 4:\n    return\nself.x = 0", "self.x == 4"),
    "raise is no end": ("self.x = n\nif unknowable():\n    raise ValueError", "self.x == 4"),
    "both branches agree": ("if unknowable():\n    self.x = n\nelse:\n    self.x = 4", "self.x == 4"),
    "unknown or true": ("self.x = 1 if (unknowable() or n) else 2", "self.x == 1"),
    "walrus": ("self.x = (m := n) + m", "self.x == 8"),
    "set by name": ("setattr(self, 'x', getattr(self, 'page') if hasattr(self, 'page') else 0)", "self.x == 16"),
    "tensor": (
        "self.x = torch.zeros((n, 3), dtype=torch.int).to('cuda').view(-1)",
        "self.x.numel() == 12 and self.x.dtype == torch.int32 and len(self.x.shape) == 1",
    ),
    "local import": ("import torch as th\nself.x = th.empty(n)", "self.x.dtype == torch.float32"),
    "separate": ("self.x = torch.ones(4)\nself.y = torch.ones(4)", "separate(self.x, self.y)"),
}
_REST = "def fill(self, m):\n    self.x = m + 1\n@property\ndef double_page(self):\n    return 2 * self.page"
_TOP = "LIMIT = 10\ndef twice(a):\n    return 2 * a\ndef plus(a, b=1):\n    return a + b"


@pytest.mark.parametrize(("body", "expect"), HOLDS.values(), ids=HOLDS.keys())
def test_is_known(body: str, expect: str) -> None:
    result = _measure(body, expect, remainder=_REST, top=_TOP)
    assert result.holds is True, result.detail


UNKNOWN = {
    "branches differ": "if unknowable():\n    self.x = 1\nelse:\n    self.x = 4",
    "one branch only": "if unknowable():\n    self.x = 4",
    "loop": "self.x = 0\nfor i in range(4):\n    self.x = i",
    "while": "self.x = 4\nwhile unknowable():\n    self.x += 1",
    "try": "try:\n    self.x = 4\nexcept Exception:\n    pass",
    "match": "match n:\n    case 4:\n        self.x = 4",
    "exception handler": "self.x = 4\ntry:\n    pass\nexcept Exception:\n    self.x = 5",
    "inherited method": "self.x = 4\nself.change()",
    "foreign function": "self.x = 4\nchange(self)",
    "foreign value": "self.x = make()",
    "deleted": "self.x = 4\ndel self.x",
    "closure": "self.x = 4\ndef g():\n    self.x = 5\ng()",
    "endless": "self.x = self.again()",
    "never set": "pass",
    "not given": "self.x = given or 4",
    "own name shadowed": "self.x = 4\nself.x = LIMIT2",
}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_is_not_guessed(body: str) -> None:
    top = "LIMIT2 = 4\nif unknowable():\n    LIMIT2 = 5"
    result = _measure(body, "self.x == 4", remainder="def again(self):\n    return self.again()", top=top)
    assert result.holds is None, result.detail


def test_one_failing_sample_decides_over_unknown_ones() -> None:
    module = ast.parse("class C:\n    def f(self, n):\n        self.x = n if n == 1 else make()\n")
    measure = Measure(function="f", samples={"n": (2, 1)}, expect="self.x > 1", says="")
    result = take(module, ModuleScope.of(module, "C"), measure, _REFERENCE)
    assert result.holds is False
    assert "n=1" in result.detail


def test_parameters_are_found_by_name_and_else_by_position() -> None:
    function = ast.parse("def f(me, new, n, other): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert parameter_names(function, _REFERENCE) == {"self": "me", "n": "n"}
    function = ast.parse("def f(me, count, buf): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert parameter_names(function, _REFERENCE) == {"self": "me", "n": "count", "given": "buf"}


def test_a_function_defined_twice_is_not_measured() -> None:
    module = ast.parse("class C:\n    def f(self, n): self.x = 1\n    def f(self, n): self.x = 2\n")
    measure = Measure(function="f", samples={"n": (1,)}, expect="self.x == 2", says="")
    assert take(module, ModuleScope.of(module, "C"), measure, _REFERENCE).holds is None
