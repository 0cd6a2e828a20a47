# SPDX-License-Identifier: Apache-2.0
"""What is in a delta: counts and sizes, of each part and of all together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ostrya.formats.delta_operations import (
    Close,
    Open,
    Patch,
    SetReadSource,
    SpliceFile,
    SpliceMetadata,
    UnsetReadSource,
    Write,
    decode_operations,
)
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.delta.open_delta import OpenDelta
    from ostrya.formats.delta_superblock import PartHeader

# In libostree's order, with its words.
OPERATION_WORDS = (
    "openspliceclose", "open", "write", "setread", "unsetread", "close", "bspatch",
)  # fmt: skip
_WORD_OF: dict[type, str] = {
    SpliceMetadata: "openspliceclose",
    SpliceFile: "openspliceclose",
    Open: "open",
    Write: "write",
    SetReadSource: "setread",
    UnsetReadSource: "unsetread",
    Close: "close",
    Patch: "bspatch",
}


class PartFacts(NamedTuple):
    """What is in one part.

    Attributes:
        header: What the superblock says of it.
        modes: How many owners and modes its files share.
        xattrs: How many sets of extended attributes.
        data_size: Of its data, in bytes.
        operations_size: Of its operations, in bytes.
        operations: How many there are of each, by libostree's words.
    """

    header: PartHeader
    modes: int
    xattrs: int
    data_size: int
    operations_size: int
    operations: dict[str, int]


def describe_part(delta: OpenDelta, index: int, spool_fd: int) -> PartFacts:
    """Look into a part, which need not be the one that the superblock means.

    Raises:
        DeltaFormatError: It is damaged.
        OSError: It cannot be read.
    """
    header = delta.superblock.parts[index]
    with delta.open_part(index, spool_fd, checksum=False) as payload:
        tables = payload.tables()
        counted = Counter(
            _WORD_OF[type(operation)] for operation in decode_operations(tables.operations, header)
        )
        return PartFacts(
            header=header,
            modes=len(tables.modes),
            xattrs=len(tables.xattrs),
            data_size=tables.data_size,
            operations_size=len(tables.operations),
            operations={word: counted[word] for word in OPERATION_WORDS},
        )
