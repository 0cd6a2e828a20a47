# SPDX-License-Identifier: Apache-2.0
"""Remotes in the repository's settings: the groups ``remote "NAME"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.refs import check_remote_name
from ostrya.repo.config_writer import write_config

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.repo.repository import Repository

_PREFIX, _SUFFIX = 'remote "', '"'
_FILE = "file://"
_METALINK = "metalink="

Setting = tuple[str, str | bool | tuple[str, ...]]


def list_remotes(repo: Repository) -> list[str]:
    """Return the names of the remotes of a repository and its parents, sorted."""
    found: set[str] = set()
    current: Repository | None = repo
    while current is not None:
        found.update(_names(current))
        current = current.parent
    return sorted(found, key=str.encode)


def remote_url(repo: Repository, name: str) -> str:
    """Return the address of a remote; a ``file://`` address stands for itself.

    Raises:
        RepoError: There is no such remote, or it has no address.
    """
    if name.startswith(_FILE):
        return name
    current: Repository | None = repo
    while current is not None:
        keyfile = current.config.keyfile
        if keyfile.has_group(_group(name)):
            if not keyfile.has_key(_group(name), "url"):
                raise RepoError(f'No "url" option in remote "{name}"')
            return keyfile.get_string(_group(name), "url")
        current = current.parent
    raise RepoError(f'Remote "{name}" not found')


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
    keyfile = _copy(repo)
    group = _group(name)
    if keyfile.has_group(group):
        if keep:
            return
        if not replace:
            raise RepoError(f'Remote configuration for "{name}" already exists: (in config)')
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
    write_config(repo, keyfile)
    repo.reload_config()


def delete_remote(repo: Repository, name: str, *, if_exists: bool = False) -> None:
    """Forget a remote; what was pulled from it stays.

    Raises:
        RepoError: There is none of that name, unless ``if_exists`` is set.
        RefNameError: No remote can have that name.
    """
    check_remote_name(name)
    keyfile = _copy(repo)
    if not keyfile.has_group(_group(name)):
        if if_exists:
            return
        raise RepoError(f'Remote "{name}" not found')
    keyfile.remove_group(_group(name))
    write_config(repo, keyfile)
    repo.reload_config()


def _names(repo: Repository) -> Iterable[str]:
    for group in repo.config.keyfile.groups():
        if group.startswith(_PREFIX) and group.endswith(_SUFFIX):
            yield group[len(_PREFIX) : -len(_SUFFIX)]


def _group(name: str) -> str:
    return f"{_PREFIX}{name}{_SUFFIX}"


def _copy(repo: Repository) -> KeyFile:
    return KeyFile.parse(repo.config.keyfile.to_text())
