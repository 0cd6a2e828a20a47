# SPDX-License-Identifier: Apache-2.0
"""Build hook: compile the search for matches and the patching, where there is a compiler.

Without one, or where compiling fails, the package is built all the same: their twins in Python do
the work then, slower. The modules use the stable interface, so one build does for every Python
from 3.11 on.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SUFFIX = ".abi3.so"
NAMES = ("src/ostrya/delta/_bsdiff", "src/ostrya/delta/_bspatch")
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden")


def compile_kernel(root: Path) -> list[str]:
    """Compile the modules into the source folder, and return their paths; none if impossible."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        compiler = ["cc"]
    if shutil.which(compiler[0]) is None:
        return []
    include = f"-I{sysconfig.get_path('include')}"
    modules = []
    for name in NAMES:
        module = root / f"{name}{SUFFIX}"
        unfinished = module.with_suffix(".new")
        argv = [*compiler, *FLAGS, include, str(root / f"{name}.c"), "-o", str(unfinished)]
        built = subprocess.run(argv, capture_output=True, text=True, check=False)
        if built.returncode:
            print(f"{name}.c was not compiled:\n{built.stderr}", file=sys.stderr)
            return []
        unfinished.replace(module)
        modules.append(f"{name}{SUFFIX}")
    return modules


def is_current(root: Path) -> bool:
    """Whether the modules are there and were compiled from the sources as they are."""
    return all(
        (module := root / f"{name}{SUFFIX}").exists()
        and module.stat().st_mtime >= (root / f"{name}.c").stat().st_mtime
        for name in NAMES
    )


class KernelHook(BuildHookInterface[Any]):
    """Puts the compiled modules into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the files of the wheel are gathered."""
        del version
        modules = compile_kernel(Path(self.root))
        if not modules:
            return
        build_data["artifacts"] += [f"/{module}" for module in modules]
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"


if __name__ == "__main__":
    TOP = Path(__file__).resolve().parent.parent
    if not is_current(TOP) and not compile_kernel(TOP):
        print("deltas are not compiled: the twins in Python do the work", file=sys.stderr)
