# SPDX-License-Identifier: Apache-2.0
"""Images of a repository: put in, taken out, and said what they are."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import open_dir
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.publish import image_path
from ostrya.uptane.author.roles import stage_targets
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.custom import BINARY, OSTREE, hardware_ids_of
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.file_names import image_files
from ostrya.uptane.metadata.hashes import KNOWN
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.json_text import check_string
from ostrya.uptane.metadata.paths import check_name
from ostrya.uptane.metadata.targets import Image, Targets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.json_text import Json, Object

_TARGETS = Role.TARGETS.value
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1024 * 1024


class About(NamedTuple):
    """What is said of an image beside its bytes.

    Attributes:
        hardware_ids: Kinds of ECUs that it is made for.
        name: Of what it is a release; empty for its own name.
        version: Of the release; empty for none.
        release_counter: No ECU goes back below it; None for none.
        uri: Where it is, if not at its usual place.
        role: Who says it; empty for Targets themselves.
    """

    hardware_ids: tuple[str, ...]
    name: str = ""
    version: str = ""
    release_counter: int | None = None
    uri: str = ""
    role: str = ""


def add_file(work: Workplace, name: str, path: str, about: About, now: datetime) -> Image:
    """Stage an image that is a file, and copy it to where it is served from.

    Raises:
        AuthoringError: It cannot be put in.
        MetadataInvalid: No image may have that name.
    """
    check_new_name(work, name)
    hashes, length = _digests_of(path)
    image = Image(length, hashes, _custom(work, name, BINARY, about))
    stage_image(work, name, image, now, about.role)
    _copy(work, name, image, path)
    return image


def add_commit(work: Workplace, name: str, checksum: str, about: About, now: datetime) -> Image:
    """Stage an image that is an OSTree commit, which a treehub serves.

    Raises:
        AuthoringError: It cannot be put in.
        MetadataInvalid: No image may have that name.
    """
    check_new_name(work, name)
    if not _CHECKSUM.fullmatch(checksum):
        raise AuthoringError(
            f"{checksum!r} is no checksum of a commit", hint="`ostrya rev-parse REF` prints it"
        )
    image = Image(0, {"sha256": checksum}, _custom(work, name, OSTREE, about))
    stage_image(work, name, image, now, about.role)
    return image


def stage_image(work: Workplace, name: str, image: Image, now: datetime, role: str = "") -> None:
    """Stage an image among the Targets of a role.

    Raises:
        AuthoringError: Another image has that name.
    """
    role = role or _TARGETS
    if role != _TARGETS:
        _check_trusted(work, role, name, image)
    targets = work.newest_targets(role) or Targets(Header(1, now), {})
    known = targets.images.get(name)
    if known is not None and known.hashes != image.hashes:
        raise AuthoringError(
            f"there is another image {name} already",
            hint="a name stands for one image for ever; put the version into it",
        )
    stage_targets(work, role, targets._replace(images={**targets.images, name: image}), now)


def _check_trusted(work: Workplace, role: str, name: str, image: Image) -> None:
    targets = work.newest_targets()
    delegations = targets.delegations if targets else None
    kinds = frozenset(hardware_ids_of(image, name))
    trusted = delegations.roles_for(work.dialect, name, kinds) if delegations else ()
    if not any(role in dict(one.members) for one in trusted):
        raise AuthoringError(
            f"{role} is not trusted with {name}", hint="`ostrya ota delegation list` says with what"
        )


def remove(work: Workplace, name: str, now: datetime) -> None:
    """Stage Targets without an image; its file stays for those who still fetch it.

    Raises:
        AuthoringError: There is none.
    """
    targets = work.newest_targets()
    if targets is None or name not in targets.images:
        raise AuthoringError(f"there is no image {name}")
    images = {one: image for one, image in targets.images.items() if one != name}
    stage_targets(work, _TARGETS, targets._replace(images=images), now)


def list_images(work: Workplace) -> Mapping[str, tuple[Image, bool]]:
    """Return all images of the newest Targets, and of each whether it is published."""
    newest = work.newest_targets()
    published = work.published(_TARGETS) if work.root_version() else None
    known: Json = published.signed.get("targets") if published else None
    names = set(known) if isinstance(known, dict) else set()
    return {name: (one, name in names) for name, one in newest.images.items()} if newest else {}


def check_new_name(work: Workplace, name: str) -> None:
    """Refuse names that some client does not read as it is written."""
    check_name(name, "the image")
    check_string(name, "the image")
    if work.dialect is Dialect.UPTANE and not name.isascii():
        raise AuthoringError(
            f"{name!r} has other characters than ASCII",
            hint="servers and clients of this kind sign them in different ways",
        )


def _custom(work: Workplace, name: str, kind: str, about: About) -> Object:
    if not about.hardware_ids:
        raise AuthoringError(
            f"no kind of hardware is said for {name}",
            hint="--hardware-id=ID, once for each kind of ECU that it is made for",
        )
    value: Object = {
        "hardwareIds": list(about.hardware_ids),
        "name": about.name or name,
        "targetFormat": kind,
    }
    if about.version:
        value["version"] = about.version
    if about.release_counter is not None:
        value["releaseCounter"] = about.release_counter
    if about.uri:
        value["uri"] = about.uri
    for text in (*about.hardware_ids, about.name, about.version, about.uri):
        check_string(text, f"what is said of {name}")
        if work.dialect is Dialect.UPTANE and not text.isascii():
            raise AuthoringError(f"{text!r}, said of {name}, has other characters than ASCII")
    return value


def _digests_of(path: str) -> tuple[dict[str, str], int]:
    running = {name: hashlib.new(name) for name in KNOWN}
    length = 0
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
            for one in running.values():
                one.update(chunk)
    return {name: one.hexdigest() for name, one in running.items()}, length


def _copy(work: Workplace, name: str, image: Image, path: str) -> None:
    """Copy a file under all names that a client may ask for."""
    names = {name, *image_files(work.newest_root(), name, image)}
    for one in sorted(names):
        target = image_path(work, one)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_file(path, target)


def copy_file(source: str, target: str) -> None:
    """Copy a file; under its name it is whole, and survives a power cut."""
    dir_fd = open_dir(os.path.dirname(target) or ".", follow=True)
    try:
        with open(source, "rb") as stream, TmpFile(dir_fd, 0o644) as tmp:
            while chunk := stream.read(_CHUNK):
                write_all(tmp.fd, chunk)
            os.fsync(tmp.fd)
            tmp.replace(os.path.basename(target), dir_fd=dir_fd)
        os.fsync(dir_fd)
    finally:
        os.close(dir_fd)
