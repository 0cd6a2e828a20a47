# SPDX-License-Identifier: Apache-2.0
"""Which labels the files of a checkout get.

Where the machine runs SELinux, the policy labels everything. Elsewhere it labels regular files
only, and links and directories keep what the commit says: that is what libostree leaves on such
a machine, where labels matter to nobody until the tree is committed again or booted.

Source: ostree-repo-checkout.c, create_file_copy_from_input_at. Versions differ about a label in
the commit: 2022.7 drops it everywhere, 2026.4 lets it win; here the policy wins over it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ostrya.formats.xattrs import Xattrs

_NAME = b"security.selinux"
_SWITCH = "/sys/fs/selinux/enforce"


def host_has_selinux() -> bool:
    """Say whether the running kernel enforces, or could enforce, an SELinux policy."""
    return os.path.exists(_SWITCH)


def with_label(xattrs: Xattrs, label: str, mode: int) -> Xattrs:
    """Return the attributes that a file gets in a checkout.

    Args:
        xattrs: Those of the commit.
        label: The policy's label for the path.
        mode: File type and permission bits.
    """
    if not stat.S_ISREG(mode) and not host_has_selinux():
        return xattrs
    others = (pair for pair in xattrs if pair[0] != _NAME)
    return tuple(sorted((*others, (_NAME, label.encode()))))
