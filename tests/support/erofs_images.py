# SPDX-License-Identifier: Apache-2.0
"""Reading composefs images back, writing trees as mkcomposefs takes them, and trees to try."""

from __future__ import annotations

import stat
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

from ostrya.formats.erofs.nodes import HardLink, Node

PREFIXES = {
    0: b"",
    1: b"user.",
    2: b"system.posix_acl_access",
    3: b"system.posix_acl_default",
    4: b"trusted.",
    6: b"security.",
}


class Read(NamedTuple):
    """An inode, as an image has it."""

    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime: tuple[int, int]
    xattrs: dict[bytes, bytes]
    data: bytes
    chunk_bits: int
    where: int
    number: int
    entries: dict[bytes, int]


class Image:
    """An image, read by the kernel's description of the format, with none of the writer's code."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        fields = struct.unpack_from("<IIIBBHQQIIII", image, 1024)
        magic, _, self.features, bits, _, self.root_slot, self.inodes = fields[:7]
        self.build_time, self.blocks, self.meta_block, self.xattr_block = (
            (fields[7], fields[8]),
            *fields[9:],
        )
        assert magic == 0xE0F5E1E2
        assert bits == 12
        assert len(image) == self.blocks * 4096

    def inode(self, slot: int) -> Read:
        """Read one inode with all that belongs to it."""
        at = self.meta_block * 4096 + slot * 32
        form, icount, mode = struct.unpack_from("<HHH", self.image, at)
        layout = form >> 1
        if form & 1:
            size, where, number, uid, gid, sec, nsec, nlink = struct.unpack_from(
                "<QIIIIQII", self.image, at + 8
            )
            head = 64
        else:
            nlink, size, where, number, uid, gid = struct.unpack_from(
                "<HI4xIIHH", self.image, at + 6
            )
            sec, nsec = self.build_time
            head = 32
        body = 12 + 4 * (icount - 1) if icount else 0
        xattrs = self._xattrs(at + head, body)
        tail_at = at + head + body
        data = b""
        if layout != 4 and not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
            data = self._data(layout, size, where, tail_at)
        entries = self._entries(data) if stat.S_ISDIR(mode) else {}
        bits = where if layout == 4 else -1
        return Read(
            mode, nlink, uid, gid, size, (sec, nsec), xattrs, data, bits, where, number, entries
        )

    def _data(self, layout: int, size: int, where: int, tail_at: int) -> bytes:
        if layout == 0:
            return self.image[where * 4096 : where * 4096 + size]
        assert layout == 2
        whole = size // 4096 * 4096
        tail = self.image[tail_at : tail_at + size - whole]
        assert tail_at // 4096 == (tail_at + len(tail) - 1) // 4096
        return self.image[where * 4096 : where * 4096 + whole] + tail

    def _xattrs(self, at: int, size: int) -> dict[bytes, bytes]:
        if not size:
            return {}
        name_filter, shared = struct.unpack_from("<IB", self.image, at)
        self.name_filter = name_filter
        found = []
        for index in range(shared):
            (where,) = struct.unpack_from("<I", self.image, at + 12 + 4 * index)
            found.append(self._xattr(self.xattr_block * 4096 + 4 * where)[:2])
        position = at + 12 + 4 * shared
        while position < at + size:
            name, value, length = self._xattr(position)
            found.append((name, value))
            position += length
        assert position == at + size
        return dict(found)

    def _xattr(self, at: int) -> tuple[bytes, bytes, int]:
        length, index, size = struct.unpack_from("<BBH", self.image, at)
        name = PREFIXES[index] + self.image[at + 4 : at + 4 + length]
        value = self.image[at + 4 + length : at + 4 + length + size]
        return name, value, (4 + length + size + 3) // 4 * 4

    def _entries(self, data: bytes) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for start in range(0, len(data), 4096):
            block = data[start : start + 4096]
            count = struct.unpack_from("<H", block, 8)[0] // 12
            records = [struct.unpack_from("<QHB", block, 12 * i) for i in range(count)]
            ends = [record[1] for record in records[1:]] + [len(block)]
            for (slot, begin, _), end in zip(records, ends, strict=True):
                found[block[begin:end].rstrip(b"\0")] = slot
        assert list(found) == sorted(found)
        return found


def escape(text: bytes, *, equals: bool = False) -> bytes:
    """Write a field of a dump."""
    if text == b"-":
        return rb"\x2d"
    odd = b"\\=" if equals else b"\\"
    return b"".join(
        bytes([byte]) if 33 <= byte < 127 and byte not in odd else b"\\x%02x" % byte
        for byte in text
    )


def dump(root: Node) -> bytes:
    """Write a tree the way ``mkcomposefs --from-file`` reads it, composefs-dump(5)."""
    lines: list[bytes] = []
    links: list[tuple[bytes, HardLink]] = []
    paths: dict[int, bytes] = {}

    def walk(path: bytes, node: Node) -> None:
        paths[id(node)] = path
        fields = [
            escape(path or b"/"),
            b"%d %o %d %d %d" % (node.size, node.mode, node.nlink, node.uid, node.gid),
            b"%d %d.%d" % (node.rdev, *node.mtime),
            escape(node.payload) or b"-",
            escape(node.content) if node.content else b"-",
            node.digest.hex().encode() if node.digest else b"-",
            *(escape(k, equals=True) + b"=" + escape(v, equals=True) for k, v in node.xattrs),
        ]
        lines.append(b" ".join(fields))
        for name, child in node.children.items():
            if isinstance(child, HardLink):
                links.append((path + b"/" + name, child))
            else:
                walk(path + b"/" + name, child)

    walk(b"", root)
    for path, link in links:
        target = escape(paths[id(link.target)])
        lines.append(escape(path) + b" 0 @100644 1 0 0 0 0.0 " + target + b" - -")
    return b"\n".join(lines) + b"\n"


def mkcomposefs(root: Node, folder: Path) -> bytes:
    """Return libcomposefs's image of a tree."""
    (folder / "dump").write_bytes(dump(root))
    subprocess.run(
        ["mkcomposefs", "--from-file", folder / "dump", folder / "image"],
        check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "image").read_bytes()


