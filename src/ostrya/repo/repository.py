# SPDX-License-Identifier: Apache-2.0
"""Open handles and facts of one repository; what is done with them lives in the other modules."""

from __future__ import annotations

import os
import sys
from errno import EACCES, EOPNOTSUPP, EROFS
from typing import TYPE_CHECKING

from ostrya._linux import dirfd
from ostrya.errors import OstryaError, RepoError
from ostrya.formats.keyfile import KeyFile
from ostrya.repo.config import MAX_CONFIG_BYTES, RepoConfig, initial_config, parse_config
from ostrya.repo.errors import NamesNotUtf8, RepoConfigError, RepoModeError, RepoNotFound
from ostrya.repo.lock import RepoLock
from ostrya.repo.modes import RepoMode
from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime

if TYPE_CHECKING:
    from typing import Self

    from ostrya.repo.stores.base import ContentStore

_STATE_DIRS = (
    "tmp",
    "extensions",
    "state",
    "refs",
    "refs/heads",
    "refs/mirrors",
    "refs/remotes",
    # Last: a directory with objects/ counts as a finished repository.
    "objects",
)
_MAX_PARENTS = 8


class Repository:
    """An open repository.

    Attributes:
        path: As it was opened; for messages.
        dir_fd: The repository's directory.
        objects_fd: Its ``objects`` directory.
        tmp_fd: Its ``tmp`` directory.
        staging_fd: Objects of the transaction under way, or -1.
        config: What its configuration says.
        parent: The repository whose objects count as present here, if there is one.
        writable: Whether objects can be written.
        lock: Its lock.
        runtime: What the surroundings say.
    """

    __slots__ = (
        "_store",
        "config",
        "dir_fd",
        "lock",
        "objects_fd",
        "parent",
        "path",
        "runtime",
        "staging_fd",
        "tmp_fd",
        "writable",
    )

    def __init__(self, path: str, dir_fd: int, runtime: Runtime) -> None:
        self.path = path
        self.dir_fd = dir_fd
        self.runtime = runtime
        self.objects_fd = -1
        self.tmp_fd = -1
        self.staging_fd = -1
        self.parent: Repository | None = None
        try:
            self._open_handles()
        except BaseException:
            # The directory is still its opener's.
            self.dir_fd = -1
            self.close()
            raise

    def _open_handles(self) -> None:
        dir_fd, runtime = self.dir_fd, self.runtime
        self.objects_fd = dirfd.open_dir("objects", dir_fd=dir_fd, follow=True)
        self.writable = os.access(".", os.W_OK, dir_fd=self.objects_fd)
        if self.writable:
            # People free space by deleting tmp; make it anew rather than fail.
            dirfd.ensure_dir("tmp", dir_fd=dir_fd)
        self.tmp_fd = dirfd.open_dir("tmp", dir_fd=dir_fd, follow=True)
        if self.writable and runtime.use_cache:
            dirfd.ensure_dir("cache", dir_fd=self.tmp_fd)
        self.config: RepoConfig = read_config(self)
        self._store: ContentStore | None = None
        self.lock = RepoLock(dir_fd, self.config.lock_timeout_s, runtime.on_lock_wait)

    @property
    def mode(self) -> RepoMode:
        """How content is stored."""
        return self.config.mode

    @property
    def store(self) -> ContentStore:
        """How content lies in it; made when content is first asked for."""
        if self._store is None:
            from ostrya.repo.stores.registry import make_store

            self._store = make_store(self.config, self.runtime)
        return self._store

    def reload_config(self) -> None:
        """Read the configuration again, after it was changed."""
        self.config = read_config(self)
        self._store = None

    def close(self) -> None:
        """Close all handles, the parents' too; a lock held is lost."""
        lock = getattr(self, "lock", None)
        if lock is not None:
            lock.close()
        for fd in (self.tmp_fd, self.objects_fd, self.dir_fd):
            if fd != -1:
                os.close(fd)
        self.tmp_fd = self.objects_fd = self.dir_fd = -1
        if self.parent is not None:
            self.parent.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def read_config(repo: Repository) -> RepoConfig:
    """Read a repository's configuration from the disk.

    Raises:
        RepoConfigError: It is missing, too large, or holds what cannot be used.
        KeyFileError: It is damaged; the sentence names it.
    """
    try:
        data = dirfd.read_file("config", dir_fd=repo.dir_fd, max_bytes=MAX_CONFIG_BYTES)
    except dirfd.FileTooLargeError:
        raise RepoConfigError(f"config of repo {repo.path} is too large") from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise RepoConfigError(f"config of repo {repo.path} is not UTF-8") from None
    try:
        return parse_config(KeyFile.parse(text))
    except OstryaError as exc:
        exc.message = f"{repo.path}/config: {exc.message}"
        exc.args = (exc.message,)
        raise


