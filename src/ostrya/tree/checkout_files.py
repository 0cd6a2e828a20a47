# SPDX-License-Identifier: Apache-2.0
"""Placing the files of one directory: by hard link where that is possible, else by copy."""

from __future__ import annotations

import os
import stat
from errno import EEXIST, EMLINK, EPERM, EXDEV
from typing import TYPE_CHECKING

from ostrya._linux import dirfd, reflink, xattr
from ostrya._linux.atomic import write_all
from ostrya.formats.checksum import Checksum
from ostrya.formats.errors import ObjectFormatError
from ostrya.repo.modes import TRAITS, RepoMode
from ostrya.repo.reader import load_file
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from ostrya.tree.errors import HardlinkImpossible
from ostrya.tree.file_checksum import file_checksum
from ostrya.tree.whiteouts import quoted_whiteout_target, whiteout_target

if TYPE_CHECKING:
    from ostrya.formats.file_header import FileHeader
    from ostrya.repo.repository import Repository
    from ostrya.repo.stores.base import FileObject
    from ostrya.tree.uncompressed_cache import UncompressedCache

_CANNOT_LINK = (EMLINK, EXDEV, EPERM)
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID


class FilePlacer:
    """Places files of one repository, under the same options.

    Attributes:
        cache: Inflated content, if it is kept.
    """

    __slots__ = ("_link_sources", "_options", "_repo", "_user_links", "cache")

    def __init__(
        self, repo: Repository, options: CheckoutOptions, cache: UncompressedCache | None
    ) -> None:
        self._repo = repo
        self._options = options
        self.cache = cache
        self._link_sources = _link_sources(repo, options)
        self._user_links = options.user_mode

    def place(self, dir_fd: int, name: str, checksum: Checksum, label: str | None = None) -> None:
        """Place one file.

        Raises:
            ObjectNotFound: The repository lacks the content.
            FileExistsError: Something of that name is there, and may not be replaced.
            HardlinkImpossible: Hard links are required and impossible.
        """
        options = self._options
        if (options.process_whiteouts or options.process_passthrough_whiteouts) and (
            self._place_whiteout(dir_fd, name, checksum)
        ):
            return
        if not options.force_copy and self._place_link(dir_fd, name, checksum):
            return
        with load_file(self._repo, checksum) as loaded:
            if self._cacheable(loaded) and self._place_cached(dir_fd, name, checksum, loaded):
                return
            self._place_copy(dir_fd, name, checksum, loaded, label)

    # -- links

    def _place_link(self, dir_fd: int, name: str, checksum: Checksum) -> bool:
        path = f"{checksum[:2]}/{checksum[2:]}.file"
        for repo in self._link_sources:
            try:
                found = os.stat(path, dir_fd=repo.objects_fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            # Empty files are so common that their links run out.
            if not found.st_size:
                return False
            if self._user_links and self._must_copy(repo, path, found):
                return False
            return self._link(repo.objects_fd, path, dir_fd, name, checksum)
        if self._options.require_hardlinks and not self._link_sources:
            self._refuse_copy(checksum)
        return False

    def _refuse_copy(self, checksum: Checksum) -> None:
        """Say why links are impossible, unless the object is one that is copied in any case."""
        user_repo = TRAITS[self._repo.mode].user_checkout
        if user_repo:
            with load_file(self._repo, checksum) as loaded:
                if loaded.header.is_symlink:
                    return
            raise HardlinkImpossible("User repository mode requires user checkout mode to hardlink")
        raise HardlinkImpossible("Bare repository mode cannot hardlink in user checkout mode")

    def _must_copy(self, repo: Repository, path: str, found: os.stat_result) -> bool:
        """Say whether a user-mode checkout differs from the file in the repository."""
        if repo.mode == RepoMode.BARE_USER:
            checksum = Checksum(path[:2] + path[3:].removesuffix(".file"))
            with load_file(repo, checksum) as loaded:
                return loaded.header.is_symlink or not loaded.header.mode & stat.S_IRUSR
        return stat.S_ISLNK(found.st_mode) or not found.st_mode & stat.S_IRUSR

    def _link(self, src_fd: int, path: str, dir_fd: int, name: str, checksum: Checksum) -> bool:
        """Link an object; False if it has to be copied after all."""
        try:
            os.link(path, name, src_dir_fd=src_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
        except FileExistsError as exc:
            return self._link_over(src_fd, path, dir_fd, name, checksum, exc)
        except OSError as exc:
            if exc.errno in _CANNOT_LINK and not self._options.require_hardlinks:
                return False
            raise
        if self._options.devino is not None:
            found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
            self._options.devino.add(found.st_dev, found.st_ino, checksum)
        return True

    def _link_over(
        self,
        src_fd: int,
        path: str,
        dir_fd: int,
        name: str,
        checksum: Checksum,
        error: FileExistsError,
    ) -> bool:
        overwrite = self._options.overwrite
        if overwrite == Overwrite.ADD_FILES:
            return True
        if overwrite == Overwrite.NONE:
            raise _exists(f"Hardlinking {path} to {name}") from error
        if self._is_identical(src_fd, path, dir_fd, name, checksum):
            return True
        if overwrite == Overwrite.UNION_IDENTICAL:
            raise _exists(f"Hardlinking {path} to {name}") from error
        if self._options.process_whiteouts:
            dirfd.remove_tree(name, dir_fd=dir_fd)
        try:
            self._link_and_rename(src_fd, path, dir_fd, name)
        except OSError as exc:
            # EXDEV shows only now: a name that is taken is found first.
            if exc.errno in _CANNOT_LINK and not self._options.require_hardlinks:
                return False
            raise
        return True

    def _link_and_rename(self, src_fd: int, path: str, dir_fd: int, name: str) -> None:
        temporary = "checkout-union-" + os.urandom(6).hex()
        tmp_fd = self._repo.tmp_fd
        os.link(path, temporary, src_dir_fd=src_fd, dst_dir_fd=tmp_fd, follow_symlinks=False)
        try:
            os.rename(temporary, name, src_dir_fd=tmp_fd, dst_dir_fd=dir_fd)
        except OSError as exc:
            exc.filename, exc.filename2 = name, None
            raise
        finally:
            # Renaming one link of a file over another one leaves both.
            dirfd.unlink_if_exists(temporary, dir_fd=tmp_fd)

    def _is_identical(
        self, src_fd: int, path: str, dir_fd: int, name: str, checksum: Checksum
    ) -> bool:
        ours = os.stat(path, dir_fd=src_fd, follow_symlinks=False)
        theirs = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino):
            return True
        if (ours.st_mode, ours.st_size) != (theirs.st_mode, theirs.st_size):
            return False
        return self._hashes_to(dir_fd, name, checksum)

    def _hashes_to(self, dir_fd: int, name: str, checksum: Checksum) -> bool:
        user_only = self._repo.mode == RepoMode.BARE_USER_ONLY
        try:
            actual = file_checksum(
                name,
                dir_fd=dir_fd,
                ignore_xattrs=user_only or self._repo.config.disable_xattrs,
                canonical=user_only,
            )
        except ObjectFormatError:
            # A directory or a device is never the same.
            return False
        return actual == checksum

    # -- inflated content of archives

    def _cacheable(self, loaded: FileObject) -> bool:
        return (
            self.cache is not None
            and not self._options.force_copy
            and not loaded.header.is_symlink
            and loaded.size > 0
            and bool(loaded.header.mode & stat.S_IRUSR)
        )

    def _place_cached(self, dir_fd: int, name: str, checksum: Checksum, loaded: FileObject) -> bool:
        if self.cache is None:
            return False
        cache_fd, path = self.cache.ensure(checksum, loaded)
        try:
            return self._link(cache_fd, path, dir_fd, name, checksum)
        except FileNotFoundError:
            # Another checkout collected it as garbage before it had its link.
            return False

    # -- copies

    def _place_copy(
        self, dir_fd: int, name: str, checksum: Checksum, loaded: FileObject, label: str | None
    ) -> None:
        header = loaded.header
        if label is not None:
            from ostrya.tree.selinux_labels import with_label

            header = header._replace(xattrs=with_label(header.xattrs, label, header.mode))
        try:
            self._copy_once(dir_fd, name, header, loaded)
        except FileExistsError as exc:
            overwrite = self._options.overwrite
            if overwrite == Overwrite.ADD_FILES:
                return
            if overwrite == Overwrite.NONE:
                raise _exists(f"Copy checkout of {checksum} to {name}") from exc
            if overwrite == Overwrite.UNION_IDENTICAL:
                if self._same_as_existing(dir_fd, name, checksum, header):
                    return
                raise _exists(f"Copy checkout of {checksum} to {name}") from exc
            self._copy_over(dir_fd, name, header, loaded)

    def _same_as_existing(
        self, dir_fd: int, name: str, checksum: Checksum, header: FileHeader
    ) -> bool:
        if header.is_symlink:
            try:
                return os.readlink(name, dir_fd=dir_fd) == header.symlink_target
            except OSError:
                return False
        return self._hashes_to(dir_fd, name, checksum)

    def _copy_over(self, dir_fd: int, name: str, header: FileHeader, loaded: FileObject) -> None:
        """Put a copy in place of what is there, at once."""
        if self._options.process_whiteouts:
            dirfd.remove_tree(name, dir_fd=dir_fd)
            self._copy_once(dir_fd, name, header, loaded)
            return
        temporary = f".{os.urandom(8).hex()}.tmp"
        self._copy_once(dir_fd, temporary, header, loaded)
        try:
            os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        except OSError:
            os.unlink(temporary, dir_fd=dir_fd)
            raise

    def _copy_once(self, dir_fd: int, name: str, header: FileHeader, loaded: FileObject) -> None:
        if header.is_symlink:
            os.symlink(header.symlink_target, name, dir_fd=dir_fd)
            if not self._options.user_mode:
                _give_link(dir_fd, name, header)
            return
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(name, flags, 0o600, dir_fd=dir_fd)
        try:
            self._fill(fd, header, loaded)
        except BaseException:
            os.unlink(name, dir_fd=dir_fd)
            raise
        finally:
            os.close(fd)

    def _fill(self, fd: int, header: FileHeader, loaded: FileObject) -> None:
        if loaded.content_fd != -1 and self._repo.mode != RepoMode.ARCHIVE:
            reflink.copy_file_data(loaded.content_fd, fd, loaded.size)
        else:
            for chunk in loaded.chunks():
                write_all(fd, chunk)
        mode = stat.S_IMODE(header.mode)
        if self._options.user_mode:
            # Nobody becomes somebody else by unpacking a tree as an ordinary user.
            mode = (mode | stat.S_IRUSR) & ~_SPECIAL_BITS
        else:
            os.fchown(fd, header.uid, header.gid)
            xattr.write_xattrs(fd, header.xattrs)
        os.fchmod(fd, mode)
        if self._options.fsync:
            os.fsync(fd)

    # -- whiteouts

    def _place_whiteout(self, dir_fd: int, name: str, checksum: Checksum) -> bool:
        options = self._options
        hidden = whiteout_target(name) if options.process_whiteouts else None
        quoted = None
        if hidden is None and options.process_passthrough_whiteouts:
            quoted = quoted_whiteout_target(name)
        if hidden is None and quoted is None:
            return False
        with load_file(self._repo, checksum) as loaded:
            header = loaded.header
        if header.is_symlink:
            # Whiteouts are files: a link of such a name is a link.
            return False
        if hidden is not None:
            dirfd.remove_tree(hidden, dir_fd=dir_fd)
        elif quoted is not None:
            self._place_device(dir_fd, quoted, header)
        return True

    def _place_device(self, dir_fd: int, name: str, header: FileHeader) -> None:
        mode = stat.S_IMODE(header.mode)
        try:
            os.mknod(name, mode | stat.S_IFCHR, os.makedev(0, 0), dir_fd=dir_fd)
        except FileExistsError:
            overwrite = self._options.overwrite
            if overwrite == Overwrite.ADD_FILES:
                return
            if overwrite == Overwrite.NONE:
                raise
            if overwrite == Overwrite.UNION_IDENTICAL:
                _require_same_device(dir_fd, name, header, user=self._options.user_mode)
                return
            os.unlink(name, dir_fd=dir_fd)
            os.mknod(name, mode | stat.S_IFCHR, os.makedev(0, 0), dir_fd=dir_fd)
        if not self._options.user_mode:
            xattr.write_xattrs_at(name, header.xattrs, dir_fd=dir_fd)
            os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
            os.chmod(name, mode, dir_fd=dir_fd)


def _give_link(dir_fd: int, name: str, header: FileHeader) -> None:
    """Give a link that was just made its owner and xattrs; it goes where that is impossible."""
    try:
        os.chown(name, header.uid, header.gid, dir_fd=dir_fd, follow_symlinks=False)
        xattr.write_xattrs_at(name, header.xattrs, dir_fd=dir_fd)
    except BaseException:
        os.unlink(name, dir_fd=dir_fd)
        raise


def _require_same_device(dir_fd: int, name: str, header: FileHeader, *, user: bool) -> None:
    found = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    actual = (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
    wanted = (header.uid, header.gid, stat.S_IMODE(header.mode))
    if not stat.S_ISCHR(found.st_mode) or (not user and actual != wanted):
        raise _exists(f"existing destination file {name} is not the same whiteout")


def _link_sources(repo: Repository, options: CheckoutOptions) -> list[Repository]:
    """Return this repository and its parents, as far as their files are those of the checkout."""
    sources = []
    current: Repository | None = repo
    while current is not None:
        traits = TRAITS[current.mode]
        linkable = traits.is_bare and current.mode != RepoMode.BARE_SPLIT_XATTRS
        if linkable and traits.user_checkout == options.user_mode:
            sources.append(current)
        current = current.parent
    return sources


def _exists(message: str) -> FileExistsError:
    return FileExistsError(EEXIST, f"{message}: File exists")
