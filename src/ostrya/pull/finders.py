# SPDX-License-Identifier: Apache-2.0
"""Where refs of a collection might be: configured remotes, and repositories on volumes.

::

    VOLUME/.ostree/repos.d/*         repositories, or links to them, in the order of their names
    VOLUME/.ostree/repo              then these
    VOLUME/ostree/repo
    VOLUME/var/lib/flatpak/repo

What lies on a volume is believed by nobody: only refs of collections that a remote is configured
for count, and that remote's keys have to vouch for what is pulled.

Source: ``ostree-find-remotes(1)``, ``ostree-create-usb(1)``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya._linux import dirfd
from ostrya.errors import OstryaError
from ostrya.pull.offers import CONFIG, MOUNT, Place
from ostrya.repo.refs import list_collection_refs
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.remotes import list_remotes
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ostrya.formats.refs import CollectionRef
    from ostrya.repo.repository import Repository

_REPOS = ".ostree/repos.d"
_WELL_KNOWN = (".ostree/repo", "ostree/repo", "var/lib/flatpak/repo")


def configured_places(repo: Repository, wanted: Collection[CollectionRef]) -> list[Place]:
    """Return the remotes of a repository that are configured for a wanted collection."""
    collections = {ref.collection_id for ref in wanted}
    found = []
    for settings in _settings(repo):
        collection_id = settings.text("collection-id")
        if collection_id in collections and collection_id is not None:
            uri = settings.text("url") or settings.text("metalink") or ""
            found.append(Place(settings, uri, CONFIG, collection_id))
    return found


def mounted_places(
    repo: Repository, wanted: Collection[CollectionRef], volumes: Iterable[str]
) -> list[Place]:
    """Return the repositories on volumes that have wanted refs.

    Of one volume, the first repository that has a ref is the one for it. A volume that cannot be
    read has nothing.
    """
    found: dict[str, Place] = {}
    for volume in volumes:
        for place in _places_on(volume, repo, wanted):
            found.setdefault(place.settings.name, place)
    return sorted(found.values(), key=lambda place: place.settings.name.encode())


def settings_for(repo: Repository, collection_id: str) -> RemoteSettings | None:
    """Return the first remote of a collection: its keys vouch for the collection's commits."""
    for settings in _settings(repo):
        if settings.text("collection-id") == collection_id:
            return settings
    return None


def _settings(repo: Repository) -> Iterator[RemoteSettings]:
    for name in list_remotes(repo):
        yield RemoteSettings(repo, name)


def _places_on(volume: str, repo: Repository, wanted: Collection[CollectionRef]) -> Iterator[Place]:
    try:
        fd = dirfd.open_dir(volume, follow=True)
    except OSError:
        return
    try:
        remaining = dict.fromkeys(wanted)
        for path in (*_linked(fd), *_WELL_KNOWN):
            real, refs = _look_into(path, fd, volume, repo)
            for ref in [ref for ref in remaining if ref in refs]:
                del remaining[ref]
                keeper = settings_for(repo, ref.collection_id)
                if keeper is not None:
                    yield _place(real, keeper, ref.collection_id)
    finally:
        os.close(fd)


def _place(path: str, keeper: RemoteSettings, collection_id: str) -> Place:
    uri = f"file://{path}"
    # The names that libostree gives them, which decide the order of results.
    name = f"{quote(os.fsencode(uri), safe='')}_{quote(keeper.name + '.trustedkeys.gpg', safe='')}"
    settings = keeper.elsewhere(name.replace("%", "_"), f"file://{quote(os.fsencode(path))}")
    return Place(settings, uri, MOUNT, collection_id)


def _linked(volume_fd: int) -> list[str]:
    try:
        fd = dirfd.open_dir(_REPOS, dir_fd=volume_fd, follow=True)
    except OSError:
        return []
    try:
        return [f"{_REPOS}/{name}" for name in sorted(dirfd.list_names(fd), key=os.fsencode)]
    except OSError:
        return []
    finally:
        os.close(fd)


def _look_into(
    path: str, volume_fd: int, volume: str, repo: Repository
) -> tuple[str, Collection[CollectionRef]]:
    """Return the path without links of what may be a repository, and its refs."""
    try:
        with open_repository(path, dir_fd=volume_fd, runtime=repo.runtime) as found:
            there, here = os.fstat(found.dir_fd), os.fstat(repo.dir_fd)
            # A link must not lead out of the volume, nor to the repository that asks.
            if there.st_dev != os.fstat(volume_fd).st_dev:
                return "", ()
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                return "", ()
            refs = list_collection_refs(found, include_remotes=False)
            return os.path.realpath(f"{volume}/{path}"), refs
    except (OstryaError, OSError):
        return "", ()
