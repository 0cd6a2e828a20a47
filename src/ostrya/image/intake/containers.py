# SPDX-License-Identifier: Apache-2.0
"""A container image becomes a tree: its layers in order, every digest checked.

An OCI layout says what all of it hashes to. Of what ``docker save`` writes, only the configuration
says what the layers are: its own name is its digest where it looks like one.
"""

from __future__ import annotations

import io
import os
import re
from typing import IO, TYPE_CHECKING, cast

from ostrya.errors import FormatError
from ostrya.image.errors import SourceError
from ostrya.image.intake.blobs import (
    Blob,
    CheckedStream,
    FolderParts,
    PaddedStream,
    Parts,
    TarParts,
)
from ostrya.image.intake.layers import LayerStack
from ostrya.image.intake.oci_choice import choose_docker, choose_named, choose_platform, fits
from ostrya.image.intake.oci_documents import (
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Digest,
    ImageConfig,
    parse_config,
    parse_docker_manifest,
    parse_index,
    parse_layout,
    parse_manifest,
)
from ostrya.named_tuple import NamedTuple
from ostrya.tree.archive_stream import ArchiveReader, InflatedStream, find_compression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.image.intake.rules import Keeping
    from ostrya.image.source_kinds import DockerArchiveSource, OciSource
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.archive_import import ArchiveExtent
    from ostrya.tree.mutable_tree import MutableTree

_MAX_INDEX_DEPTH = 8
_CONFIG_DIGEST = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


class Container(NamedTuple):
    """A container image that was taken in.

    Attributes:
        root: Its tree.
        digest: What names it: that of its manifest, or of its configuration.
        labels: By name, in order.
        layers: How many it had.
    """

    root: MutableTree
    digest: Digest | None
    labels: tuple[tuple[str, str], ...]
    layers: int


class _Layer(NamedTuple):
    """Where a layer is, and what it hashes to, as it lies there and as a tar."""

    path: str
    shown: str
    size: int | None
    digest: Digest | None
    diff_id: Digest | None


