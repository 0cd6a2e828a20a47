# SPDX-License-Identifier: Apache-2.0
"""A sysroot: open handles, and what it is told of its surroundings. `loading` reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir
from ostrya._linux.statfs import is_vfat
from ostrya.named_tuple import NamedTuple
from ostrya.repo.repository import open_repository
from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime
from ostrya.sysroot import paths
from ostrya.sysroot.settings import SysrootSettings, parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ostrya.repo.repository import Repository

_FLAT_LOADER = "systemd-boot"


class Running(NamedTuple):
    """What the running system says of itself.

    Attributes:
        root: Device and inode of the running deployment's directory; None where the running
            system is none, or is not started from this sysroot as it was opened.
        run_dir: Where it notes what lasts until it is shut down.
        usr_dir: Its ``/usr``.
        var_dir: The ``/var`` of the running system.
        finalize_service: What finalizes a staged deployment at shutdown, by being stopped; empty
            where somebody else sees to that.
        kept: Device and inode of a directory that is never deleted, whatever was opened as what.
    """

    root: tuple[int, int] | None = None
    run_dir: str = "/run/ostree"
    usr_dir: str = "/usr"
    var_dir: str = "/var"
    finalize_service: str = ""
    kept: tuple[int, int] | None = None

    @property
    def state_dir(self) -> str:
        """Where it notes what is true of one deployment."""
        return f"{self.run_dir}/deployment-state"


NOT_RUNNING = Running()


class SysrootOptions(NamedTuple):
    """What tests and packagers may want otherwise.

    Attributes:
        mutable_deployments: Deployments are not made immutable.
        with_xattrs: Whether extended attributes of changed files in ``/etc`` are kept.
        with_devicetrees: Whether device trees belong to a kernel.
        skip_sync: Whether nothing waits for the disk.
        early_prune: Whether the rollback may go before the new deployment is in place, where
            ``/boot`` is too small for both; None to leave it to ``sysroot.early-prune``.
        old_entry_names: Whether names of boot entries have the stateroot in them, as until 2024.4.
        environ: What boot loaders' programs are told.
        test_freeze: Whether a change stops where ``/boot`` is to be frozen.
        nonce: Four hex digits for identities of new deployments, where the same is to come out
            every time; empty to draw them.
    """

    mutable_deployments: bool = False
    with_xattrs: bool = True
    with_devicetrees: bool = True
    skip_sync: bool = False
    early_prune: bool | None = None
    old_entry_names: bool = False
    environ: dict[str, str] = {}  # noqa: RUF012  # a tuple's default, never written to
    test_freeze: bool = False
    nonce: str = ""


DEFAULT_OPTIONS = SysrootOptions()


class Sysroot:
    """An open sysroot.

    Attributes:
        path: As it was opened; for messages.
        dir_fd: Its directory. In the running system ``ostree`` below it is a link.
        running: What the running system says.
        options: What is wanted otherwise.
        tell: Told what happens, in libostree's words.
    """

    __slots__ = (
        "_boot_fd",
        "_repo",
        "_runtime",
        "_settings",
        "dir_fd",
        "options",
        "path",
        "running",
        "tell",
    )

    def __init__(
        self,
        path: str,
        running: Running = NOT_RUNNING,
        *,
        options: SysrootOptions = DEFAULT_OPTIONS,
        runtime: Runtime = DEFAULT_RUNTIME,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Open a sysroot; nothing is read yet.

        Args:
            path: Its directory.
            running: What the running system says.
            options: What is wanted otherwise.
            runtime: What its repository is told of its surroundings.
            tell: Told what happens.

        Raises:
            OSError: It is not there, or no directory.
        """
        self.path = path
        self.running = running
        self.options = options
        self.tell = tell
        self._runtime = runtime
        self._boot_fd = -1
        self._repo: Repository | None = None
        self._settings: SysrootSettings | None = None
        self.dir_fd = open_dir(path, follow=True)

    @property
    def repo(self) -> Repository:
        """Its repository, opened when it is first asked for.

        Raises:
            RepoNotFound: It has none.
        """
        if self._repo is None:
            path = os.path.join(self.path, paths.REPO)
            self._repo = open_repository(path, runtime=self._runtime)
        return self._repo

    @property
    def settings(self) -> SysrootSettings:
        """What the repository says of it."""
        if self._settings is None:
            self._settings = parse_settings(self.repo.config.keyfile)
        return self._settings

    @property
    def boot_fd(self) -> int:
        """The directory ``boot``.

        Raises:
            OSError: It is not there.
        """
        if self._boot_fd == -1:
            self._boot_fd = open_dir(paths.BOOT, dir_fd=self.dir_fd, follow=True)
        return self._boot_fd

    @property
    def has_flat_boot(self) -> bool:
        """Whether ``boot/loader`` is a directory by itself, not a link to one of two.

        VFAT has no symbolic links, and systemd-boot reads nothing else.
        """
        if self.settings.bootloader == _FLAT_LOADER:
            return True
        try:
            return is_vfat(self.boot_fd)
        except FileNotFoundError:
            return False

    @property
    def has_own_boot(self) -> bool:
        """Whether ``boot`` is a file system of its own."""
        # Of a running system the root itself may be an overlay.
        return os.fstat(self.boot_fd).st_dev != os.fstat(self.repo.dir_fd).st_dev

    def close(self) -> None:
        """Close everything."""
        if self._repo is not None:
            self._repo.close()
            self._repo = None
        for fd in (self._boot_fd, self.dir_fd):
            if fd != -1:
                os.close(fd)
        self._boot_fd = self.dir_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
