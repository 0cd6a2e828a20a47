# SPDX-License-Identifier: Apache-2.0
"""Whether a release can start on a board: seen before a disk is made of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir, open_file_in_root
from ostrya.boot.kernel import MODULES
from ostrya.image.errors import BoardError
from ostrya.image.kernel_image import HEAD_BYTES, identify

if TYPE_CHECKING:
    from ostrya.image.board import Board

# 32-bit kernels run on what is called by several names.
_SAME = {"armv6l": "armv7l", "armhf": "armv7l", "arm": "armv7l"}


def check_release(board: Board, release: str) -> list[str]:
    """See that a board can start a release.

    Args:
        board: The board.
        release: A directory with the release.

    Returns:
        What could not be seen, a sentence each.

    Raises:
        BoardError: It cannot.
        OSError: Something cannot be read.
    """
    fd = open_dir(release)
    try:
        return _Check(board, fd).run()
    finally:
        os.close(fd)


class _Check:
    def __init__(self, board: Board, fd: int) -> None:
        self._board = board
        self._fd = fd

    def run(self) -> list[str]:
        kver = self._kver()
        if kver is None:
            return ["cannot see what kernel the release has: there is none in its modules"]
        missing = [
            name
            for name in self._board.devicetrees
            if self._head(f"{MODULES}/{kver}/dtb/{name}") is None
        ]
        if missing:
            raise BoardError(
                f"the release has no device tree for board {self._board.name}: "
                f"{', '.join(missing)}",
                hint=f"they belong in /{MODULES}/{kver}/dtb",
            )
        return self._check_kernel(f"{MODULES}/{kver}/vmlinuz")

    def _kver(self) -> str | None:
        fd = os.open(MODULES, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._fd)
        try:
            versions = sorted(os.listdir(fd))
        finally:
            os.close(fd)
        found = [one for one in versions if self._head(f"{MODULES}/{one}/vmlinuz") is not None]
        return found[0] if found else None

    def _check_kernel(self, path: str) -> list[str]:
        board, kernel = self._board, identify(self._head(path) or b"")
        if not kernel.kind:
            return [f"cannot see what kind of kernel /{path} is"]
        machine = _SAME.get(board.architecture, board.architecture)
        if kernel.machine and kernel.machine != machine:
            raise BoardError(
                f"board {board.name} is {board.architecture}, and the kernel of the release is for "
                f"{kernel.machine}",
                hint="take a root file system of the board's architecture",
            )
        if board.kernel and kernel.kind != board.kernel:
            raise BoardError(
                f"board {board.name} starts a kernel of the kind {board.kernel}, and that of the "
                f"release is {kernel.kind}",
                hint="put a kernel of that kind into the root file system",
            )
        return []

    def _head(self, path: str) -> bytes | None:
        try:
            fd = open_file_in_root(self._fd, path)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as stream:
            return stream.read(HEAD_BYTES)
