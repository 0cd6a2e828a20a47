# SPDX-License-Identifier: Apache-2.0
"""OpenPGP keyrings of a repository: whose signatures a remote's commits may carry.

::

    REPO/NAME.trustedkeys.gpg            keys of the remote NAME, by `remote gpg-import`
    /etc/ostree/remotes.d/NAME.trustedkeys.gpg
                                         the same, for remotes of the system
    remote "NAME" gpgkeypath             files and directories with more keys
    /usr/share/ostree/trusted.gpg.d/*.gpg
                                         keys for remotes that have no keyring of their own

Keyrings are written atomically; a remote that is deleted takes its keyring along.

Source: ostree-repo.c (_ostree_repo_gpg_prepare_verifier, ostree_repo_remote_gpg_import).
"""

from __future__ import annotations

import os
import stat
from errno import ENOENT, ENOTDIR
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import (
    FileTooLargeError,
    list_names,
    open_dir,
    read_fd,
    read_file,
    unlink_if_exists,
)
from ostrya._linux.naming import names_repo
from ostrya.errors import RepoError
from ostrya.formats.refs import check_remote_name
from ostrya.repo.remote_files import find_in_chain, remote_group, remotes_dir
from ostrya.sign.errors import InvalidKey
from ostrya.sign.gpg_home import Keyrings
from ostrya.sign.openpgp import MAX_KEYRING_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.repo.repository import Repository

_NO_KEYRINGS = frozenset({"trustdb.gpg", "secring.gpg"})
_ABSENT = (ENOENT, ENOTDIR)
_SEPARATORS = ";,"


def remote_keyrings(repo: Repository, remote: str, *, with_global: bool = True) -> Keyrings:
    """Return the keys that may sign what comes from a remote.

    Args:
        repo: The repository.
        remote: The remote's name.
        with_global: Whether the system's keys count for a remote without a keyring of its own.

    Raises:
        RepoError: There is no such remote.
        InvalidKey: A keyring is too large, or the setting ``gpgkeypath`` makes no sense.
        OSError: What the setting names cannot be read.
    """
    paths = _key_paths(repo, remote)
    own = _find_keyring(repo, remote)
    if own is not None:
        found = Keyrings((own,))
    else:
        found = global_keyrings(repo) if with_global else Keyrings()
    files = [file for path in paths for file in _read_key_path(path)]
    return found.joined(Keyrings(key_files=tuple(files)))


def all_keyrings(repo: Repository, *, extra_dir: str | None = None) -> Keyrings:
    """Return the keys of all remotes, the system's, and those in one more directory.

    They tell who signed a commit that is here, not whether it may come in.

    Raises:
        InvalidKey: A keyring is too large.
        OSError: The directory cannot be read.
    """
    found = Keyrings(_read_dir(".", repo.dir_fd, repo.path)).joined(global_keyrings(repo))
    if extra_dir is not None:
        found = found.joined(Keyrings(_read_dir(extra_dir)))
    return found


def global_keyrings(repo: Repository, *, extra_dir: str | None = None) -> Keyrings:
    """Return the system's keys, and those in one more directory.

    Raises:
        InvalidKey: A keyring is too large.
        OSError: A directory cannot be read.
    """
    home = repo.runtime.gpg_home
    found = Keyrings(_read_dir(home)) if os.path.isdir(home) else Keyrings()
    return found if extra_dir is None else found.joined(Keyrings(_read_dir(extra_dir)))


@names_repo
def import_remote_keys(
    repo: Repository,
    remote: str,
    sources: Sequence[tuple[str, bytes]] | None,
    key_ids: Sequence[str] = (),
) -> int:
    """Add keys to the keyring of a remote, and return how many were new.

    Args:
        repo: The repository.
        remote: The remote's name.
        sources: Contents of keyrings with their names; None for the user's own keys.
        key_ids: The keys to take; all if there are none.

    Raises:
        RepoError: There is no such remote.
        InvalidKey: There is no such key, or something is no keyring.
    """
    from ostrya.sign.gpg import import_keys

    _key_paths(repo, remote)
    name = keyring_name(remote)
    try:
        old = read_file(name, dir_fd=repo.dir_fd, max_bytes=MAX_KEYRING_BYTES)
    except FileNotFoundError:
        old = b""
    except FileTooLargeError:
        raise InvalidKey(f"{name} is too large") from None
    new, count = import_keys(old, sources, key_ids)
    replace_file(name, new, dir_fd=repo.dir_fd, durable=repo.config.fsync)
    return count


