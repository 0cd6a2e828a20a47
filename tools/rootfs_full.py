# SPDX-License-Identifier: Apache-2.0
"""Prove all on the Debian tree on every kind of file system; write ``docs/rootfs-tests.md``."""

from __future__ import annotations

import os
import sys

import bench_report
import debian_tree
from full_run import FullRun, run

INTRODUCTION = """# The Debian tree on every file system: the last full run

`make rootfs-full` writes this page. A Debian root file system made with mmdebstrap, and the same
with updates and security fixes, are put on a file system of each kind; on overlayfs they are its
lower layer. In every writable mode, with Debian's `ostree` as the other tool:

- *each alone*: commits have the checksum that the other tool's have; each one's `fsck` accepts the
  other's repository, with the same objects; checkouts are equal in content, mode, owner, xattrs and
  hard links, and link to the same objects;
- *in turn*: one commits the first release, the other the second on top of it; both verify both and
  check both out, to equal trees; each prunes what the other wrote;
- *at once*: both commit both releases to one repository; then both pull and commit a release that
  was just dropped, and check the other out; all the while both prune.

`make test` does all three in every mode on tmpfs, and the first in mode bare on the others.

"""


def main() -> int:
    """Run the tests and write the page."""
    if reason := debian_tree.can_build():
        sys.exit(f"the Debian tree cannot be built: {reason}")
    tree = debian_tree.build(debian_tree.cache_folder(), "rel1")
    kernel = os.uname().release.partition("-")[0]
    surroundings = f"{bench_report.tree_sentence(bench_report.describe_tree(tree))} Linux {kernel}."
    arguments = ("tests/interop/test_rootfs.py", "--rootfs-full", "-k", "not tar and not pulled")
    return run(
        FullRun(
            name="rootfs-tests",
            arguments=arguments,
            introduction=INTRODUCTION + surroundings + "\n",
            headings=("proof", "file system", "mode"),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
