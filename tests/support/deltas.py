# SPDX-License-Identifier: Apache-2.0
"""Static deltas made by hand: parts of chosen operations, superblocks of chosen fields."""

from __future__ import annotations

import lzma
from hashlib import sha256
from pathlib import Path

from ostrya.formats.checksum import Checksum, to_raw
from ostrya.formats.commit import Commit
from ostrya.formats.delta_name import DeltaName, delta_dir, part_path
from ostrya.formats.delta_operations import (
    Close,
    Open,
    Operation,
    Patch,
    PatchControl,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    encode_operation,
)
from ostrya.formats.delta_part import FileMode, encode_part
from ostrya.formats.delta_superblock import (
    KEY_ENDIANNESS,
    DeltaByteOrder,
    PartHeader,
    Superblock,
    byte_order_value,
    encode_objects,
)
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo.reader import load_commit_bytes, load_file, load_metadata
from ostrya.repo.repository import Repository
from ostrya.repo.traverse import reachable_objects
from support.small_repos import GID, UID

MODE = FileMode(UID, GID, 0o100644)


def file_name(content: bytes, mode: FileMode = MODE, target: str = "") -> ObjectName:
    """The name of a file without extended attributes."""
    header = FileHeader(mode.uid, mode.gid, mode.mode, target)
    return ObjectName(
        Checksum(sha256(header.encode_stream() + content).hexdigest()), ObjectType.FILE
    )


def patch_between(old: bytes, new: bytes) -> bytes:
    """A patch of one step."""
    common = min(len(old), len(new))
    added = bytes((b - a) & 0xFF for a, b in zip(old, new, strict=False))
    return PatchControl(common, len(new) - common, 0).encode() + added + new[common:]


class PartBuilder:
    """A part that grows, operation by operation."""

    def __init__(self, *modes: FileMode) -> None:
        self.modes = list(modes or (MODE,))
        self.xattrs: list[tuple[tuple[bytes, bytes], ...]] = [()]
        self.data = bytearray()
        self.operations: list[Operation] = []
        self.objects: list[ObjectName] = []
        self.unpacked_size = 0

    def put(self, data: bytes) -> int:
        """Add data; give its place."""
        self.data += data
        return len(self.data) - len(data)

    def add(self, *operations: Operation) -> None:
        """Add operations; objects that they name are among those of the part."""
        for operation in operations:
            self.operations.append(operation)
            self.objects += [one for one in operation if isinstance(one, ObjectName)]

    def splice(self, content: bytes) -> ObjectName:
        """Add a file as it is."""
        name = file_name(content, self.modes[0])
        self.add(SpliceFile(name, 0, 0, len(content), self.put(content)))
        self.unpacked_size += len(content)
        return name

    def patch(self, old: bytes, new: bytes) -> ObjectName:
        """Add a file by a patch of another one."""
        name = file_name(new, self.modes[0])
        patch = patch_between(old, new)
        source = self.put(to_raw(file_name(old, self.modes[0]).checksum))
        self.add(Open(name, 0, 0, len(new)), SetReadSource(source))
        self.add(Patch(self.put(patch), len(patch)), Close())
        self.unpacked_size += len(new)
        return name

    def payload(self) -> bytes:
        """What is compressed."""
        operations = b"".join(map(encode_operation, self.operations))
        return encode_part(self.modes, self.xattrs, bytes(self.data), operations)

    def file(self, *, xz: bool = True) -> bytes:
        """The file of the part."""
        return b"x" + lzma.compress(self.payload()) if xz else b"\0" + self.payload()

    def header(self, data: bytes, **fields: object) -> PartHeader:
        """What the superblock says of its file."""
        given: dict[str, object] = {
            "version": 0,
            "checksum": Checksum(sha256(data).hexdigest()),
            "size": len(data),
            "unpacked_size": self.unpacked_size,
            "objects": encode_objects(self.objects),
        }
        return PartHeader(**(given | fields))  # type: ignore[arg-type]  # by name


def superblock_of(
    name: DeltaName,
    commit_data: bytes,
    parts: tuple[PartHeader, ...],
    *,
    order: DeltaByteOrder = DeltaByteOrder.LITTLE,
    metadata: tuple[tuple[str, Variant], ...] = (),
    **fields: object,
) -> Superblock:
    """A superblock."""
    entries = ((KEY_ENDIANNESS, byte_order_value(order)), *metadata)
    block = Superblock(VarDict(entries), 5, name.origin, name.to, commit_data, b"", parts, ())
    byte_order = block.byte_order._replace(order=order)
    return block._replace(byte_order=byte_order, **fields)  # type: ignore[arg-type]  # by name


def builder_of(source: Repository, to: Checksum, origin: Checksum | None) -> PartBuilder:
    """A part with everything that a commit has and another has not; files are spliced."""
    builder = PartBuilder()
    wanted = reachable_objects(source, [to])
    there = reachable_objects(source, [origin]) if origin is not None else ()
    for name in sorted(wanted):
        if name in there or name.type == ObjectType.COMMIT:
            continue
        if name.type == ObjectType.FILE:
            with load_file(source, name.checksum) as loaded:
                header = loaded.header
                data = header.symlink_target.encode() if header.is_symlink else loaded.read()
            mode = FileMode(header.uid, header.gid, header.mode)
            if mode not in builder.modes:
                builder.modes.append(mode)
            if header.xattrs not in builder.xattrs:
                builder.xattrs.append(header.xattrs)
            places = builder.modes.index(mode), builder.xattrs.index(header.xattrs)
            builder.add(SpliceFile(name, *places, len(data), builder.put(data)))
        else:
            data = load_metadata(source, name)
            builder.add(SpliceMetadata(name, len(data), builder.put(data)))
        builder.unpacked_size += len(data)
    return builder


def write_delta(
    source: Repository,
    to: Checksum,
    origin: Checksum | None = None,
    *,
    inline: bool = False,
    order: DeltaByteOrder = DeltaByteOrder.LITTLE,
    into: Path | None = None,
) -> Path:
    """Write a delta of one part into its repository, or elsewhere, and return its directory."""
    name = DeltaName(to, origin)
    builder = builder_of(source, to, origin)
    data = builder.file()
    metadata = ((part_path(name, 0), Variant("(yay)", (data[0], data[1:]))),) if inline else ()
    block = superblock_of(
        name,
        load_commit_bytes(source, to),
        (builder.header(data),),
        order=order,
        metadata=metadata,
    )
    folder = into or Path(source.path) / delta_dir(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "superblock").write_bytes(block.encode())
    if not inline:
        (folder / "0").write_bytes(data)
    return folder


def simple_commit(root: tuple[bytes, bytes] | None = None) -> tuple[bytes, Checksum]:
    """A commit without files: its bytes and name."""
    tree, meta = root or (DirTree((), ()).encode(), DirMeta(0, 0, 0o040755).encode())
    digests = (Checksum(sha256(one).hexdigest()) for one in (tree, meta))
    data = Commit(VarDict(), None, (), "", "", 0, *digests).encode()
    return data, Checksum(sha256(data).hexdigest())
