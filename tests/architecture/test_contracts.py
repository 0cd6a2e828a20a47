# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a program can check."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ostrya.errors
from ostrya.errors import OstryaError

TOP = Path(__file__).resolve().parents[2]
SRC = TOP / "src" / "ostrya"
MODULES = sorted(p for p in SRC.rglob("*.py"))
MODULE_LINES = 400
ROOMS_WITHOUT_DEEDS = {"__init__.py", "__main__.py"}


def dotted(path: Path) -> str:
    relative = path.relative_to(SRC.parent).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    return ".".join(parts)


def short(path: Path) -> str:
    return str(path.relative_to(SRC))


def test_import_contracts_hold():
    done = subprocess.run(
        [sys.executable, TOP / "tools" / "lint_imports.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_every_file_says_its_licence_first(path):
    assert path.read_text().startswith("# SPDX-License-Identifier: Apache-2.0\n")


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_modules_are_small(path):
    assert len(path.read_text().splitlines()) <= MODULE_LINES


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=short)
def test_rooms_are_docstrings(path):
    """A package runs nothing when imported, and says in half a page what it is."""
    body = ast.parse(path.read_text()).body
    assert ast.get_docstring(ast.parse(path.read_text()))
    allowed = (ast.Expr,) if path.parent != SRC else (ast.Expr, ast.Assign)
    assert all(isinstance(node, allowed) for node in body)


def covered_by(path: Path) -> list[Path]:
    """Where a module's unit tests may be: by its own name, or a part of it, in its room's folder."""
    relative = path.relative_to(SRC)
    folder = TOP / "tests" / "unit" / relative.parent
    return [
        p for p in folder.rglob("test_*.py") if p.stem.startswith(f"test_{path.stem.strip('_')}")
    ]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.name not in ROOMS_WITHOUT_DEEDS], ids=short
)
def test_every_module_has_a_unit_test(path):
    assert covered_by(path), f"no tests/unit/{path.relative_to(SRC).parent}/test_{path.stem}.py"


def error_classes() -> list[type[OstryaError]]:
    """Every error class of the house."""
    for path in MODULES:
        if path.name != "__main__.py":
            importlib.import_module(dotted(path))
    found, pending = [], [OstryaError]
    while pending:
        current = pending.pop()
        found.append(current)
        pending += current.__subclasses__()
    return [error for error in found if error.__module__.startswith("ostrya.")]


def drawn_families() -> dict[str, int]:
    """Names and numbers of the drawing in the docstring of ``errors``."""
    text = ostrya.errors.__doc__ or ""
    return {name: int(number) for name, number in re.findall(r"[├└]── (\w+)\s+(\d+)", text)}


def test_the_drawing_of_errors_is_true():
    families = {
        c.__name__: c.exit_code
        for c in OstryaError.__subclasses__()
        if c.__module__ == "ostrya.errors"
    }
    assert drawn_families() == families


def test_exit_codes_of_families_are_unique():
    codes = list(drawn_families().values())
    assert len(codes) == len(set(codes))
    assert not {0, 1, 2} & set(codes)
    assert all(code < 128 for code in codes)


def test_every_error_belongs_to_a_family():
    """A concrete error exits with its family's number, and none hangs on the root by itself."""
    families = [c for c in OstryaError.__subclasses__() if c.__module__ == "ostrya.errors"]
    for error in error_classes():
        # The front door's own refusals are about the command line, not about the work.
        if error is OstryaError or error.__module__.startswith("ostrya.cli"):
            continue
        family = [f for f in families if issubclass(error, f)]
        assert len(family) == 1, error
        assert error.exit_code == family[0].exit_code, error


def test_concrete_errors_live_in_errors_modules():
    for error in error_classes():
        assert error.__module__.rpartition(".")[2] in {"errors", "exit_codes"}, error


def test_exit_codes_are_documented():
    page = (TOP / "docs" / "reference" / "errors.md").read_text()
    for name, code in drawn_families().items():
        assert re.search(rf"\| *{code} *\| *`{name}` *\|", page), (
            f"{name} {code} is not in docs/reference/errors.md"
        )


def test_only_the_front_door_reads_the_environment():
    for path in MODULES:
        if path.name == "environment.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
            ):
                assert node.attr not in {"environ", "getenv", "environb"}, (
                    f"{short(path)}:{node.lineno}"
                )


def test_third_party_packages_are_declared():
    """What the code imports from elsewhere is what pyproject.toml promises to install."""
    with (TOP / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + [
        line for name in extras if name != "dev" for line in extras[name]
    ]
    declared = {re.split(r"[<>=~ ]", line)[0].lower() for line in lines}
    used = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            used |= {name.partition(".")[0] for name in names}
    # What is imported as it is not called.
    used = {{"pkcs11": "python-pkcs11"}.get(name, name) for name in used}
    assert used - set(sys.stdlib_module_names) - {"ostrya"} <= declared | {"gi"}


def test_nothing_names_a_registry_or_a_machine():
    """Committed build files hold package names and versions, and no addresses of where from."""
    for name in ("constraints.txt", "pyproject.toml", "Makefile", "tools/debian-packages.txt"):
        text = (TOP / name).read_text()
        assert "://" not in text, name
