# SPDX-License-Identifier: Apache-2.0
"""``static-delta show``: what a static delta leads to, and what is in its parts.

DELTA is its name, or the path of its superblock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.delta.describe import OPERATION_WORDS, describe_part
from ostrya.delta.open_delta import open_delta
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments
    from ostrya.delta.describe import PartFacts
    from ostrya.delta.open_delta import OpenDelta

PARAMETERS = "DELTA"
OPTIONS: tuple[Option, ...] = ()

_PARENT_BYTES = 64


def run(arguments: Arguments, context: Context) -> int:
    """Print what is in it."""
    if not arguments.positionals:
        raise context.usage_error("DELTA must be specified")
    text = arguments.positionals[0]
    with open_delta(context.repo, text) as delta:
        if context.json:
            write_json(_as_json(delta, text, context))
            return 0
        _write_head(delta, text)
        for index in range(len(delta.superblock.parts)):
            _write_part(index, describe_part(delta, index, context.repo.tmp_fd))
        _write_totals(delta)
    return 0


def _write_head(delta: OpenDelta, text: str) -> None:
    block = delta.superblock
    order = block.byte_order
    write_line(f"Delta: {text}")
    write_line(f"Signed: {'no' if delta.signed is None else 'yes'}")
    write_line("From <scratch>" if block.origin is None else f"From: {block.origin}")
    write_line(f"To: {block.to}")
    guessed = " (heuristic)" if order.heuristic and order.order != "invalid" else ""
    write_line(f"Endianness: {order.order}{guessed}")
    write_line(f"Timestamp: {block.timestamp}")
    write_line(f"Number of parents: {len(block.parents) // _PARENT_BYTES}")
    write_line(f"Number of fallback entries: {len(block.fallbacks)}")
    for fallback in block.fallbacks:
        write_line(f"  {fallback.name.checksum}")
    size, unpacked_size = _fallback_sizes(delta)
    write_line(f"Total Fallback Size: {size} ({format_size(size)})")
    write_line(f"Total Fallback Uncompressed Size: {unpacked_size} ({format_size(unpacked_size)})")
    write_line(f"Number of parts: {len(block.parts)}")


def _write_part(index: int, facts: PartFacts) -> None:
    header = facts.header
    write_line(
        f"PartMeta{index}: nobjects={header.object_count} size={header.size} "
        f"usize={header.unpacked_size}"
    )
    write_line(
        f"PartPayload{index}: nmodes={facts.modes} nxattrs={facts.xattrs} "
        f"blobsize={facts.data_size} opsize={facts.operations_size}"
    )
    counts = " ".join(f"{word}={facts.operations[word]}" for word in OPERATION_WORDS)
    write_line(f"PartPayloadOps{index}: {counts}")


def _write_totals(delta: OpenDelta) -> None:
    block = delta.superblock
    size, unpacked_size = _fallback_sizes(delta)
    for label, total in (
        ("Total Part Size", block.size),
        ("Total Part Uncompressed Size", block.unpacked_size),
        ("Total Size", block.size + size),
        ("Total Uncompressed Size", block.unpacked_size + unpacked_size),
    ):
        write_line(f"{label}: {total} ({format_size(total)})")


def _fallback_sizes(delta: OpenDelta) -> tuple[int, int]:
    fallbacks = delta.superblock.fallbacks
    return sum(one.size for one in fallbacks), sum(one.unpacked_size for one in fallbacks)


def _as_json(delta: OpenDelta, text: str, context: Context) -> dict[str, object]:
    block = delta.superblock
    parts = []
    for index, header in enumerate(block.parts):
        facts = describe_part(delta, index, context.repo.tmp_fd)
        parts.append(
            {
                "inline": delta.is_inline(index),
                "checksum": header.checksum,
                "objects": header.object_count,
                "size": header.size,
                "unpacked-size": header.unpacked_size,
                "modes": facts.modes,
                "xattrs": facts.xattrs,
                "data-size": facts.data_size,
                "operations-size": facts.operations_size,
                "operations": facts.operations,
            }
        )
    return {
        "delta": text,
        "signed": delta.signed is not None,
        "from": block.origin,
        "to": block.to,
        "endianness": block.byte_order.order.value,
        "endianness-guessed": block.byte_order.heuristic,
        "timestamp": block.timestamp,
        "fallbacks": [
            {"object": str(one.name), "size": one.size, "unpacked-size": one.unpacked_size}
            for one in block.fallbacks
        ],
        "parts": parts,
    }