@names_repo
def delete_keyring(repo: Repository, remote: str) -> None:
    """Delete the keyring of a remote, if it has one in the repository."""
    unlink_if_exists(keyring_name(remote), dir_fd=repo.dir_fd)


def keyring_name(remote: str) -> str:
    """Return the name of a remote's keyring.

    Raises:
        RefNameError: No remote can have that name.
    """
    return f"{check_remote_name(remote)}.trustedkeys.gpg"


# -------------------------------------------------------------------------- settings


def _key_paths(repo: Repository, remote: str) -> Sequence[str]:
    found = find_in_chain(repo, remote)
    if not found:
        raise RepoError(f'Remote "{remote}" not found')
    keyfile, group = found[0].keyfile, remote_group(remote)
    if not keyfile.has_key(group, "gpgkeypath"):
        return ()
    return _split_paths(keyfile.get_value(group, "gpgkeypath"))


def _split_paths(value: str) -> list[str]:
    used = [separator for separator in _SEPARATORS if separator in value]
    if len(used) > 1:
        raise InvalidKey("key value list contains more than one separator")
    if not used:
        return [value]
    # The separator may end the last item.
    return value.removesuffix(used[0]).split(used[0])


# ----------------------------------------------------------------------------- files


def _find_keyring(repo: Repository, remote: str) -> tuple[str, bytes] | None:
    name = keyring_name(remote)
    current: Repository | None = repo
    while current is not None:
        found = _read_if_there(name, current.dir_fd, current.path)
        folder = remotes_dir(current) if found is None else None
        if folder is not None:
            found = _read_if_there(f"{folder}/{name}", None, "")
        if found is not None:
            return found
        current = current.parent
    return None


def _read_if_there(name: str, dir_fd: int | None, folder: str) -> tuple[str, bytes] | None:
    try:
        return _read(name, dir_fd, folder)
    except OSError as exc:
        if exc.errno in _ABSENT:
            return None
        raise


def _read_dir(
    path: str, dir_fd: int | None = None, folder: str = ""
) -> tuple[tuple[str, bytes], ...]:
    """Read what a directory has of keyrings, in the order of their names."""
    fd = open_dir(path, dir_fd=dir_fd, follow=True)
    try:
        names = [name for name in list_names(fd) if name.endswith(".gpg")]
        wanted = [name for name in sorted(names) if name not in _NO_KEYRINGS]
        return tuple(
            _read(name, fd, folder or path) for name in wanted if _is_file(name, dir_fd=fd)
        )
    finally:
        os.close(fd)


def _read_key_path(path: str) -> list[tuple[str, bytes]]:
    """Read a file, or all files in a directory; some of them may be something else than keys."""
    if not path:
        # What stands before a separator; no file has this name, and the sentence shows that.
        raise InvalidKey(f"gpgkeypath: opendir(): {os.strerror(ENOENT)}")
    try:
        fd = open_dir(path, follow=True)
    except NotADirectoryError:
        return [_read(path, None, "")]
    try:
        names = sorted(name for name in list_names(fd) if _is_file(name, dir_fd=fd))
        return [_read(name, fd, path) for name in names]
    finally:
        os.close(fd)


def _is_file(name: str, *, dir_fd: int) -> bool:
    return stat.S_ISREG(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode)


def _read(name: str, dir_fd: int | None, folder: str) -> tuple[str, bytes]:
    path = f"{folder}/{name}" if folder else name
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    fd = os.open(name, flags, dir_fd=dir_fd)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InvalidKey(f"{path} is not a regular file")
        return path, read_fd(fd, max_bytes=MAX_KEYRING_BYTES)
    except FileTooLargeError:
        raise InvalidKey(f"{path} is larger than {MAX_KEYRING_BYTES >> 20} MiB") from None
    finally:
        os.close(fd)
