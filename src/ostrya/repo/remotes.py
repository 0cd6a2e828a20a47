# SPDX-License-Identifier: Apache-2.0
"""Listing, adding and deleting remotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.refs import check_remote_name
from ostrya.repo.remote_files import (
    find_in_chain,
    find_remote,
    place_of_new,
    read_remotes,
    remote_group,
    write_remote,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.repo.repository import Repository

_FILE = "file://"
_METALINK = "metalink="

Setting = tuple[str, str | bool | tuple[str, ...]]


def list_remotes(repo: Repository) -> list[str]:
    """Return the names of the remotes of a repository and its parents, sorted."""
    found: set[str] = set()
    current: Repository | None = repo
    while current is not None:
        found.update(read_remotes(current))
        current = current.parent
    return sorted(found, key=str.encode)


def remote_url(repo: Repository, name: str) -> str:
    """Return the address of a remote; a ``file://`` address stands for itself.

    Raises:
        RepoError: There is no such remote, or it has no address.
    """
    if name.startswith(_FILE):
        return name
    found = find_in_chain(repo, name)
    if not found:
        raise RepoError(f'Remote "{name}" not found')
    keyfile, group = found[0].keyfile, remote_group(name)
    if not keyfile.has_key(group, "url"):
        raise RepoError(f'No "url" option in remote "{name}"')
    return keyfile.get_string(group, "url")


def add_remote(
    repo: Repository,
    name: str,
    url: str | None,
    settings: Iterable[Setting],
    *,
    replace: bool = False,
    keep: bool = False,
) -> None:
    """Add a remote.

    Args:
        repo: Where to add it.
        name: Its name.
        url: Its address; ``metalink=`` before the address of a metalink.
        settings: Its other settings, in the order to write them.
        replace: Whether one of that name is replaced.
        keep: Whether one of that name is left as it is, without an error.

    Raises:
        RepoError: There is one of that name.
        RefNameError: No remote can have that name.
    """
    check_remote_name(name)
    group = remote_group(name)
    found = find_remote(repo, name)
    if found is None:
        file = place_of_new(repo, name)
        keyfile = _copy(repo.config.keyfile) if file is None else KeyFile()
    else:
        file = found.file
        if keep:
            return
        if not replace:
            place = file or "(in config)"
            raise RepoError(f'Remote configuration for "{name}" already exists: {place}')
        keyfile = _copy(found.keyfile)
        keyfile.remove_group(group)
    if url is not None:
        is_metalink = url.startswith(_METALINK)
        keyfile.set_string(group, "metalink" if is_metalink else "url", url.removeprefix(_METALINK))
    for key, value in settings:
        if isinstance(value, bool):
            keyfile.set_boolean(group, key, value)
        elif isinstance(value, str):
            keyfile.set_string(group, key, value)
        else:
            keyfile.set_string_list(group, key, value)
    write_remote(repo, keyfile, file)


def delete_remote(repo: Repository, name: str, *, if_exists: bool = False) -> None:
    """Forget a remote; what was pulled from it stays.

    Raises:
        RepoError: There is none of that name, unless ``if_exists`` is set.
        RefNameError: No remote can have that name.
    """
    check_remote_name(name)
    found = find_remote(repo, name)
    if found is None:
        if if_exists:
            return
        raise RepoError(f'Remote "{name}" not found')
    keyfile = _copy(found.keyfile)
    keyfile.remove_group(remote_group(name))
    write_remote(repo, keyfile, found.file)


def _copy(keyfile: KeyFile) -> KeyFile:
    return KeyFile.parse(keyfile.to_text())
