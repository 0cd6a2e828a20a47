# SPDX-License-Identifier: Apache-2.0
"""One object from another repository on this machine: by link, by clone, or converted.

An ``Importer`` holds no lock and can be used in a worker process.
"""

from __future__ import annotations

import os
import stat
from errno import EIO, EMLINK, EPERM, EXDEV
from typing import TYPE_CHECKING

from ostrya._linux import reflink, xattr
from ostrya._linux.dirfd import OPEN_FILE
from ostrya._linux.naming import name_error
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.errors import ObjectInvalid
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import has_object, load_file, load_metadata
from ostrya.repo.stores.bare import check_user_only_mode
from ostrya.repo.stores.base import WHOLE_BYTES
from ostrya.repo.verify import ObjectVerifier

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject
    from ostrya.repo.writer import ObjectWriter

_CANNOT_LINK = (EMLINK, EXDEV, EPERM)


class Importer:
    """Copies objects of one repository into another one.

    Attributes:
        imported: Objects that were not there before.
    """

    __slots__ = (
        "_can_hardlink",
        "_check_modes",
        "_is_direct",
        "_source",
        "_source_fd",
        "_target",
        "_trusted",
        "_verifier",
        "_writer",
        "imported",
    )

    def __init__(
        self,
        target: Repository,
        source: Repository,
        writer: ObjectWriter,
        *,
        trusted: bool,
        check_user_only_modes: bool,
    ) -> None:
        """Prepare to import.

        Args:
            target: Where objects go.
            source: Where they come from.
            writer: Of ``target``.
            trusted: Whether files are taken without hashing them.
            check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        """
        self._target = target
        self._source = source
        self._source_fd = source.objects_fd
        self._writer = writer
        self._trusted = trusted
        self._check_modes = check_user_only_modes
        self._verifier = ObjectVerifier(source)
        ours, theirs = os.fstat(target.objects_fd), os.fstat(source.objects_fd)
        same_owner = ours.st_uid == theirs.st_uid
        alike = source.mode == target.mode or (
            source.mode == RepoMode.BARE_USER and target.mode == RepoMode.BARE_USER_ONLY
        )
        # What another user owns may change after it was hashed, and its file may carry a mode
        # that no checksum covers: untrusted, it is made anew from what was hashed.
        self._is_direct = alike and (trusted or same_owner)
        self._can_hardlink = same_owner and ours.st_dev == theirs.st_dev
        self.imported = 0

    @property
    def source(self) -> Repository:
        """Where objects come from."""
        return self._source

    def import_metadata(self, name: ObjectName) -> None:
        """Import a commit, dirtree or dirmeta; asked for again, to no effect.

        Raises:
            ObjectNotFound: The source lacks it.
            ChecksumMismatch: It is damaged.
        """
        path = loose_path(name, archive=False)
        try:
            if self._had(path, name):
                return
            self.imported += 1
            if self._link(path, name):
                return
        except OSError as exc:
            self._name(exc, name)
            raise
        self._writer.write_metadata(name.type, load_metadata(self._source, name), name.checksum)

    def import_content(self, checksum: Checksum) -> None:
        """Import a file or symbolic link; asked for again, it is written again, to no effect.

        Raises:
            ObjectNotFound: The source lacks it.
            ChecksumMismatch: It is damaged.
            ObjectInvalid: Likewise.
            RepoModeError: The target cannot hold it.
        """
        name = ObjectName(checksum, ObjectType.FILE)
        try:
            self._import_named(name)
        except OSError as exc:
            self._name(exc, name)
            raise

    def _name(self, exc: OSError, name: ObjectName) -> None:
        """Let an error be about the object here; of a disk that cannot be read, the one there."""
        place = self._source if exc.errno == EIO else self._target
        path = loose_path(name, archive=place.mode == RepoMode.ARCHIVE)
        name_error(exc, f"{place.path}/objects/{path}")

    def _import_named(self, name: ObjectName) -> None:
        checksum = name.checksum
        if self._had(self._target.store.path_of(checksum), name):
            return
        if self._is_direct and self._import_direct(name):
            self._writer.link_payload(checksum)
            self.imported += 1
            return
        with load_file(self._source, checksum) as loaded:
            header = loaded.header
            if self._check_modes and not header.is_symlink:
                check_user_only_mode(header.mode, checksum)
            if self._target.mode == RepoMode.BARE_USER_ONLY:
                # Checked by the name it has, before ownership is dropped.
                check_user_only_mode(header.mode, checksum)
            if header.is_symlink:
                self._writer.write_symlink(header, checksum)
            else:
                self._write_regular(loaded, checksum)
        self.imported += 1

    def _write_regular(self, loaded: FileObject, checksum: Checksum) -> None:
        header, unseen = loaded.header, self._trusted
        if loaded.size <= WHOLE_BYTES:
            self._writer.write_data(
                header, loaded.read(), checksum, known_absent=True, unseen=unseen
            )
        else:
            self._writer.write_stream(header, loaded.size, loaded.chunks(), checksum, unseen=unseen)

    def _had(self, path: str, name: ObjectName) -> bool:
        if self._writer.had(path):
            return True
        return self._target.parent is not None and has_object(self._target.parent, name)

    def _import_direct(self, name: ObjectName) -> bool:
        """Link or clone the file of an object; False if it has to be converted."""
        converts = self._source.mode != self._target.mode
        if self._check_modes or converts:
            with load_file(self._source, name.checksum) as loaded:
                if converts and loaded.header.is_symlink:
                    return False
                check_user_only_mode(loaded.header.mode, name.checksum)
        path = loose_path(name, archive=self._target.mode == RepoMode.ARCHIVE)
        if self._link(path, name):
            return True
        if not self._trusted:
            self._verifier.verify(name)
        try:
            return self._import_copy(path, converts=converts)
        except reflink.FileTooShortError:
            raise ObjectInvalid(name, "its file ends before its size") from None

    def _link(self, path: str, name: ObjectName) -> bool:
        """Link the file of an object; False if it has to be copied or converted."""
        if not self._can_hardlink:
            return False
        if not self._trusted:
            self._verifier.verify(name)
        try:
            self._writer.destination.publish_link(path, source_fd=self._source_fd)
        except FileNotFoundError:
            # In a parent of the source, perhaps.
            return False
        except OSError as exc:
            if exc.errno not in _CANNOT_LINK:
                raise
            return False
        return True

    def _import_copy(self, path: str, *, converts: bool) -> bool:
        try:
            fd = os.open(path, OPEN_FILE, dir_fd=self._source_fd)
        except OSError:
            # A symbolic link, or not in this very repository.
            return False
        try:
            found = os.fstat(fd)
            destination = self._writer.destination
            with destination.begin(path) as tmp:
                reflink.copy_file_data(fd, tmp.fd, found.st_size)
                mode = self._target.mode
                if mode == RepoMode.BARE:
                    os.fchown(tmp.fd, found.st_uid, found.st_gid)
                if mode in (RepoMode.BARE, RepoMode.BARE_USER) and not converts:
                    xattr.write_xattrs(tmp.fd, tuple(self._wanted_xattrs(fd)))
                os.fchmod(tmp.fd, stat.S_IMODE(found.st_mode))
                if mode != RepoMode.ARCHIVE:
                    os.utime(tmp.fd, ns=(found.st_atime_ns, found.st_mtime_ns))
                destination.publish(tmp, path, found.st_size)
        finally:
            os.close(fd)
        return True

    def _wanted_xattrs(self, fd: int) -> list[tuple[bytes, bytes]]:
        pairs = xattr.read_xattrs(fd)
        if self._target.mode == RepoMode.BARE_USER:
            return [pair for pair in pairs if pair[0] == b"user.ostreemeta"]
        return pairs
