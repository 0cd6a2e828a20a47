# SPDX-License-Identifier: Apache-2.0
"""Make the virtual environment: the project in editable form and the tools, at the pinned versions.

Usage: ``python3 tools/make_venv.py .venv``. Safe to run again; a broken environment is replaced.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def works(python: Path) -> bool:
    """Whether this interpreter starts and has pip."""
    try:
        probe = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return probe.returncode == 0


def pip(python: Path, *args: str) -> None:
    """Run pip of the environment, quietly, under the constraints."""
    pins = str(TOP / "constraints.txt")
    argv = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*argv, "--no-input", "--constraint", pins, *args], check=True, cwd=TOP)


def main() -> int:
    """Create or repair the environment named on the command line."""
    if sys.version_info < OLDEST:
        need = f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, not {sys.version.split()[0]}"
        print(f"{need}; say which: make venv PYTHON=/path/to/python3", file=sys.stderr)
        return 2
    target = (TOP / sys.argv[1]).absolute()
    python = target / "bin" / "python"
    if not works(python):
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(target)
    # pip first: the pinned one writes launchers that start without `re`.
    pip(python, "--upgrade", "pip", "hatchling", "editables")
    pip(python, "--no-build-isolation", "--editable", ".[dev]")
    # Nothing here needs setuptools, and its hook costs every start of this Python milliseconds.
    uninstall = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "setuptools"]
    subprocess.run(uninstall, check=True, stderr=subprocess.DEVNULL)
    print(f"{sys.argv[1]}/bin/ostrya is ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
