# SPDX-License-Identifier: Apache-2.0
"""A lockbox: all that a device needs to update itself without a network, on a medium.

::

    MEDIUM/
    ├── metadata/director/     1.root.json …, offline-snapshot.json, NAME.json
    ├── metadata/image-repo/   1.root.json …, snapshot.json, targets.json, ROLE.json
    ├── images/                files of images
    └── ostree/                a repository with the commits, if there are any

Source: PURE-2, Offline Updates.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.images import copy_file
from ostrya.uptane.author.publish import expiry, image_path, sign_role
from ostrya.uptane.author.workplace import REPOSITORY
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.custom import hardware_ids_of, is_ostree
from ostrya.uptane.metadata.delegations import check_role_name
from ostrya.uptane.metadata.dialect import OFFLINE_SNAPSHOT, OFFLINE_UPDATES, Role
from ostrya.uptane.metadata.file_names import meta_name, root_file
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot, read_snapshot
from ostrya.uptane.metadata.targets import Image, Targets, read_targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ostrya.uptane.author.workplace import Workplace

DIRECTOR, IMAGE_REPO, IMAGES = "metadata/director", "metadata/image-repo", "images"
_TARGETS = Role.TARGETS.value


class Lockbox(NamedTuple):
    """What was made.

    Attributes:
        name: What it is called.
        version: How often it was made.
        files: What was written, in order.
        commits: OSTree commits that belong into it, which are not copied here.
    """

    name: str
    version: int
    files: tuple[str, ...]
    commits: tuple[str, ...]


class Sources(NamedTuple):
    """What a lockbox is made of.

    Attributes:
        images: The Image repository, published.
        director: The Director, published.
    """

    images: Workplace
    director: Workplace


def create_lockbox(
    sources: Sources, name: str, chosen: Sequence[str], target: str, now: datetime
) -> Lockbox:
    """Sign that some images may be installed without a network, and write all that belongs to it.

    Raises:
        AuthoringError: An image is not there, two are for one kind of ECU, or keys are not here.
        MetadataInvalid: A lockbox cannot be called so.
    """
    check_role_name(name, "the lockbox")
    if name in {OFFLINE_SNAPSHOT, OFFLINE_UPDATES}:
        raise AuthoringError(f"no lockbox can be called {name}")
    if not sources.director.settings.is_director:
        raise AuthoringError(
            f"{sources.director.folder} is no Director", hint="`ostrya ota keys create --director`"
        )
    images = _chosen(sources.images, chosen)
    _check_kinds(images)
    version, signed = _sign(sources.director, name, images, now)
    files: list[str] = []
    for one, image in images.items():
        if not is_ostree(image):
            path = f"{IMAGES}/{one}"
            _copy(image_path(sources.images, one), target, path)
            files.append(path)
    files += _copy_image_metadata(sources.images, target)
    files += _copy_roots(sources.director, target, DIRECTOR)
    for file, data in signed.items():
        sources.director.write_published(file, data)
        path = f"{DIRECTOR}/{os.path.basename(file)}"
        _copy(sources.director.path(REPOSITORY, file), target, path)
        files.append(path)
    commits = [image.hashes["sha256"] for image in images.values() if is_ostree(image)]
    return Lockbox(name, version, tuple(files), tuple(commits))


def _chosen(work: Workplace, chosen: Sequence[str]) -> dict[str, Image]:
    snapshot = work.snapshot()
    if snapshot is None:
        raise AuthoringError(f"nothing is published in {work.folder}")
    known: dict[str, Image] = {}
    for file in snapshot.meta:
        envelope = work.published(file.removesuffix(".json"))
        if envelope is not None:
            known = {**read_targets(envelope.signed, work.dialect, file).images, **known}
    for name in chosen:
        if name not in known:
            raise AuthoringError(f"no image {name} is published", hint="`ostrya ota targets list`")
        if not is_ostree(known[name]) and not os.path.exists(image_path(work, name)):
            raise AuthoringError(f"{image_path(work, name)} is not there")
    if not chosen:
        raise AuthoringError("a lockbox without images is for nothing")
    return {name: known[name] for name in chosen}


def _check_kinds(images: Mapping[str, Image]) -> None:
    taken: dict[str, str] = {}
    for name, image in images.items():
        for kind in hardware_ids_of(image, name):
            if kind in taken:
                raise AuthoringError(
                    f"{taken[kind]} and {name} are both for {kind}",
                    hint="devices refuse a lockbox with two images for one kind of ECU",
                )
            taken[kind] = name


def _sign(
    work: Workplace, name: str, images: Mapping[str, Image], now: datetime
) -> tuple[int, dict[str, bytes]]:
    """Return the version of a lockbox and its files, the list of lockboxes last."""
    root = work.root()
    found = work.published(OFFLINE_SNAPSHOT)
    before = read_snapshot(found.signed, work.dialect) if found else None
    listed = dict(before.meta) if before else {}
    known = listed.get(meta_name(name))
    version = known.version + 1 if known else 1
    told = {
        one: image._replace(custom={"hardwareIds": list(hardware_ids_of(image, one))})
        for one, image in images.items()
    }
    header = Header(version, expiry(work, OFFLINE_UPDATES, now), kind="Offline-Updates")
    custom = {"correlationId": f"urn:ostrya:lockbox:{name}:{version}"}
    targets = Targets(header, told, None, dict(custom)).to_json(work.dialect)
    data = sign_role(work, root, OFFLINE_UPDATES, targets).to_bytes()
    listed[meta_name(name)] = MetaFile(version, len(data), digests(data))
    number = before.header.version + 1 if before else 1
    header = Header(number, expiry(work, OFFLINE_SNAPSHOT, now), kind="Offline-Snapshot")
    snapshot = Snapshot(header, listed).to_json(work.dialect)
    whole = sign_role(work, root, OFFLINE_SNAPSHOT, snapshot).to_bytes()
    return version, {
        f"{OFFLINE_UPDATES}/{name}.json": data,
        work.file(OFFLINE_SNAPSHOT, number): whole,
    }


def _copy_roots(work: Workplace, target: str, folder: str) -> list[str]:
    names = [root_file(version) for version in range(1, work.root_version() + 1)]
    for name in names:
        _copy(work.path(REPOSITORY, name), target, f"{folder}/{name}")
    return [f"{folder}/{name}" for name in names]


def _copy_image_metadata(work: Workplace, target: str) -> list[str]:
    files = _copy_roots(work, target, IMAGE_REPO)
    snapshot = work.snapshot()
    roles = [file.removesuffix(".json") for file in snapshot.meta] if snapshot else []
    for role in (*roles, Role.SNAPSHOT.value, Role.TIMESTAMP.value):
        envelope = work.published(role)
        version = envelope.signed["version"] if envelope else 0
        path = f"{IMAGE_REPO}/{role}.json"
        if isinstance(version, int) and version:
            _copy(work.path(REPOSITORY, work.file(role, version)), target, path)
            files.append(path)
    return files


def _copy(source: str, target: str, name: str) -> None:
    path = os.path.join(target, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    copy_file(source, path)
