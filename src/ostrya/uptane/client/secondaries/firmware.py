# SPDX-License-Identifier: Apache-2.0
"""Where an ECU puts an image: a file, or a deployment of a sysroot."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir, read_file
from ostrya.uptane.client.errors import ImageUnsuitable
from ostrya.uptane.client.installer import Outcome, Running
from ostrya.uptane.client.installs import State
from ostrya.uptane.client.watch import NO_WATCH
from ostrya.uptane.image_check import ImageCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.installs import Install, Target
    from ostrya.uptane.client.ostree_installer import OstreeInstaller
    from ostrya.uptane.client.restart import Restart
    from ostrya.uptane.full_verification import Agreed

_MAX_NAME_BYTES = 4096
_STEP_BYTES = 1024 * 1024
_PART = ".part"


class Firmware(Protocol):
    """Puts an image where an ECU runs it."""

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return what runs; None if that is not known."""

    def begin(self, target: Target) -> None:
        """Forget what was received; an image is to come.

        Raises:
            ImageUnsuitable: Images do not come so.
        """

    def receive(self, target: Target, data: bytes) -> None:
        """Take the next piece.

        Raises:
            ImageRejected: There is more than there can be.
            OSError: It cannot be written.
        """

    def fetch(self, image: Agreed, source: ImageSource) -> None:
        """Get an image by oneself.

        Raises:
            ImageUnsuitable: Images do not come so.
        """

    def install(self, target: Target) -> Outcome:
        """Install what was received."""

    def finish(self, target: Target) -> Outcome:
        """Say what became of an installation that waits for a restart."""


class FileFirmware:
    """An image that is a file, beside one that has its name."""

    def __init__(self, firmware_path: str, name_path: str) -> None:
        """Name them.

        Args:
            firmware_path: The image.
            name_path: Its name.
        """
        self._path = firmware_path
        self._name_path = name_path
        self._known: tuple[tuple[int, int, int], str] | None = None

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return what the files say."""
        del log
        with suppress(FileNotFoundError):
            length, digest = self._digest()
            name = read_file(self._name_path, max_bytes=_MAX_NAME_BYTES)
            return Running(name.decode("utf-8", "replace"), length, {"sha256": digest})
        return None

    def _digest(self) -> tuple[int, str]:
        """Return length and digest of the file; looked at again only if it is another one."""
        with open(self._path, "rb") as file:
            found = os.fstat(file.fileno())
            which = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._known is None or self._known[0] != which:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                self._known = (which, digest)
            return found.st_size, self._known[1]

    def begin(self, target: Target) -> None:
        """Begin with an empty file."""
        del target
        os.makedirs(os.path.dirname(self._path) or ".", mode=0o700, exist_ok=True)
        with open(self._path + _PART, "wb"):
            pass

    def receive(self, target: Target, data: bytes) -> None:
        """Add to the file, up to the length that was agreed on."""
        with open(self._path + _PART, "ab") as file:
            if file.tell() + len(data) > target.length:
                check = ImageCheck(target.name, target.length, target.hashes)
                check.update(b"\0" * (target.length + 1))
            file.write(data)

    def fetch(self, image: Agreed, source: ImageSource) -> None:
        """Refuse: files are sent."""
        del source
        raise ImageUnsuitable(f"{image.name} is a file, and files are sent")

    def install(self, target: Target) -> Outcome:
        """Let the file be the image, if it is the one that was agreed on."""
        try:
            self._check(target)
        except FileNotFoundError:
            return Outcome.failed(f"{target.name} was not received")
        folder_fd = open_dir(os.path.dirname(self._path) or ".", follow=True)
        try:
            os.rename(self._path + _PART, self._path)
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)
        # A name of before would be one of other bytes: it is looked at again by its digest.
        name_fd = open_dir(os.path.dirname(self._name_path) or ".", follow=True)
        try:
            replace_file(os.path.basename(self._name_path), target.name.encode(), dir_fd=name_fd)
        finally:
            os.close(name_fd)
        return Outcome.good()

    def _check(self, target: Target) -> None:
        check = ImageCheck(target.name, target.length, target.hashes)
        with open(self._path + _PART, "rb") as file:
            while data := file.read(_STEP_BYTES):
                check.update(data)
            check.finish()
            os.fsync(file.fileno())

    def finish(self, target: Target) -> Outcome:
        """Say whether it was installed; files need no restart."""
        running = self.running(())
        same = running is not None and running.hashes["sha256"] == target.hashes.get("sha256")
        return Outcome.good() if same else self.install(target)


class OstreeFirmware:
    """An image that is a commit, deployed in a sysroot."""

    def __init__(self, installer: OstreeInstaller, restart: Restart) -> None:
        self._installer = installer
        self._restart = restart

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return the commit that runs; where a restart is played, not before it was."""
        found = self._installer.running(log)
        waiting = [one.target for one in log if one.state in (State.STARTED, State.APPLIED)]
        if found is None or not waiting or self._restart.happened():
            return found
        if found.hashes.get("sha256") != waiting[-1].hashes.get("sha256"):
            return found
        before = [one.target for one in log if one.state is State.CURRENT]
        if not before:
            return None
        last = before[-1]
        return Running(last.name, last.length, last.hashes, last.release_counter)

    def begin(self, target: Target) -> None:
        """Refuse: commits are pulled."""
        raise ImageUnsuitable(f"{target.name} has to be a commit, which this ECU pulls by itself")

    def receive(self, target: Target, data: bytes) -> None:
        """Refuse likewise."""
        del data
        self.begin(target)

    def fetch(self, image: Agreed, source: ImageSource) -> None:
        """Pull it."""
        self._installer.refuse(image)
        self._installer.download(image, source, NO_WATCH)

    def install(self, target: Target) -> Outcome:
        """Deploy it."""
        self._restart.expect()
        return self._installer.install(target, NO_WATCH)

    def finish(self, target: Target) -> Outcome:
        """Look whether it runs, and is good."""
        return self._installer.finish(target, restarted=self._restart.happened())
