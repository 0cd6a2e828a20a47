# SPDX-License-Identifier: Apache-2.0
"""A file system mounted here whose every write is recorded: QEMU's storage daemon behind a loop device.

::

    directory      mounted from
    loop device    backed by
    a file         of a FUSE file system with nothing else in it, answered by
    the daemon     which writes to the image, and to the log (`support.blklog`)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

from support import mounts
from support.blklog import copy_sparse, count_entries, make_log

DAEMON = "qemu-storage-daemon"
_STARTED_WITHIN_S = 20


def missing() -> str:
    """Empty if that can be done here, else why not."""
    if reason := mounts.missing("ext4"):
        return reason
    if shutil.which(DAEMON) is None:
        return f"{DAEMON} is not installed"
    return "" if Path("/dev/fuse").exists() else "this kernel has no FUSE"


class RecordedDisk:
    """A disk with one file system, from ``base`` on.

    Attributes:
        base: What the disk was when the log began.
        log: The log; to be read once it is unmounted.
        top: Where it is mounted.
    """

    def __init__(self, folder: Path, base: Path) -> None:
        self.base, self.image, self.log = base, folder / "disk.img", folder / "disk.log"
        self.top = folder / "mounted"
        self._export = folder / "export"
        self._loop = ""
        self._daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        mounts.enter_private_namespace()
        copy_sparse(self.base, self.image)
        make_log(self.log)
        self._export.touch()
        self.top.mkdir(exist_ok=True)
        # Without the last option, the number of entries is known at the end only.
        log = "driver=blklogwrites,node-name=all,file=disk,log=log,log-super-update-interval=1"
        argv = [
            DAEMON,
            "--blockdev", f"driver=file,node-name=file,filename={self.image}",
            "--blockdev", "driver=raw,node-name=disk,file=file",
            "--blockdev", f"driver=file,node-name=log,filename={self.log}",
            "--blockdev", log,
            "--export", f"type=fuse,id=export,node-name=all,mountpoint={self._export},writable=on,allow-other=off",
        ]  # fmt: skip
        self._daemon = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        try:
            self._wait_for_export()
            # One request at a time: the daemon answers a second one into the buffer of the first.
            found = os.stat(self._export).st_dev
            Path(f"/sys/class/bdi/{os.major(found)}:{os.minor(found)}/read_ahead_kb").write_text(
                "0"
            )
            argv = ["losetup", "--find", "--show", "--direct-io=off", str(self._export)]
            self._loop = subprocess.run(
                argv, check=True, capture_output=True, text=True
            ).stdout.strip()
            mounts.run("mount", self._loop, str(self.top))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def count(self) -> int:
        """How many entries the log has so far."""
        return count_entries(self.log)

    def close(self) -> None:
        """Unmount it, and end the daemon."""
        if os.path.ismount(self.top):
            # What is still open there must not keep the daemon alive.
            subprocess.run(["umount", "--lazy", str(self.top)], check=True)
        if self._loop:
            subprocess.run(["losetup", "--detach", self._loop], check=True)
            self._loop = ""
            self._wait_until_detached()
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(30)
            self._daemon = None

    def _wait_until_detached(self) -> None:
        """Wait for what is still to be written: that is when the last one lets go of the device."""
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while time.monotonic() < deadline:
            argv = ["losetup", "--associated", str(self._export)]
            if not subprocess.run(argv, capture_output=True, check=True).stdout:
                return
            time.sleep(0.02)

    def _wait_for_export(self) -> None:
        deadline = time.monotonic() + _STARTED_WITHIN_S
        while self._export.stat().st_size == 0:
            assert self._daemon is not None
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"{DAEMON} did not start")
            time.sleep(0.02)


def make_file_system(tree: Path, image: Path, size_bytes: int) -> Path:
    """Make an image that has a directory's content."""
    image.unlink(missing_ok=True)
    argv = [
        "mke2fs",
        "-q",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-L",
        "otaroot",
        "-d",
        str(tree),
        str(image),
    ]
    subprocess.run([*argv, f"{size_bytes >> 10}k"], check=True, capture_output=True)
    return image
