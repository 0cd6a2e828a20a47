# SPDX-License-Identifier: Apache-2.0
"""The JSON of container images: what refers to what, by digest. Pure.

::

    oci-layout        imageLayoutVersion
    index.json        manifests, or other indexes, each for a platform or with a name
      └─ manifest     one configuration, and layers from the lowest to the highest
           ├─ config  platform, labels, and the digest of every layer as a plain tar
           └─ layers  tar, gzip or zstd
    manifest.json     docker save: paths of a configuration and of layers, by names

Of what is not needed nothing is looked at.

Source: the image-spec of the Open Container Initiative: image-layout, image-index, manifest,
config, descriptor; what ``docker save`` writes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# More than registries take.
MAX_DOCUMENT_BYTES = 4 << 20
_MAX_LAYERS = 1000
_MAX_MANIFESTS = 10_000
_DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_NAME = "org.opencontainers.image.ref.name"
# What buildkit puts beside images, which is none.
_REFERENCE = "vnd.docker.reference.type"


class Digest(NamedTuple):
    """What a blob hashes to.

    Attributes:
        algorithm: ``sha256`` or ``sha512``.
        value: Lower-case hexadecimal digits.
    """

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


class Descriptor(NamedTuple):
    """What one document says of another.

    Attributes:
        media_type: What it is.
        digest: What it hashes to.
        size: How many bytes it has.
        platform: As ``linux/arm64/v8``; empty if nobody says.
        name: What it is called; empty if it is not.
        is_image: Whether it is for running, and no attestation beside one.
    """

    media_type: str
    digest: Digest
    size: int
    platform: str = ""
    name: str = ""
    is_image: bool = True

    @property
    def is_index(self) -> bool:
        """Whether it is a list of others."""
        return self.media_type in _INDEXES


class ImageManifest(NamedTuple):
    """What an image consists of.

    Attributes:
        config: Its configuration.
        layers: From the lowest to the highest.
    """

    config: Descriptor
    layers: tuple[Descriptor, ...]


class ImageConfig(NamedTuple):
    """What is known of an image.

    Attributes:
        platform: As ``linux/arm64/v8``; empty if it does not say.
        labels: By name, in order.
        diff_ids: What every layer hashes to as a plain tar.
    """

    platform: str
    labels: tuple[tuple[str, str], ...]
    diff_ids: tuple[Digest, ...]


class DockerImage(NamedTuple):
    """One image of those that ``docker save`` wrote.

    Attributes:
        config: Path of its configuration.
        names: As ``debian:12``.
        layers: Their paths, from the lowest to the highest.
    """

    config: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


def parse_layout(data: bytes) -> None:
    """Look whether a layout is of the version that there is.

    Raises:
        SourceError: It is not.
    """
    version = _object(_load(data, "oci-layout"), "oci-layout").get("imageLayoutVersion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise SourceError(f"oci-layout: a layout of version {version!r} is not known")


def parse_index(data: bytes, shown: str) -> tuple[Descriptor, ...]:
    """Read an index.

    Args:
        data: The document.
        shown: What it is called in messages.

    Raises:
        SourceError: It is none.
    """
    document = _object(_load(data, shown), shown)
    manifests = _list(document.get("manifests"), f"{shown}: manifests", _MAX_MANIFESTS)
    return tuple(
        _descriptor(item, f"{shown}: manifest {at}") for at, item in enumerate(manifests, 1)
    )


def parse_manifest(data: bytes, shown: str) -> ImageManifest:
    """Read the manifest of an image; see `parse_index`."""
    document = _object(_load(data, shown), shown)
    if "layers" not in document or "config" not in document:
        raise SourceError(f"{shown}: it is no image: it has no layers or no config")
    config = _descriptor(document["config"], f"{shown}: config")
    layers = _list(document["layers"], f"{shown}: layers", _MAX_LAYERS)
    found = [_descriptor(item, f"{shown}: layer {at}") for at, item in enumerate(layers, 1)]
    for at, layer in enumerate(found, 1):
        if not _is_tar(layer.media_type):
            raise SourceError(
                f"{shown}: layer {at} is no tar but {layer.media_type or 'of no kind'}",
                hint="images of programs or models, and encrypted ones, are no root file systems",
            )
    return ImageManifest(config, tuple(found))


def parse_config(data: bytes, shown: str) -> ImageConfig:
    """Read the configuration of an image; see `parse_index`."""
    document = _object(_load(data, shown), shown)
    rootfs = _object(document.get("rootfs", {}), f"{shown}: rootfs")
    digests = _list(rootfs.get("diff_ids", []), f"{shown}: diff_ids", _MAX_LAYERS)
    inner = document.get("config")
    labels = {} if inner is None else _object(inner, f"{shown}: config").get("Labels")
    return ImageConfig(
        _platform(document, shown),
        tuple(sorted(_texts(labels, f"{shown}: Labels"))),
        tuple(parse_digest(item, shown) for item in digests),
    )


def parse_docker_manifest(data: bytes) -> tuple[DockerImage, ...]:
    """Read what ``docker save`` says of its images.

    Raises:
        SourceError: It is no such document.
    """
    shown = "manifest.json"
    found = []
    for at, item in enumerate(_list(_load(data, shown), shown, _MAX_MANIFESTS), 1):
        here = f"{shown}: image {at}"
        image = _object(item, here)
        names = _list(image.get("RepoTags") or [], f"{here}: RepoTags", _MAX_MANIFESTS)
        layers = _list(image.get("Layers") or [], f"{here}: Layers", _MAX_LAYERS)
        found.append(
            DockerImage(
                _text(image.get("Config"), f"{here}: Config"),
                tuple(_text(name, f"{here}: RepoTags") for name in names),
                tuple(_text(layer, f"{here}: Layers") for layer in layers),
            )
        )
    return tuple(found)


def parse_digest(value: object, shown: str) -> Digest:
    """Read a digest.

    Raises:
        SourceError: It is none, or of an algorithm that is not known.
    """
    text = _text(value, f"{shown}: digest")
    found = _DIGEST.fullmatch(text)
    if found is None:
        raise SourceError(f"{shown}: '{text[:80]}' is no digest by sha256 or sha512")
    return Digest(found[1] or found[3], found[2] or found[4])


def _load(data: bytes, shown: str) -> object:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise SourceError(f"{shown}: it is larger than {MAX_DOCUMENT_BYTES:,} bytes")
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError) as exc:
        # Not UTF-8, not JSON, numbers of thousands of digits, lists within lists without end.
        raise SourceError(f"{shown}: it is no JSON: {exc}") from exc
    return document


def _object(value: object, shown: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise SourceError(f"{shown}: it is no object of JSON")
    return value


def _list(value: object, shown: str, most: int) -> list[object]:
    if not isinstance(value, list):
        raise SourceError(f"{shown}: it is no list")
    if len(value) > most:
        raise SourceError(f"{shown}: there are more than {most:,}")
    return value


def _text(value: object, shown: str) -> str:
    if not isinstance(value, str) or "\0" in value or not value.isprintable():
        raise SourceError(f"{shown}: it is no text")
    return value


def _texts(value: object, shown: str) -> Iterator[tuple[str, str]]:
    for name, text in _object({} if value is None else value, shown).items():
        # Whatever people write about an image, but no byte that ends a string.
        if not isinstance(text, str) or "\0" in text or "\0" in name:
            raise SourceError(f"{shown}: it is no text")
        try:
            f"{name}{text}".encode()
        except UnicodeEncodeError:
            raise SourceError(f"{shown}: it is no text") from None
        yield name, text


def _descriptor(value: object, shown: str) -> Descriptor:
    item = _object(value, shown)
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise SourceError(f"{shown}: it has no size")
    notes = dict(_texts(item.get("annotations"), f"{shown}: annotations"))
    platform = item.get("platform")
    return Descriptor(
        _text(item.get("mediaType", ""), f"{shown}: mediaType"),
        parse_digest(item.get("digest"), shown),
        size,
        "" if platform is None else _platform(_object(platform, shown), shown),
        notes.get(_NAME, ""),
        _REFERENCE not in notes,
    )


def _platform(item: dict[str, object], shown: str) -> str:
    words = [item.get(name) or "" for name in ("os", "architecture", "variant")]
    texts = [_text(word, f"{shown}: platform") for word in words]
    return "/".join(word for word in texts if word)


def _is_tar(media_type: str) -> bool:
    base = media_type.partition("+")[0]
    if base.endswith((".tar", ".tar.gzip", ".tar.zstd")):
        return media_type.partition("+")[2] in ("", "gzip", "zstd")
    return False
