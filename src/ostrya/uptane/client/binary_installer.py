# SPDX-License-Identifier: Apache-2.0
"""Files as images: the package manager ``none``. A file that is here and right is installed.

::

    IMAGES/
      NAME.part     what has come of an image; NAME is one of its digests
      NAME          an image, all of it, as it was agreed on

What came before a download broke off is kept, looked at again, and gone on from. Nothing is opened
by a name that metadata has.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import exists, open_dir, unlink_if_exists
from ostrya.uptane.client.errors import ImageUnsuitable, NoRoom
from ostrya.uptane.client.installer import Outcome, Running, Stage
from ostrya.uptane.client.installs import State
from ostrya.uptane.client.watch import Progress
from ostrya.uptane.errors import ImageRejected
from ostrya.uptane.image_check import ImageCheck
from ostrya.uptane.metadata.hashes import KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.installs import Install, Target
    from ostrya.uptane.client.server import ImageBody
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed

_PART = ".part"
_STEP_BYTES = 1024 * 1024
_RESTART = "the machine has to be restarted"
_RESERVE = "min_free_mib of [pacman] says so"
_HEX = frozenset("0123456789abcdef")


class ImageFiles:
    """The folder that downloaded images are in."""

    def __init__(self, path: str, min_free_bytes: int) -> None:
        """Name it.

        Args:
            path: The folder; made when it is first needed.
            min_free_bytes: So much stays free on its file system.
        """
        self.path = path
        self._min_free_bytes = min_free_bytes

    def open_folder(self) -> int:
        """Open the folder, for whoever closes it."""
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        return open_dir(self.path, follow=True)

    def has(self, hashes: Mapping[str, str]) -> bool:
        """Say whether an image is here, all of it."""
        return os.path.exists(os.path.join(self.path, file_name(hashes)))

    def open_file(self, hashes: Mapping[str, str]) -> int:
        """Open an image to read it, for whoever closes it.

        Raises:
            FileNotFoundError: It is not here.
        """
        return os.open(
            os.path.join(self.path, file_name(hashes)), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        )

    def download(self, image: Agreed, source: ImageSource, watch: Watch) -> None:
        """Get an image, or what of it is not here; see `Installer.download`."""
        name = file_name(image.hashes)
        folder_fd = self.open_folder()
        try:
            if exists(name, dir_fd=folder_fd):
                return
            self._download(image, name, folder_fd, source, watch)
        finally:
            os.close(folder_fd)

    def _download(
        self, image: Agreed, name: str, folder_fd: int, source: ImageSource, watch: Watch
    ) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(name + _PART, flags, 0o600, dir_fd=folder_fd)
        try:
            check = self._begin(image, fd)
            found = os.fstatvfs(fd)
            reserve = self._min_free_bytes
            room = found.f_bavail * found.f_frsize - reserve
            if image.length - check.received > room:
                what = f"what is still to come of {image.name}"
                raise NoRoom(what, image.length - check.received, room, reserve, _RESERVE)
            if check.received < image.length:
                with source.open_image(image.name, image.uri, check.received, image.length) as body:
                    check = self._receive(image, body, fd, check, watch)
            check.finish()
            os.fsync(fd)
        except ImageRejected:
            # It is not the beginning of what was agreed on: nothing goes on from it.
            unlink_if_exists(name + _PART, dir_fd=folder_fd)
            raise
        finally:
            os.close(fd)
        os.rename(name + _PART, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
        os.fsync(folder_fd)

    def _begin(self, image: Agreed, fd: int) -> ImageCheck:
        """Look again at what came before, and stand behind it."""
        check = ImageCheck(image.name, image.length, image.hashes)
        if os.fstat(fd).st_size > image.length:
            os.ftruncate(fd, 0)
        while data := os.read(fd, _STEP_BYTES):
            check.update(data)
        return check

    def _receive(
        self, image: Agreed, body: ImageBody, fd: int, check: ImageCheck, watch: Watch
    ) -> ImageCheck:
        if body.offset != check.received:
            # The server sends all of it again.
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
            check = ImageCheck(image.name, image.length, image.hashes)
        if body.offset != check.received:
            raise ImageRejected(f"{image.name} comes from byte {body.offset} on, which is missing")
        for data in body.chunks:
            watch.look()
            check.update(data)
            _write_all(fd, data)
            watch.tell(Progress("download", image.name, check.received, image.length))
        return check

    def keep_only(self, hashes: Sequence[Mapping[str, str]]) -> None:
        """Delete all images and pieces but those of these digests."""
        if not os.path.isdir(self.path):
            return
        wanted = {file_name(one) for one in hashes}
        folder_fd = self.open_folder()
        try:
            for name in os.listdir(folder_fd):
                # Other files there are somebody else's.
                is_ours = set(name.removesuffix(_PART)) <= _HEX and len(name) >= 64
                if is_ours and name.removesuffix(_PART) not in wanted:
                    unlink_if_exists(name, dir_fd=folder_fd)
        finally:
            os.close(folder_fd)


class BinaryInstaller:
    """Files as images of the Primary."""

    def __init__(self, files: ImageFiles, *, fake_need_reboot: bool = False) -> None:
        """Prepare.

        Args:
            files: Where they are.
            fake_need_reboot: They count after a restart only.
        """
        self._files = files
        self._fake_need_reboot = fake_need_reboot

    def running(self, log: Sequence[Install]) -> Running | None:
        """Return what was installed last."""
        found = [one.target for one in log if one.state is State.CURRENT]
        if not found:
            return None
        return Running(
            found[-1].name, found[-1].length, found[-1].hashes, found[-1].release_counter
        )

    def refuse(self, image: Agreed) -> None:
        """See that an image is a file.

        Raises:
            ImageUnsuitable: It is a commit.
        """
        if image.is_ostree:
            raise ImageUnsuitable(f"{image.name} is an OSTree commit, and this ECU installs files")
        file_name(image.hashes)

    def has(self, image: Agreed) -> bool:
        """Say whether all of an image is here."""
        return self._files.has(image.hashes)

    def download(self, image: Agreed, source: ImageSource, watch: Watch) -> None:
        """Download a file."""
        self._files.download(image, source, watch)

    def install(self, target: Target, watch: Watch) -> Outcome:
        """See that the file is here."""
        watch.look()
        if not self._files.has(target.hashes):
            return Outcome.failed(f"{target.name} is not in {self._files.path} any more")
        if self._fake_need_reboot:
            return Outcome(Stage.APPLIED, words=_RESTART)
        return Outcome.good()

    def finish(self, target: Target, *, restarted: bool) -> Outcome:
        """Say whether the file is here, and the restart has come."""
        if not self._files.has(target.hashes):
            return Outcome(Stage.LOST)
        if self._fake_need_reboot and not restarted:
            return Outcome(Stage.WAITING, words=_RESTART)
        return Outcome.good()

    def keep_only(self, targets: Sequence[Target]) -> None:
        """Delete other files."""
        self._files.keep_only([one.hashes for one in targets])


def file_name(hashes: Mapping[str, str]) -> str:
    """Return what the file of an image is called.

    Raises:
        ImageUnsuitable: None of its digests can be checked.
    """
    for algorithm in KNOWN:
        found = hashes.get(algorithm, "").lower()
        if len(found) >= 64 and set(found) <= _HEX:
            return found
    raise ImageUnsuitable("an image has no digest that can be checked")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