def open_repository(
    path: str, *, dir_fd: int | None = None, runtime: Runtime = DEFAULT_RUNTIME
) -> Repository:
    """Open a repository.

    Args:
        path: Its directory.
        dir_fd: What ``path`` is relative to; the current directory if None.
        runtime: What the surroundings say.

    Raises:
        RepoNotFound: There is no repository at ``path``.
        RepoConfigError: Its configuration cannot be used.
        NamesNotUtf8: This process takes file names for something else.
        OSError: It may not be read.
    """
    _require_utf8_names()
    return _open_chain(path, dir_fd, runtime, seen=())


def _require_utf8_names() -> None:
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8":
        raise NamesNotUtf8(encoding)


def _open_chain(
    path: str, dir_fd: int | None, runtime: Runtime, seen: tuple[tuple[int, int], ...]
) -> Repository:
    repo = _open_one(path, dir_fd, runtime)
    try:
        parent_path = repo.config.parent_path
        if parent_path is not None:
            found = os.fstat(repo.dir_fd)
            identity = (found.st_dev, found.st_ino)
            if identity in seen or len(seen) >= _MAX_PARENTS:
                raise RepoConfigError(f"repo {path} has a parent chain without end")
            try:
                repo.parent = _open_chain(parent_path, None, runtime, (*seen, identity))
            except (RepoError, OSError) as exc:
                raise RepoConfigError(
                    f"While checking parent repository '{parent_path}': {_sentence(exc)}"
                ) from exc
    except BaseException:
        repo.close()
        raise
    return repo


def _open_one(path: str, dir_fd: int | None, runtime: Runtime) -> Repository:
    fd = -1
    try:
        fd = dirfd.open_dir(path, dir_fd=dir_fd, follow=True)
        return Repository(path, fd, runtime)
    except (FileNotFoundError, NotADirectoryError) as exc:
        _close_quietly(fd)
        raise RepoNotFound(
            f"opening repo: opendir({exc.filename if fd != -1 else path}): {exc.strerror}",
            hint=f"create one with: ostrya init --repo={path}",
        ) from exc
    except BaseException:
        _close_quietly(fd)
        raise


def _close_quietly(fd: int) -> None:
    if fd != -1:
        os.close(fd)


def _sentence(exc: Exception) -> str:
    return exc.strerror or str(exc) if isinstance(exc, OSError) else str(exc)


def create_repository(
    path: str,
    mode: RepoMode,
    *,
    collection_id: str | None = None,
    dir_fd: int | None = None,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> Repository:
    """Create a repository and open it; an existing one is opened as it is.

    Raises:
        RefNameError: ``collection_id`` is not valid.
        RepoModeError: The file system cannot hold a repository of this mode.
        NamesNotUtf8: This process takes file names for something else.
        OSError: The directory cannot be made.
    """
    _require_utf8_names()
    if collection_id is not None:
        from ostrya.formats.refs import check_collection_id

        check_collection_id(collection_id)
    dirfd.ensure_dir(path, dir_fd=dir_fd)
    repo_fd = dirfd.open_dir(path, dir_fd=dir_fd, follow=True)
    try:
        if not dirfd.exists("objects", dir_fd=repo_fd):
            _populate(repo_fd, path, mode, collection_id)
    finally:
        os.close(repo_fd)
    return open_repository(path, dir_fd=dir_fd, runtime=runtime)


def _populate(repo_fd: int, path: str, mode: RepoMode, collection_id: str | None) -> None:
    from ostrya._linux.atomic import replace_file

    if mode == RepoMode.BARE_USER:
        _require_user_xattrs(repo_fd, path)
    if not dirfd.exists("config", dir_fd=repo_fd):
        replace_file("config", initial_config(mode, collection_id).encode(), dir_fd=repo_fd)
    for name in _STATE_DIRS:
        dirfd.ensure_dir(name, dir_fd=repo_fd)


def _require_user_xattrs(repo_fd: int, path: str) -> None:
    """Fail now rather than at the first object."""
    from ostrya._linux.atomic import TmpFile

    with TmpFile(repo_fd) as tmp:
        try:
            os.setxattr(tmp.fd, "user.ostreemeta", b"\0")
        except OSError as exc:
            if exc.errno != EOPNOTSUPP:
                raise
            raise RepoModeError(
                "Creating repo: Writing bareuser metadata: fsetxattr(user.ostreemeta): "
                "Operation not supported",
                hint=f"the file system of {path} has no user extended attributes; "
                "choose another place, or mode bare-user-only",
            ) from exc


def require_writable(repo: Repository) -> None:
    """Refuse early what would fail later.

    Raises:
        OSError: The repository's objects may not be written, or lie on a read-only file system.
    """
    if not repo.writable:
        read_only = os.fstatvfs(repo.objects_fd).f_flag & os.ST_RDONLY
        errno = EROFS if read_only else EACCES
        raise OSError(errno, os.strerror(errno), f"{repo.path}/objects")
