# SPDX-License-Identifier: Apache-2.0
"""Labels: the same tree and policy give the same commit and the same checkout with either tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.commands import OURS, PEER, Command

pytestmark = [pytest.mark.peer, pytest.mark.root]

WHEN = "--timestamp=2024-02-29 12:34:56 +0000"
CONTEXTS = """\
/.*                     system_u:object_r:default_t:s0
/usr/(.*/)?bin(/.*)?    system_u:object_r:bin_t:s0
/usr/bin/ssh       --   system_u:object_r:ssh_exec_t:s0
/etc/.*                 system_u:object_r:etc_t:s0
/usr/etc/.*             system_u:object_r:usr_t:s0
/usr/lib/.*        -l   system_u:object_r:link_t:s0
/mnt               -d   system_u:object_r:mnt_t:s0
/proc                   <<none>>
/tmp/.*                 <<none>>
"""


def write_policy(root: Path, place: str) -> None:
    """Write a small policy below a root file system."""
    folder = root / place / "test"
    (folder / "contexts" / "files").mkdir(parents=True)
    (folder / "policy").mkdir()
    (root / place / "config").write_text("SELINUX=permissive\nSELINUXTYPE=test\n")
    (folder / "contexts" / "files" / "file_contexts").write_text(CONTEXTS)
    (folder / "contexts" / "files" / "file_contexts.subs_dist").write_text("/lib /usr/lib\n")
    (folder / "policy" / "policy.33").write_bytes(b"compiled")


@pytest.fixture
def tree(tmp_path):
    """A tree with a policy in its usr/etc, and a label that is wrong."""
    root = tmp_path / "tree"
    for name in ("usr/bin", "usr/etc/x", "usr/lib", "lib", "proc", "tmp/dir", "opt"):
        (root / name).mkdir(parents=True)
    write_policy(root, "usr/etc/selinux")
    (root / "usr/bin/ssh").write_text("a")
    os.symlink("ssh", root / "usr/bin/slogin")
    os.symlink("b", root / "lib/a")
    (root / "tmp/dir/file").write_text("c")
    (root / "opt/own").write_text("d")
    os.setxattr(root / "opt/own", "security.selinux", b"wrong_u:object_r:wrong_t:s0\0")
    return root


def repos(tmp_path: Path, mode: str) -> list[Command]:
    """A new repository for each tool."""
    made = []
    for tool in (OURS, PEER):
        path = tmp_path / f"{tool.name}-{mode}"
        tool("init", f"--repo={path}", f"--mode={mode}")
        made.append(Command(tool.path, tool.name, (f"--repo={path}",)))
    return made


@pytest.mark.parametrize("mode", ["archive", "bare", "bare-user"])
@pytest.mark.parametrize("option", ["policy", "from-base", "none"])
def test_labels_in_commits(tmp_path, tree, mode, option):
    options = {
        "policy": [f"--selinux-policy={tree}"],
        "from-base": ["--selinux-policy-from-base"],
        "none": [],
    }[option]
    ours, theirs = (
        tool("commit", "--branch=b", WHEN, "-s", "s", *options, f"--tree=dir={tree}")
        for tool in repos(tmp_path, mode)
    )
    assert ours == theirs


@pytest.mark.parametrize("base", ["--tree=ref=base", "--base=base"])
def test_policies_of_commits(tmp_path, tree, base):
    layer = tmp_path / "layer"
    (layer / "usr/bin").mkdir(parents=True)
    (layer / "usr/bin/ssh").write_text("newer")
    made = []
    for tool in repos(tmp_path, "archive"):
        tool("commit", "--branch=base", WHEN, "-s", "s", f"--tree=dir={tree}")
        made.append(
            tool("commit", "--branch=b", WHEN, "-s", "s", "-P", base, f"--tree=dir={layer}")
        )
    assert made[0] == made[1]


def labels(root: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for path in [root, *sorted(root.rglob("*"))]:
        try:
            label = os.getxattr(path, "security.selinux", follow_symlinks=False)
        except OSError:
            label = None
        found[str(path.relative_to(root))] = label
    return found


@pytest.mark.parametrize(
    "options", [[], ["--subpath=/usr"], ["--subpath=/usr", "--selinux-prefix=/usr"]]
)
def test_labels_in_checkouts(tmp_path, tree, options):
    # libostree 2022.7 crashes on files that the policy gives no label.
    (tree / "tmp/dir/file").unlink()
    made = []
    for tool in repos(tmp_path, "bare"):
        tool("commit", "--branch=b", WHEN, "-s", "s", f"--tree=dir={tree}")
        target = tmp_path / f"checkout-{tool.name}"
        tool("checkout", f"--selinux-policy={tree}", *options, "b", target)
        made.append(labels(target))
    assert made[0] == made[1]
    assert b"system_u:object_r:ssh_exec_t:s0" in made[0].values()
