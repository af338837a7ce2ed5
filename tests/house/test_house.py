"""The house rules that a machine can hold."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from symposia.hookspecs import SymposiaSpec

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "graphs", "plugins")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = ("litellm", "langgraph", "chromadb", "torch", "xllamacpp", "wordllama", "transformers", "ray", "vllm")
HOOKS = sorted(name for name in vars(SymposiaSpec) if name.startswith(("register_", "resolve_", "on_")))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_fit_on_a_screen_or_few(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350, f"{path} is longer than 350 lines"
    for function in functions(ast.parse(text)):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 50, f"{path}:{function.lineno} {function.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_left_to_do(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b", text)
    names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)}
    vague = [n for n in names if re.search(r"(Manager|Handler|Helper|Utils?)$|^Base[A-Z]", n)]
    assert vague == []


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after running some code."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import symposia; symposia.hookimpl; symposia.Offer; symposia.Recipe; symposia.Host()",
        "import symposia.cli.main",
        "import symposia.engine",
    ],
)
def test_imports_are_light(code: str) -> None:
    assert loaded_by(code) & set(HEAVY) == set()


def test_importing_the_package_alone_loads_not_even_pydantic() -> None:
    assert loaded_by("import symposia") & {"pydantic", "numpy", "sqlalchemy", "aiohttp", *HEAVY} == set()


def test_public_names_are_sorted_few_and_there() -> None:
    import symposia

    assert symposia.__all__ == sorted(symposia.__all__)
    assert len(symposia.__all__) <= 40
    for name in symposia.__all__:
        assert getattr(symposia, name) is not None


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_tested(hook: str) -> None:
    tests = (ROOT / "tests/unit/host/test_hooks.py").read_text(encoding="utf-8")
    assert f"def test_hook_{hook}(" in tests


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_signature(hook: str) -> None:
    names = [name for name in inspect.signature(getattr(SymposiaSpec, hook)).parameters if name != "self"]
    page = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    assert f"`{hook}({', '.join(names)})`" in page
    assert inspect.getdoc(getattr(SymposiaSpec, hook)), f"{hook} has no docstring"


def test_every_folder_of_built_ins_has_an_entry_point() -> None:
    named = {entry.value for entry in entry_points(group="symposia") if entry.value.startswith("symposia_plugins")}
    folders = {
        f"symposia_plugins.{path.parent.name}" for path in (ROOT / "plugins/symposia_plugins").glob("*/__init__.py")
    }
    assert named == folders, "a folder of built-ins and the entry points in pyproject.toml differ: reinstall"


def test_outer_folders_are_never_imported_through() -> None:
    assert not {"core", "graphs", "plugins"} & set(sys.modules)


def test_langgraph_is_imported_only_by_the_graphs() -> None:
    for path in MODULES:
        if "symposia_graphs" not in path.parts:
            assert not re.search(r"^\s*(from|import) langgraph", path.read_text(encoding="utf-8"), re.M), path


def test_test_modules_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
