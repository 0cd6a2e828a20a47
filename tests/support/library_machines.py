# SPDX-License-Identifier: Apache-2.0
"""A sysroot in a directory, made by the library, with releases of one system."""

from __future__ import annotations

import os
from pathlib import Path

from ostrya.boot.kargs import KernelArguments
from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.transaction import Transaction
from ostrya.sysroot.deploy import DeployWish, deploy
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.loading import Loaded, load_sysroot
from ostrya.sysroot.order import Retain, merge_deployment, with_new_deployment
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.stateroot import make_stateroot, make_sysroot
from ostrya.sysroot.sysroot import NOT_RUNNING, Running, Sysroot, SysrootOptions
from ostrya.sysroot.write_deployments import write_deployments
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support import os_tree

REF = "test/os"
OPTIONS = SysrootOptions(mutable_deployments=True)
KARGS = KernelArguments.parse("root=LABEL=root quiet")


class Machine:
    """A sysroot, and what happens to it.

    Attributes:
        top: Where trees are made.
        root: The sysroot's directory.
        options: What its commands are told.
        running: What the running system says.
        told: What was said.
    """

    def __init__(self, top: Path, options: SysrootOptions = OPTIONS) -> None:
        self.top = top
        self.root = top / "sysroot"
        self.root.mkdir()
        self.options = options
        self.running = NOT_RUNNING
        self.told: list[str] = []
        make_sysroot(str(self.root))
        with self.open() as sysroot:
            make_stateroot(sysroot, "test")

    def open(self) -> Sysroot:
        """The sysroot, to be closed."""
        return Sysroot(str(self.root), self.running, options=self.options, tell=self.told.append)

    def load(self) -> Loaded:
        """What it has."""
        with self.open() as sysroot:
            return load_sysroot(sysroot)

    def release(self, version: str, without: tuple[str, ...] = ()) -> Checksum:
        """Commit a release."""
        tree = os_tree.make(self.top / f"tree-{version}", version, without)
        with self.open() as sysroot, Transaction(sysroot.repo) as tx:
            root = MutableTree()
            write_directory(tx, str(tree), root, CommitModifier())
            metadata = VarDict.of({"version": Variant("s", version)})
            checksum = write_commit(
                tx,
                write_tree(tx, root),
                subject=f"Release {version}",
                metadata=metadata,
                timestamp=1,
            )
            tx.commit()
            write_ref(sysroot.repo, None, REF, checksum)
        return checksum

    def wish(self, checksum: Checksum, kargs: KernelArguments | None = None) -> DeployWish:
        """A wish for a commit."""
        return DeployWish("test", checksum, Origin.following(REF), kargs)

    def deploy(
        self,
        checksum: Checksum,
        kargs: KernelArguments | None = None,
        *,
        merge: bool = True,
        retain: Retain = Retain(),  # noqa: B008  # a tuple
    ) -> Loaded:
        """Deploy a commit."""
        with self.open() as sysroot:
            loaded = load_sysroot(sysroot)
            source = merge_deployment(loaded, "test") if merge else None
            new = deploy(sysroot, loaded, self.wish(checksum, kargs), source)
            return write_deployments(
                sysroot, loaded, with_new_deployment(loaded.all, new, source, retain)
            )

    def path(self, deployment: Deployment) -> Path:
        """The directory of a deployment."""
        return self.root / deployment.path

    def boot(self, index: int = 0) -> Deployment:
        """Let a deployment be the running one."""
        chosen = self.load().deployments[index]
        found = os.stat(self.path(chosen))
        run_dir = self.top / "run"
        var_dir = self.root / "ostree/deploy/test/var"
        self.running = Running((found.st_dev, found.st_ino), str(run_dir), str(var_dir))
        return chosen

    def entries(self) -> dict[str, str]:
        """The boot entries that count, by name."""
        folder = self.root / "boot/loader/entries"
        return {path.name: path.read_text() for path in sorted(folder.iterdir())}
