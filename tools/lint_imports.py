# SPDX-License-Identifier: Apache-2.0
"""Run the import contracts of pyproject.toml on the modules that exist.

The contracts are written for the whole house. import-linter refuses names of modules that are not
there, so this drops them first, and fails when a contract that should hold something holds nothing
although its room exists.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent


def exists(module: str) -> bool:
    """Whether a dotted name of ours is a module or a package in ``src``."""
    path = TOP / "src" / Path(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def present(contract: dict[str, Any]) -> dict[str, Any] | None:
    """The contract with absent modules of ours left out; None when nothing is left to hold."""
    kept = dict(contract)
    for key in ("source_modules", "forbidden_modules", "containers"):
        if key in kept:
            kept[key] = [m for m in kept[key] if not m.startswith("ostrya.") or exists(m)]
            if not kept[key]:
                return None
    return kept


def toml_value(value: object) -> str:
    """A TOML literal for the few types that contracts are made of."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_config(target: Path) -> list[str]:
    """Write the contracts that apply now; return the ids of those left out."""
    with (TOP / "pyproject.toml").open("rb") as stream:
        settings = tomllib.load(stream)["tool"]["importlinter"]
    lines = ["[tool.importlinter]"]
    lines += [f"{k} = {toml_value(v)}" for k, v in settings.items() if k != "contracts"]
    left_out = []
    for contract in settings["contracts"]:
        kept = present(contract)
        if kept is None:
            left_out.append(contract["id"])
            continue
        lines += ["", "[[tool.importlinter.contracts]]"]
        lines += [f"{k} = {toml_value(v)}" for k, v in kept.items()]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n")
    return left_out


def main() -> int:
    """Write the configuration into ``build`` and run import-linter with it."""
    from importlinter.cli import lint_imports

    target = TOP / "build" / "importlinter.toml"
    left_out = write_config(target)
    if left_out:
        print(f"contracts without a room yet: {', '.join(left_out)}")
    sys.path.insert(0, str(TOP / "src"))
    return int(lint_imports(config_filename=str(target), cache_dir=str(TOP / "build" / "grimp")))


if __name__ == "__main__":
    sys.exit(main())
