# SPDX-License-Identifier: Apache-2.0
"""A Debian made on the spot: mmdebstrap writes a tar, which is taken in as it is written.

Root needs nothing for it; everybody else needs ``newuidmap``, from the package ``uidmap``, and
numbers in ``/etc/subuid``. For another architecture the kernel has to be able to run its programs:
``qemu-user-static`` does that.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, cast

from ostrya._linux.process import PipedProcess, run
from ostrya.errors import CommandFailed
from ostrya.image.errors import SourceError
from ostrya.image.intake.apt_sources import lines_for, read_apt_sources
from ostrya.image.intake.plain import take_archive

if TYPE_CHECKING:
    from typing import IO

    from ostrya.image.intake.rules import Keeping
    from ostrya.image.source_kinds import DebianSource
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.archive_import import ArchiveExtent
    from ostrya.tree.mutable_tree import MutableTree

_PROGRAM = "mmdebstrap"
_END_S = 60.0
_LAST_LINES = 6
_NO_NEWS = ("E: setup failed", "E: mmdebstrap failed")


def take_debian(
    tx: Transaction,
    source: DebianSource,
    keep: Keeping,
    *,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> MutableTree:
    """Make a Debian, and store its files.

    Raises:
        SourceError: It cannot be made: packages, mirrors or means are missing.
        CommandFailed: mmdebstrap is not installed.
        OSError: Something cannot be written.
    """
    argv = command(source, _mirrors(source), is_root=os.geteuid() == 0)
    process = PipedProcess(argv)
    shown = f"the {source.suite} of {_PROGRAM}"
    ended = False
    try:
        stream = _Output(process.from_fd)
        try:
            tree = take_archive(
                tx, cast("IO[bytes]", stream), keep, shown=shown, limits=limits, progress=progress
            )
            while stream.read(1 << 20):
                pass
        except Exception as exc:
            # If the program gave up, that is why the archive is cut short.
            if not stream.at_end:
                raise
            complaint, status = process.complaint(), process.end(_END_S)
            ended = True
            if status != 0:
                raise _failed(source, complaint) from exc
            raise
        complaint, status = process.complaint(), process.end(_END_S)
        ended = True
        if status != 0:
            raise _failed(source, complaint)
        return tree
    finally:
        if not ended:
            process.ask_to_end()
            process.end(_END_S)


def command(source: DebianSource, mirrors: tuple[str, ...], *, is_root: bool) -> list[str]:
    """Return how mmdebstrap is called."""
    # fmt: off
    argv = [
        _PROGRAM, "--format=tar",
        f"--mode={'root' if is_root else 'unshare'}",
        f"--variant={source.variant}",
        f"--components={','.join(source.components)}",
    ]
    # fmt: on
    if source.architecture:
        argv.append(f"--architectures={source.architecture}")
    if source.packages:
        argv.append(f"--include={','.join(source.packages)}")
    argv += [f"--keyring={path}" for path in source.keyrings]
    argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in source.left_out]
    return [*argv, "--", source.suite, "-", *mirrors]


def _mirrors(source: DebianSource) -> tuple[str, ...]:
    if source.mirrors:
        return source.mirrors
    lines = lines_for(read_apt_sources(), source.suite)
    if not lines:
        raise SourceError(
            f"this machine's apt has no source of {source.suite}",
            hint="say where it is by mirrors, as addresses or as lines of sources.list",
        )
    return tuple(lines)


def _failed(source: DebianSource, complaint: str) -> SourceError:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    # apt says what is wrong; mmdebstrap, in the end, only that something was.
    errors = [line for line in lines if line.startswith("E: ") and not line.startswith(_NO_NEWS)]
    said = "; ".join((errors or lines)[-_LAST_LINES:]) or "it said nothing"
    return SourceError(f"{_PROGRAM} cannot make {source.suite}: {said}", hint=_hint(source))


def _hint(source: DebianSource) -> str:
    if source.architecture and source.architecture != _native():
        return f"to run programs of {source.architecture} here, install qemu-user-static"
    if os.geteuid() != 0:
        return "without root it needs uidmap, and your name in /etc/subuid and /etc/subgid"
    return "names of suites and packages are those of the archive that the mirrors have"


def _native() -> str:
    try:
        return run(["dpkg", "--print-architecture"]).decode().strip()
    except CommandFailed:
        return ""


class _Output:
    """What a program writes, as a stream."""

    def __init__(self, fd: int) -> None:
        self.at_end = False
        self._stream = io.FileIO(fd, closefd=False)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size) or b""
        self.at_end = self.at_end or not data
        return data
