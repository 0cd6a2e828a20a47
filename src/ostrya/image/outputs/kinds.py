# SPDX-License-Identifier: Apache-2.0
"""Names of outputs, and of their files. Pure.

::

    raw              NAME.img                     the disk
    wic              NAME.wic                     the same, as Yocto calls it
    raw.bmap         NAME.img.bmap                which of its blocks matter when it is flashed
    wic.bmap         NAME.wic.bmap
    qcow2            NAME.qcow2                   the disk, for QEMU
    ota-ext4         NAME.ota-ext4                the root file system
    ota-btrfs        NAME.ota-btrfs               the same sysroot, as btrfs
    ota-esp          NAME.ota-esp                 the FAT that firmware and loader read
    ota.tar          NAME.ota.tar                 the sysroot: deployments, repository, /var
    ostree.tar       NAME.ostree.tar              the tree of the release
    ostreecommit.tar NAME.ostreecommit.tar        a repository with the release
    spdx             NAME.spdx.json               a bill of materials
    manifest         NAME.manifest.json           what was built, and its outputs
    sha256sums       SHA256SUMS                   checksums of all of these
    delta-from=REV   NAME.from-COMMIT.delta       a static delta from an earlier release

All but the last rows may have ``.gz``, ``.bz2``, ``.xz`` or ``.zst`` behind them: ``wic.xz``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

DELTA = "delta-from"
BMAP = "bmap"
SPDX, MANIFEST, SUMS = "spdx", "manifest", "sha256sums"
SUMS_FILE = "SHA256SUMS"
COMPRESSIONS = ("gz", "bz2", "xz", "zst")
_FILES = {
    "raw": ".img",
    "wic": ".wic",
    "qcow2": ".qcow2",
    "ota-ext4": ".ota-ext4",
    "ota-btrfs": ".ota-btrfs",
    "ota-esp": ".ota-esp",
    "ota.tar": ".ota.tar",
    "ostree.tar": ".ostree.tar",
    "ostreecommit.tar": ".ostreecommit.tar",
}
_SAYING = {SPDX: ".spdx.json", MANIFEST: ".manifest.json", SUMS: ""}
_MAPPED = ("raw", "wic")
# Of a checksum in a file's name.
_SHORT = 12
# In that order: each says something about those before it.
_LAST = (BMAP, SPDX, MANIFEST, SUMS)


class Kind(NamedTuple):
    """One output that is wanted.

    Attributes:
        base: Which, without its compression.
        compression: One of `COMPRESSIONS`; empty for none.
        revision: Where a delta leads from; a checksum, once somebody has looked.
        mapped: Of a map: ``raw`` or ``wic``.
    """

    base: str
    compression: str = ""
    revision: str = ""
    mapped: str = ""

    @property
    def word(self) -> str:
        """How it is asked for."""
        if self.base == DELTA:
            return f"{DELTA}={self.revision}"
        if self.base == BMAP:
            return f"{self.mapped}.{BMAP}"
        return f"{self.base}.{self.compression}" if self.compression else self.base

    def file_name(self, name: str) -> str:
        """Return what its file is called in a build of this name."""
        if self.base == BMAP:
            return f"{name}{_FILES[self.mapped]}.bmap"
        if self.base == DELTA:
            return f"{name}.from-{self.revision[:_SHORT]}.delta"
        if self.base == SUMS:
            return SUMS_FILE
        suffix = f".{self.compression}" if self.compression else ""
        return f"{name}{(_FILES | _SAYING)[self.base]}{suffix}"


def known_kinds() -> list[str]:
    """List the names of outputs, compressions left out."""
    maps = [f"{base}.{BMAP}" for base in _MAPPED]
    return [*_FILES, *maps, *_SAYING, f"{DELTA}=REV"]


def parse_kind(word: str) -> Kind:
    """Read the name of an output.

    Raises:
        OutputError: There is no such output.
    """
    name, equals, revision = word.partition("=")
    if name == DELTA and revision:
        return Kind(DELTA, revision=revision)
    if not equals:
        if word in _FILES or word in _SAYING:
            return Kind(word)
        base, _, suffix = word.rpartition(".")
        if base in _FILES and suffix in COMPRESSIONS:
            return Kind(base, suffix)
        if base in _MAPPED and suffix == BMAP:
            return Kind(BMAP, mapped=base)
    raise OutputError(
        f"there is no output '{word}'",
        hint=f"known are {', '.join(known_kinds())}; with .gz, .bz2, .xz or .zst compressed",
    )


def parse_kinds(words: Sequence[str]) -> list[Kind]:
    """Read names of outputs, each once; those that speak of others come last.

    Raises:
        OutputError: There is no such output.
    """
    kinds = list(dict.fromkeys(parse_kind(word) for word in words))
    return sorted(kinds, key=lambda kind: _LAST.index(kind.base) if kind.base in _LAST else -1)
