# SPDX-License-Identifier: Apache-2.0
"""An ext4 that is changed by debugfs, as one script; directories are named by their inodes.

What replaces a file keeps its owner, mode and attributes. Other names of the file that was there
stay as they are.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.process import run_to_end
from ostrya.errors import CommandFailed
from ostrya.image.errors import DiskError
from ostrya.image.filesystem import find_program
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.formats.xattrs import Xattrs
    from ostrya.image.reading.files import Entry

_NEVER = ('"', "\n")


class NewFileFacts(NamedTuple):
    """What a file is to be like.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: Permissions.
        mtime: When it was changed, in seconds since 1970 UTC.
        xattrs: Extended attributes.
    """

    uid: int
    gid: int
    mode: int
    mtime: int
    xattrs: Xattrs = ()


class Ext4Script:
    """What debugfs is told."""

    def __init__(self, scratch: str) -> None:
        """Begin a script.

        Args:
            scratch: A directory for files that it needs.
        """
        self._lines: list[str] = []
        self._scratch = scratch
        self._values = 0

    def enter(self, directory: Entry) -> None:
        """Go to a directory that is there."""
        self._lines.append(f"cd <{directory.handle}>")

    def enter_new(self, name: str) -> None:
        """Go to a directory in this one."""
        self._lines.append(f"cd {_quoted(name)}")

    def leave(self) -> None:
        """Go back to the directory above."""
        self._lines.append("cd ..")

    def make_dir(self, name: str, facts: NewFileFacts) -> None:
        """Make a directory in this one."""
        self._lines.append(f"mkdir {_quoted(name)}")
        self._set(name, facts, stat.S_IFDIR)

    def make_link(self, name: str, target: str, facts: NewFileFacts) -> None:
        """Make a symbolic link in this directory."""
        self._lines.append(f"symlink {_quoted(name)} {_quoted(target)}")
        self._set(name, facts, stat.S_IFLNK)

    def remove(self, name: str) -> None:
        """Take a name of a file away."""
        self._lines.append(f"rm {_quoted(name)}")

    def put(self, name: str, source: str, facts: NewFileFacts) -> None:
        """Write a file of this machine into this directory."""
        self._lines.append(f"write {_quoted(source)} {_quoted(name)}")
        self._set(name, facts, stat.S_IFREG)

    def _set(self, name: str, facts: NewFileFacts, kind: int) -> None:
        quoted = _quoted(name)
        self._lines += [
            f"sif {quoted} uid {facts.uid}",
            f"sif {quoted} gid {facts.gid}",
            f"sif {quoted} mode 0{kind | facts.mode:o}",
            f"sif {quoted} mtime @{facts.mtime}",
        ]
        for key, value in facts.xattrs:
            self._values += 1
            path = f"{self._scratch}/value.{self._values}"
            with open(path, "wb") as stream:
                stream.write(value)
            plain = key.decode("utf-8", "surrogateescape")
            self._lines.append(f"ea_set -f {_quoted(path)} {quoted} {_quoted(plain)}")

    def run(self, image: str, offset: int) -> None:
        """Change a file system.

        Args:
            image: The file that it is in.
            offset: Where it begins in there.

        Raises:
            CommandFailed: debugfs is not there, or complains.
            DiskError: There is no room; a name cannot be told to debugfs.
        """
        if "?" in image or "\n" in image:
            raise DiskError(f"debugfs cannot be told of an image called {image}")
        script = f"{self._scratch}/script"
        with open(script, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.writelines(f"{line}\n" for line in self._lines)
        place = f"{os.path.abspath(image)}?offset={offset}"
        argv = (find_program("debugfs"), "-w", "-f", script, place)
        done = run_to_end(argv, variables={"LC_ALL": "C"})
        # Its exit status says nothing; the first line of its complaints is its version.
        complaints = done.stderr.decode(errors="replace").splitlines()[1:]
        if any("Could not allocate" in line for line in complaints):
            raise DiskError("there is no room in the file system of the image")
        if done.status != 0 or complaints:
            raise CommandFailed(argv, done.status or 1, "\n".join(complaints[:20]))


def _quoted(text: str) -> str:
    if any(char in text for char in _NEVER):
        raise DiskError(f"debugfs cannot be told of the name {text!r}")
    return f'"{text}"'


def check_room(needed: Sequence[int], free_bytes: int, block_bytes: int) -> None:
    """Look whether files fit, before anything is changed.

    Raises:
        DiskError: They do not.
    """
    total = sum(-(-size // block_bytes) * block_bytes for size in needed)
    if total > free_bytes:
        raise DiskError(
            f"it takes {total} bytes, and there are {free_bytes} free in the image",
        )
