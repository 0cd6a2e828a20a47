# SPDX-License-Identifier: Apache-2.0
"""Where a remote's settings are: in the repository's ``config``, or in a file of the system.

::

    REPO/config                      [remote "NAME"]
    /etc/ostree/remotes.d/*.conf     the same groups, for the repository of the running system

The system's own repository keeps new remotes in files of their own, ``NAME.conf``, unless
``core.add-remotes-config-dir`` says otherwise: updates bring such files along in ``/etc``.

Source: ostree-repo.c (reload_remote_config, get_remotes_d_dir, impl_repo_remote_add).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, list_names, open_dir, read_file, unlink_if_exists
from ostrya.errors import FormatError
from ostrya.formats.keyfile import KeyFile
from ostrya.named_tuple import NamedTuple
from ostrya.repo.config_writer import write_config
from ostrya.repo.errors import RepoConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.repo.repository import Repository

_PREFIX, _SUFFIX = 'remote "', '"'
_MAX_FILE_BYTES = 1 << 20
_REPO_IN_SYSTEM = "ostree/repo"
_DIR_IN_SYSTEM = "etc/ostree/remotes.d"


class RemoteGroup(NamedTuple):
    """The settings of a remote in one repository.

    Attributes:
        keyfile: What holds them, under the group of `remote_group`.
        file: Path of the file of the system that this is; None for the repository's ``config``.
    """

    keyfile: KeyFile
    file: str | None


def remote_group(name: str) -> str:
    """Return the name of the group that holds a remote's settings."""
    return f"{_PREFIX}{name}{_SUFFIX}"


def remotes_dir(repo: Repository) -> str | None:
    """Return the directory where the system keeps remotes; None unless this is its repository."""
    root = repo.runtime.system_root
    if root is None:
        return None
    try:
        found = os.stat(os.path.join(root, _REPO_IN_SYSTEM))
    except OSError:
        return None
    if not os.path.samestat(found, os.fstat(repo.dir_fd)):
        return None
    return os.path.join(root, _DIR_IN_SYSTEM)


def read_remotes(repo: Repository) -> dict[str, RemoteGroup]:
    """Return the remotes of a repository by name; those of its parents are theirs.

    Raises:
        RepoConfigError: A file of the system is damaged, or says again what another one says.
        OSError: One cannot be read.
    """
    config = repo.config.keyfile
    found = {name: RemoteGroup(config, None) for name in _remote_names(config)}
    folder = remotes_dir(repo)
    if folder is None:
        return found
    for file, keyfile in _read_files(folder):
        for name in _remote_names(keyfile):
            if name in found:
                raise RepoConfigError(
                    f'Reloading remotes: Multiple specifications found for remote "{name}"',
                    hint=f"one is in {found[name].file or 'the config of the repository'}, "
                    f"another one in {file}",
                )
            found[name] = RemoteGroup(keyfile, file)
    return found


def find_remote(repo: Repository, name: str) -> RemoteGroup | None:
    """Return a remote of a repository itself; None if there is none of that name.

    Raises:
        RepoConfigError: As `read_remotes`.
    """
    return read_remotes(repo).get(name)


def find_in_chain(repo: Repository, name: str) -> list[RemoteGroup]:
    """Return a remote's settings in a repository and in its parents, the nearest first."""
    found = []
    current: Repository | None = repo
    while current is not None:
        group = find_remote(current, name)
        if group is not None:
            found.append(group)
        current = current.parent
    return found


def place_of_new(repo: Repository, name: str) -> str | None:
    """Return the file of the system that a new remote goes to; None for ``config``."""
    folder = remotes_dir(repo)
    if folder is None or not repo.config.add_remotes_config_dir:
        return None
    return f"{folder}/{name}.conf"


def write_remote(repo: Repository, keyfile: KeyFile, file: str | None) -> None:
    """Write what holds a remote's settings, and read the repository's anew."""
    if file is None:
        write_config(repo, keyfile)
        repo.reload_config()
        return
    folder = os.path.dirname(file)
    os.makedirs(folder, exist_ok=True)
    fd = open_dir(folder, follow=True)
    try:
        if keyfile.groups():
            data = keyfile.to_text().encode()
            replace_file(
                os.path.basename(file), data, dir_fd=fd, durable=repo.config.fsync, mode=0o644
            )
        else:
            unlink_if_exists(os.path.basename(file), dir_fd=fd)
    finally:
        os.close(fd)


def _remote_names(keyfile: KeyFile) -> Iterator[str]:
    for group in keyfile.groups():
        if group.startswith(_PREFIX) and group.endswith(_SUFFIX):
            yield group[len(_PREFIX) : -len(_SUFFIX)]


def _read_files(folder: str) -> Iterator[tuple[str, KeyFile]]:
    try:
        fd = open_dir(folder, follow=True)
    except FileNotFoundError:
        return
    try:
        for name in sorted(list_names(fd)):
            file = f"{folder}/{name}"
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if not name.endswith(".conf") or not stat.S_ISREG(found.st_mode):
                continue
            try:
                yield file, KeyFile.decode(read_file(name, dir_fd=fd, max_bytes=_MAX_FILE_BYTES))
            except FormatError as exc:
                raise RepoConfigError(f"Reloading remotes: {file}: {exc}") from None
            except FileTooLargeError:
                raise RepoConfigError(f"Reloading remotes: {file} is too large") from None
    finally:
        os.close(fd)
