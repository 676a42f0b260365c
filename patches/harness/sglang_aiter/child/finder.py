"""How the target's imports are answered: from the target tree, or by a stand-in where the tree has nothing to say.

Owns `sys.meta_path` for the packages of the target and for libraries that exist on a ROCm image alone. A module or a
name that the tree does not have is an ImportError, as it is for a user. One target per process.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from isolated.errors import HarnessError

from sglang_aiter.child.lazy import Namespace, Source, Unbound
from sglang_aiter.tree import PACKAGE, Tree

ROCM_ONLY = ("aiter",)
"""Libraries whose absence would send the target down another path than on its own machines.

They ask for the GPU's driver when they are imported. So a process without a GPU does not import them, even where they
are installed.
"""


class LazyModule(ModuleType):
    """A module of the target, alive name by name; `stand_ins` replace what only a running server could answer."""

    def __init__(self, name: str, path: Path, stand_ins: Mapping[str, Any]) -> None:
        super().__init__(name)
        self._source, self._stand_ins = Source.of(path), stand_ins

    def start(self) -> None:
        """Take over what the import system has set."""
        self._namespace = Namespace(self._source, self)
        for name, value in self._stand_ins.items():
            if self._source.binding(name):
                self._namespace[name] = value

    def __getattr__(self, name: str) -> Any:
        namespace = self.__dict__.get("_namespace")
        if namespace is None or name.startswith("__"):
            raise AttributeError(name)
        try:
            return namespace[name]
        except Unbound:
            raise AttributeError(f"module {self.__name__!r} of the target has no attribute {name!r}") from None


class Absent:
    """A name of a library that is not here. It can be passed around; using it is the harness's limit, not a finding."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_args: object, **_kwargs: object) -> Any:
        raise HarnessError(f"The target calls {self._name}, which is not installed here and has no stand-in.")


class AbsentModule(ModuleType):
    """A library that is not here; every name in it can be imported."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(f"{self.__name__}.{name}")


class TargetFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers imports of the target's packages and of what is missing; `provenance` says how each was answered."""

    def __init__(self, tree: Tree, whole: Sequence[str], stand_ins: Mapping[str, Any], *, gpu: bool) -> None:
        self.tree, self.provenance = tree, dict[str, str]()
        self._whole, self._stand_ins = frozenset(whole), stand_ins
        self._absent = tuple(name for name in ROCM_ONLY if not gpu or importlib.util.find_spec(name) is None)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Claim every module of the target's package, so that an installed sglang never answers for the tree."""
        root = fullname.partition(".")[0]
        if root in self._absent:
            self.provenance[fullname] = "stand-in"
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if root != PACKAGE:
            return None
        found = self.tree.find(fullname)
        if found is None:
            return None
        if fullname in self._whole:
            self.provenance[fullname] = "target tree, whole"
            return importlib.util.spec_from_file_location(fullname, found)
        self.provenance[fullname] = "target tree, by name"
        package = found.is_dir() or found.name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=str(found), is_package=package)
        spec.has_location = found.is_file()
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the module that answers for `spec`."""
        if spec.origin is None:
            return AbsentModule(spec.name)
        return LazyModule(spec.name, Path(spec.origin), self._stand_ins)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing yet."""
        if isinstance(module, LazyModule):
            module.start()


def install(tree: Tree, *, whole: Sequence[str], stand_ins: Mapping[str, Any], gpu: bool = True) -> TargetFinder:
    """Answer imports of `tree` from now on. `whole` names the modules that run as they are."""
    if any(name.partition(".")[0] == PACKAGE for name in sys.modules):
        raise HarnessError(f"{PACKAGE} was imported before the target was chosen.")
    finder = TargetFinder(tree, whole, stand_ins, gpu=gpu)
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    return finder
