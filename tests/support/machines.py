# SPDX-License-Identifier: Apache-2.0
"""Sysroots in directories, made by the library, with releases to deploy on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ostrya.boot.kargs import KernelArguments
from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.remotes import add_remote
from ostrya.repo.repository import Repository
from ostrya.repo.transaction import Transaction
from ostrya.sysroot import paths
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
from support.small_repos import configure, make_repo

REF = "test/os"
OPTIONS = SysrootOptions(mutable_deployments=True)


class Machine:
    """A sysroot with one system, ``test``.

    Attributes:
        sysroot: Open.
        root: Its directory.
        said: What was told.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "sysroot"
        self.root.mkdir()
        make_sysroot(str(self.root))
        self.said: list[str] = []
        self.sysroot = self.open()
        configure(self.sysroot.repo, fsync="false", min_free_space_percent="0")
        make_stateroot(self.sysroot, "test")
        self._trees = 0
        self.vendor: Repository | None = None

    def open(self, running: Running = NOT_RUNNING) -> Sysroot:
        return Sysroot(str(self.root), running, options=OPTIONS, tell=self.said.append)

    def close(self) -> None:
        self.sysroot.close()
        if self.vendor is not None:
            self.vendor.close()

    @property
    def loaded(self) -> Loaded:
        return load_sysroot(self.sysroot)

    def run(self, at: int = 0) -> Loaded:
        """Let a deployment be the running one; return what there is then."""
        found = (self.root / self.loaded.deployments[at].path).stat()
        state = self.top / "run"
        for name in ("run", "var"):
            (self.top / name).mkdir(exist_ok=True)
        self.sysroot.running = Running(
            (found.st_dev, found.st_ino), str(state), str(self.top / "usr"), str(self.top / "var")
        )
        return self.loaded

    def commit(
        self,
        version: str = "1",
        *,
        edit: Callable[[Path], None] = lambda _tree: None,
        repo: Repository | None = None,
        ref: str | None = REF,
        timestamp: int | None = None,
        metadata: Iterable[tuple[str, Variant]] = (),
        sizes: bool = False,
    ) -> Checksum:
        """Commit a release."""
        self._trees += 1
        tree = os_tree.make(self.top / f"tree-{self._trees}", version)
        edit(tree)
        repo = repo or self.sysroot.repo
        with Transaction(repo) as tx:
            if sizes:
                tx.want_sizes()
            mutable = MutableTree()
            write_directory(tx, str(tree), mutable, CommitModifier(), jobs=1)
            checksum = write_commit(
                tx,
                write_tree(tx, mutable),
                timestamp=timestamp or 1_000_000_000 + int(version),
                metadata=VarDict((("version", Variant("s", version)), *metadata)),
            )
            if ref is not None:
                tx.set_ref(None, ref, checksum)
            tx.commit()
        return checksum

    def deploy(
        self,
        checksum: Checksum,
        *,
        kargs: str | None = None,
        origin: Origin | None = None,
        retain: Retain = Retain(),  # noqa: B008
        stateroot: str = "test",
    ) -> Deployment:
        """Deploy a commit, and boot it by default."""
        loaded = self.loaded
        merge = merge_deployment(loaded, stateroot)
        words = None if kargs is None else KernelArguments.parse(kargs)
        wish = DeployWish(stateroot, checksum, origin or Origin.following(REF), words)
        new = deploy(self.sysroot, loaded, wish, merge)
        after = with_new_deployment(loaded.all, new, merge, retain)
        write_deployments(self.sysroot, loaded, after)
        return next(one for one in self.loaded.deployments if one.is_same(new))

    def add_vendor(self) -> Repository:
        """Make an archive elsewhere, and a remote ``vendor`` for it."""
        self.vendor = make_repo(self.top / "vendor", RepoMode.ARCHIVE)
        settings = [("gpg-verify", "false")]
        add_remote(self.sysroot.repo, "vendor", f"file://{self.vendor.path}", settings)
        return self.vendor

    def etc(self, deployment: Deployment) -> Path:
        """The ``/etc`` of a deployment."""
        return self.root / deployment.path / "etc"

    def entries(self) -> dict[str, str]:
        """The boot entries by name."""
        folder = self.root / paths.LOADER / "entries"
        return {path.name: path.read_text() for path in sorted(folder.iterdir())}

    def configure(self, group: str, **values: str) -> None:
        """Set keys of the repository's settings; underscores stand for dashes."""
        repo = self.sysroot.repo
        for key, value in values.items():
            repo.config.keyfile.set_value(group, key.replace("_", "-"), value)
        write_config(repo, repo.config.keyfile)
        repo.reload_config()
        self.sysroot._settings = None


def write(path: Path, text: str) -> None:
    """Write a file, and make its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names_in(path: Path) -> list[str]:
    """What is in a directory."""
    return sorted(os.listdir(path))