def take_oci(
    tx: Transaction,
    source: OciSource,
    keep: Keeping,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> Container:
    """Store the files of an OCI image.

    Raises:
        SourceError: It is none, is not whole, or does not hash to what it says.
        ArchiveError: A layer is damaged, hostile, or too large.
        OSError: Something cannot be read, or not be written.
    """
    parts = _open(tx, source.path, limits)
    try:
        image = _OciImage(parts, source.path)
        chosen = image.find(source.name, source.platform)
        manifest = parse_manifest(image.read(chosen), f"{source.path}: {chosen.digest}")
        config = parse_config(image.read(manifest.config), f"{source.path}: config")
        _check_platform(config, source.platform, source.path)
        diff_ids = _diff_ids(config, len(manifest.layers), source.path)
        layers = [
            _Layer(_blob_path(one), f"{source.path}: layer {at}", one.size, one.digest, diff_id)
            for at, (one, diff_id) in enumerate(zip(manifest.layers, diff_ids, strict=True), 1)
        ]
        root = _stack(parts, layers, LayerStack(tx, keep, limits), limits, progress)
        return Container(root, chosen.digest, config.labels, len(layers))
    finally:
        parts.close()


def take_docker_archive(
    tx: Transaction,
    source: DockerArchiveSource,
    keep: Keeping,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> Container:
    """Store the files of an image that ``docker save`` wrote; see `take_oci`."""
    parts = _open(tx, source.path, limits)
    try:
        data = _read(parts, "manifest.json", source.path)
        image = choose_docker(parse_docker_manifest(data), source.name, source.path)
        data = _read(parts, image.config, source.path)
        digest = _config_digest(image.config)
        if digest is not None:
            _check(data, digest, f"{source.path}: {image.config}")
        config = parse_config(data, f"{source.path}: {image.config}")
        _check_platform(config, source.platform, source.path)
        diff_ids = _diff_ids(config, len(image.layers), source.path)
        layers = [
            _Layer(path, f"{source.path}: layer {at}", None, None, diff_id)
            for at, (path, diff_id) in enumerate(zip(image.layers, diff_ids, strict=True), 1)
        ]
        root = _stack(parts, layers, LayerStack(tx, keep, limits), limits, progress)
        return Container(root, digest, config.labels, len(layers))
    finally:
        parts.close()


def _open(tx: Transaction, path: str, limits: ArchiveExtent) -> Parts:
    try:
        if os.path.isdir(path):
            return FolderParts(path)
        return TarParts(path, tx.repo.tmp_fd, limits)
    except FileNotFoundError:
        raise SourceError(f"there is no image {path}") from None


class _OciImage:
    """An image layout: documents that refer to one another."""

    def __init__(self, parts: Parts, shown: str) -> None:
        self._parts = parts
        self._shown = shown
        parse_layout(_read(parts, "oci-layout", shown))

    def find(self, name: str, platform: str) -> Descriptor:
        """Return the manifest that is meant."""
        index = parse_index(_read(self._parts, "index.json", self._shown), "index.json")
        named = choose_named(index, name, self._shown)
        found = list(self._flatten(named, frozenset()))
        return choose_platform(found, platform, self._shown)

    def _flatten(self, found: Sequence[Descriptor], above: frozenset[Digest]) -> list[Descriptor]:
        manifests = []
        for one in found:
            if not one.is_index:
                manifests.append(one)
                continue
            if one.digest in above or len(above) >= _MAX_INDEX_DEPTH:
                raise SourceError(f"{self._shown}: index {one.digest} refers to itself, or too far")
            inner = parse_index(self.read(one), f"{self._shown}: index {one.digest}")
            images = choose_named(inner, "", self._shown)
            manifests += self._flatten(images, above | {one.digest})
        return manifests

    def read(self, one: Descriptor) -> bytes:
        """Read a document, and look whether it is the right one."""
        data = _read(self._parts, _blob_path(one), self._shown)
        shown = f"{self._shown}: {one.digest}"
        if len(data) != one.size:
            raise SourceError(f"{shown}: it has {len(data)} bytes, not {one.size}")
        _check(data, one.digest, shown)
        return data


def _stack(
    parts: Parts,
    layers: Sequence[_Layer],
    stack: LayerStack,
    limits: ArchiveExtent,
    progress: ProgressSink,
) -> MutableTree:
    for layer in layers:
        blob = parts.open(layer.path)
        if blob is None:
            raise SourceError(f"{layer.shown}: {layer.path} is not there")
        with blob:
            if layer.size is not None and layer.size != blob.size:
                raise SourceError(f"{layer.shown}: it has {blob.size} bytes, not {layer.size}")
            _add(stack, layer, blob, limits, progress)
    stack.finish()
    return stack.root


def _add(
    stack: LayerStack, layer: _Layer, blob: Blob, limits: ArchiveExtent, progress: ProgressSink
) -> None:
    outer: Blob | CheckedStream = blob
    if layer.digest is not None:
        outer = CheckedStream(blob, layer.digest)
    reader = ArchiveReader(cast("IO[bytes]", outer))
    inner: ArchiveReader | InflatedStream | CheckedStream = reader
    try:
        if find_compression(reader.peek(6)):
            inner = InflatedStream(reader, max_bytes=limits.size_bytes)
        if layer.diff_id is not None:
            inner = CheckedStream(cast("IO[bytes]", inner), layer.diff_id)
        # Where a digest says that it is whole, a last block may be short: umoci writes such layers.
        whole = PaddedStream(inner) if isinstance(inner, CheckedStream) else inner
        stack.add(cast("IO[bytes]", whole), layer.shown, progress)
        if isinstance(inner, CheckedStream):
            inner.check(layer.shown)
    except FormatError:
        # If it is not even what it should be, that says more than where it is damaged.
        if isinstance(outer, CheckedStream):
            outer.check(layer.shown)
        raise
    if isinstance(outer, CheckedStream):
        outer.check(layer.shown)


def _read(parts: Parts, path: str, shown: str) -> bytes:
    blob = parts.open(path)
    if blob is None:
        raise SourceError(
            f"{shown}: there is no {path} in it",
            hint="it is no image of containers of this kind, or not whole",
        )
    with blob:
        try:
            return blob.read_all(MAX_DOCUMENT_BYTES)
        except SourceError as exc:
            exc.put_first(f"{shown}: {path}")
            raise


def _check(data: bytes, digest: Digest, shown: str) -> None:
    CheckedStream(io.BytesIO(data), digest).check(shown)


def _check_platform(config: ImageConfig, platform: str, shown: str) -> None:
    if not fits(config.platform, platform):
        raise SourceError(f"{shown}: the image is for {config.platform}, not for {platform}")


def _diff_ids(config: ImageConfig, layers: int, shown: str) -> list[Digest | None]:
    if not config.diff_ids:
        return [None] * layers
    if len(config.diff_ids) != layers:
        raise SourceError(
            f"{shown}: there are {layers} layers, and the configuration speaks of "
            f"{len(config.diff_ids)}"
        )
    return list(config.diff_ids)


def _blob_path(one: Descriptor) -> str:
    return f"blobs/{one.digest.algorithm}/{one.digest.value}"


def _config_digest(path: str) -> Digest | None:
    found = _CONFIG_DIGEST.fullmatch(path)
    return None if found is None else Digest("sha256", found[1])
