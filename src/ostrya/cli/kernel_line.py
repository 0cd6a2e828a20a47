# SPDX-License-Identifier: Apache-2.0
"""The command line that the running kernel was started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kargs import KernelArguments
from ostrya.cli.line_files import read_text_file

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Sysroot


def running_kargs(sysroot: Sysroot) -> KernelArguments:
    """Return it; none where the running system is not of this sysroot."""
    if sysroot.running.root is None:
        return KernelArguments()
    return KernelArguments.parse(read_text_file("/proc/cmdline").strip())
