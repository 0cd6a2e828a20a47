# SPDX-License-Identifier: Apache-2.0
"""Build hook: compile the match search of deltas, where there is a compiler.

Without one, or where compiling fails, the package is built all the same: the twin in Python does
the search then, slower. The module uses the stable interface, so one build does for every Python
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

SOURCE = "src/ostrya/delta/_bsdiff.c"
MODULE = "src/ostrya/delta/_bsdiff.abi3.so"
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden")


def compile_kernel(root: Path) -> Path | None:
    """Compile the module into the source folder; None where that is not possible."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        compiler = ["cc"]
    if shutil.which(compiler[0]) is None:
        return None
    module = root / MODULE
    unfinished = module.with_suffix(".new")
    include = f"-I{sysconfig.get_path('include')}"
    argv = [*compiler, *FLAGS, include, str(root / SOURCE), "-o", str(unfinished)]
    built = subprocess.run(argv, capture_output=True, text=True, check=False)
    if built.returncode:
        print(f"the delta kernel was not compiled:\n{built.stderr}", file=sys.stderr)
        return None
    unfinished.replace(module)
    return module


class KernelHook(BuildHookInterface[Any]):
    """Puts the compiled module into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the files of the wheel are gathered."""
        del version
        module = compile_kernel(Path(self.root))
        if module is None:
            return
        build_data["artifacts"].append(f"/{MODULE}")
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"
