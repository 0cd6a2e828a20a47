# SPDX-License-Identifier: Apache-2.0
"""A small SELinux policy."""

from __future__ import annotations

from pathlib import Path

CONTEXTS = """\
/               system_u:object_r:root_t:s0
/usr(/.*)?      system_u:object_r:usr_t:s0
/usr/bin/.*     system_u:object_r:bin_t:s0
/etc(/.*)?      system_u:object_r:etc_t:s0
/var(/.*)?      system_u:object_r:var_t:s0
/var/none       <<none>>
"""


def write_policy(root: Path, place: str = "usr/etc/selinux") -> None:
    """Write it below a root file system."""
    folder = root / place / "test"
    (folder / "contexts/files").mkdir(parents=True)
    (folder / "policy").mkdir()
    (root / place / "config").write_text("SELINUX=enforcing\nSELINUXTYPE=test\n")
    (folder / "contexts/files/file_contexts").write_text(CONTEXTS)
    (folder / "policy/policy.33").write_bytes(b"compiled")
