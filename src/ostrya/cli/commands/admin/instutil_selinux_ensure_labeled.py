# SPDX-License-Identifier: Apache-2.0
"""``admin instutil selinux-ensure-labeled``: label what has no SELinux label.

All of the default deployment, or SUBPATH as what is at PREFIX in the running system; the labels
are those of the deployment's policy.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir
from ostrya.cli.output import write_line
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.errors import SysrootError
from ostrya.sysroot.labels import label_tree
from ostrya.tree.selinux import load_policy

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "[SUBPATH PREFIX]"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Label it."""
    words = arguments.positionals
    if len(words) == 1:
        raise context.usage_error("PREFIX must be specified with SUBPATH")
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded):
        if not loaded.all:
            raise SysrootError("Unable to find a deployment in sysroot")
        root = os.path.join(sysroot.path, loaded.all[0].path)
        policy = load_policy(root)
        if policy.name is None:
            write_line(f"No SELinux policy found in deployment '{root}'")
            return 0
        write_line(f"Relabeling using policy '{policy.name}'")
        top, prefix = (words[0], words[1].strip("/")) if words else (root, "")
        start = f"/{prefix}" if prefix else ""

        def tell(path: str, label: str) -> None:
            place = os.path.join(top, path.removeprefix(start).lstrip("/"))
            write_line(f"Set label of '{place.rstrip('/')}' (as '{path}') to '{label}'")

        fd = open_dir(top, follow=True)
        try:
            label_tree(fd, start, policy, keep=True, on_label=tell)
        finally:
            os.close(fd)
    return 0