def directory(mode: int = 0o755, **fields: object) -> Node:
    return Node(stat.S_IFDIR | mode, **fields)


def regular(size: int, mode: int = 0o644, **fields: object) -> Node:
    return Node(stat.S_IFREG | mode, size=size, **fields)


def inline(content: bytes, mode: int = 0o644, **fields: object) -> Node:
    return Node(stat.S_IFREG | mode, size=len(content), content=content, **fields)


def symlink(target: bytes, **fields: object) -> Node:
    return Node(stat.S_IFLNK | 0o777, size=len(target), payload=target, **fields)


def whiteout(**fields: object) -> Node:
    return Node(stat.S_IFCHR | 0o644, **fields)


LABEL = ((b"security.selinux", b"system_u:object_r:usr_t:s0\0"),)


def empty() -> Node:
    """A root without entries."""
    return directory()


def system() -> Node:
    """What a small commit would give."""
    root = directory(xattrs=LABEL)
    usr = directory(xattrs=LABEL)
    root.add(b"usr", usr)
    for number in range(40):
        payload = b"%02x/%062x.file" % (number, number)
        digest = bytes([number] * 32)
        usr.add(
            b"file%d" % number,
            regular(1000 * number + 1, payload=payload, digest=digest, xattrs=LABEL),
        )
    usr.add(b"empty", regular(0, xattrs=LABEL))
    usr.add(b"undigested", regular(77, payload=b"ff/00.file"))
    usr.add(b"owned", regular(5, 0o4755, uid=70000, gid=100, payload=b"aa/bb.file"))
    root.add(b"bin", symlink(b"usr/bin"))
    return root


def odd_files() -> Node:
    """Devices, pipes, times, links, content inside, big and small."""
    root = directory(0o1777, uid=5, gid=6, mtime=(1, 5))
    target = regular(2**33 + 1, payload=b"x", mtime=(9, 0), nlink=3)
    root.add(b"zz", target)
    root.add(b"aa", HardLink(target))
    sub = directory(mtime=(1, 4))
    root.add(b"-before-dots", sub)
    sub.add(b"again", HardLink(target))
    sub.add(b"null", Node(stat.S_IFCHR | 0o666, rdev=0x103))
    sub.add(b"disk", Node(stat.S_IFBLK | 0o660, rdev=0x800))
    sub.add(b"pipe", Node(stat.S_IFIFO | 0o600))
    sub.add(b"socket", Node(stat.S_IFSOCK | 0o600))
    for size in (1, 64, 2048, 2049, 4095, 4096, 4097, 5000):
        sub.add(b"inline%d" % size, inline((bytes(range(256)) * 20)[:size]))
    for length in (1, 100, 2000, 4000, 4063, 4064, 4065, 4095):
        sub.add(b"link%d" % length, symlink(b"t" * length))
    root.add(b"huge", regular(2**45, payload=b"y"))
    return root


def attributes() -> Node:
    """Attributes of all prefixes, shared and not, and more than can be shared."""
    root = directory(xattrs=((b"system.posix_acl_default", b"\2\0\0\0"), *LABEL))
    many = tuple((b"user.a%03d" % number, b"") for number in range(200))
    for number in range(3):
        root.add(b"many%d" % number, regular(0, xattrs=many))
    quoted = ((b"trusted.overlay.opaque", b"y"), (b"trusted.overlay.x", b"1"))
    root.add(b"nested", directory(xattrs=quoted))
    root.add(b"long", regular(0, xattrs=((b"user." + b"n" * 250, b"v" * 9000),)))
    root.add(b"bare", regular(9, payload=b"p", xattrs=((b"odd.name", b"v"), (b"user.", b""))))
    return root


def whiteouts() -> Node:
    """Deleted files, in the root too; the format's version 1."""
    root = directory()
    root.add(b"0a", whiteout())
    sub = directory()
    root.add(b"sub", sub)
    sub.add(b"gone", whiteout())
    sub.add(b"too", whiteout(xattrs=LABEL))
    return root


def wide() -> Node:
    """Directories that fill blocks, and long names."""
    root = directory()
    for count in (1, 150, 200, 300, 5000):
        sub = directory()
        root.add(b"d%d" % count, sub)
        for number in range(count):
            sub.add(b"%05d-%s" % (number, b"n" * (number % 60)), regular(number % 3, payload=b"p"))
    root.add(b"l" * 255, directory())
    return root


TREES = (empty, system, odd_files, attributes, whiteouts, wide)
