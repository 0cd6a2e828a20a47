# SPDX-License-Identifier: Apache-2.0
"""``static-delta generate``: make a static delta from one commit to another.

Without ``--from`` and ``--empty`` it leads from the parent of TO. A KEY-ID is a secret key.
Sizes in megabytes are millions of bytes.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, number, text, texts
from ostrya.cli.output import write_json, write_line
from ostrya.cli.sizes import parse_size
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.plan import MEGABYTE, DeltaLimits, Shipping
from ostrya.errors import RepoError
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.delta_superblock import DeltaByteOrder
from ostrya.repo.delta_files import has_delta
from ostrya.repo.free_space import format_size
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.delta.generate import GeneratedDelta
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

PARAMETERS = "[TO]"
OPTIONS = (
    text("from", "REV", "Lead from this commit (default: the parent of TO)"),
    text("to", "REV", "Lead to this commit"),
    flag("empty", "Lead from nothing"),
    flag("inline", "Put the parts into the superblock, to get a single file"),
    flag("if-not-exists", "Do nothing if there is such a delta already", short="n"),
    text("filename", "PATH", "Write the superblock to PATH, and parts beside it"),
    flag("disable-bsdiff", "Make no patches; share ranges at the most"),
    text("max-bsdiff-size", "MB", "Patch no file that is larger, together with the old one"),
    text("max-chunk-size", "MB", "Largest part, but for a single object (default: 32)"),
    text("min-fallback-size", "MB", "Leave larger files that nothing resembles out; 0 for none"),
    text("set-endianness", "ENDIAN", "Byte order of the integers: l or B"),
    flag("swap-endianness", "Use the other byte order"),
    text("apply-memory", "SIZE", "Applying the delta shall take no more than this, as 64M"),
    text("memory", "SIZE", "Making the delta shall take no more than this, roughly, as 256M"),
    number("jobs", "N", "How many processes work (default: one per processor)"),
    texts("sign", "KEY-ID", "Sign the delta with this secret key"),
    text("sign-type", "NAME", "Engine of --sign: ed25519 (the default), spki or dummy"),
    text("keys-file", "FILE", "Sign with the secret keys in this file"),
)
_LEAST_APPLY_MEMORY = 1 << 20


def run(arguments: Arguments, context: Context) -> int:
    """Make it, and say what it is made of."""
    repo = context.repo
    require_writable(repo)
    name = _read_name(repo, arguments)
    if arguments.flag("if-not-exists") and has_delta(repo, name):
        write_line(f"Delta {name} already exists.")
        return 0
    options = _read_options(arguments, context)
    signers = _make_signers(repo, arguments)
    if not context.json:
        write_line("Generating static delta:")
        write_line(f"  From: {name.origin or 'empty'}")
        write_line(f"  To:   {name.to}")
        sys.stdout.flush()
    made = generate_delta(
        repo, name, options, now=int(time.time()), signers=signers, progress=context.progress()
    )
    if context.json:
        write_json(_as_json(made))
    else:
        _describe(made)
    return 0


def _read_name(repo: Repository, arguments: Arguments) -> DeltaName:
    to = arguments.text("to")
    if to is None:
        if not arguments.positionals:
            raise RepoError("TO revision must be specified")
        to = arguments.positionals[0]
    origin = arguments.text("from")
    if arguments.flag("empty"):
        if origin is not None:
            raise RepoError("Cannot specify both --empty and --from=REV")
        return DeltaName(require_rev(repo, to), None)
    source = require_rev(repo, f"{to}^" if origin is None else origin)
    return DeltaName(require_rev(repo, to), source)


def _read_options(arguments: Arguments, context: Context) -> GenerateOptions:
    jobs = arguments.number("jobs")
    if jobs is not None and jobs < 1:
        raise UsageError(f"Invalid number of jobs {jobs}")
    memory = arguments.text("memory")
    filename = arguments.text("filename")
    if filename == "":
        raise RepoError("Invalid 'filename' parameter")
    return GenerateOptions(
        limits=_read_limits(arguments, context),
        jobs=jobs,
        memory=None if memory is None else parse_size(memory, "--memory"),
        inline=arguments.flag("inline"),
        filename=filename,
        byte_order=_read_byte_order(arguments),
    )


def _read_limits(arguments: Arguments, context: Context) -> DeltaLimits:
    default = DeltaLimits()
    patch = _megabytes(arguments, "max-bsdiff-size")
    chunk = _megabytes(arguments, "max-chunk-size")
    apply_memory = arguments.text("apply-memory")
    ceiling = None if apply_memory is None else parse_size(apply_memory, "--apply-memory")
    if ceiling is not None and ceiling < _LEAST_APPLY_MEMORY:
        raise UsageError("--apply-memory: less than 1M is not enough for any delta")
    return DeltaLimits(
        max_chunk=default.max_chunk if chunk is None else chunk,
        max_patch=default.max_patch if patch is None else patch,
        min_fallback=_megabytes(arguments, "min-fallback-size"),
        patches=not arguments.flag("disable-bsdiff"),
        apply_memory=ceiling,
        same_path_only=context.environment.delta_partners == "path",
    )


def _megabytes(arguments: Arguments, option: str) -> int | None:
    given = arguments.text(option)
    if given is None:
        return None
    digits = given.strip()
    if not digits.isascii() or not digits.isdigit():
        raise UsageError(f"--{option}: '{given}' is no number of megabytes")
    return int(digits) * MEGABYTE


def _read_byte_order(arguments: Arguments) -> DeltaByteOrder:
    orders = {"l": DeltaByteOrder.LITTLE, "B": DeltaByteOrder.BIG}
    native = "l" if sys.byteorder == "little" else "B"
    given = arguments.text("set-endianness")
    if given is not None and given not in orders:
        raise RepoError(f"Invalid endianness '{given}'")
    chosen = orders[given or native]
    if not arguments.flag("swap-endianness"):
        return chosen
    return next(order for order in orders.values() if order is not chosen)


def _make_signers(repo: Repository, arguments: Arguments) -> list[Signer]:
    keys: list[str | bytes] = list(arguments.texts("sign"))
    path = arguments.text("keys-file")
    if not keys and path is None:
        return []
    from ostrya.sign.engine import DEFAULT_ENGINE, make_signer
    from ostrya.sign.policy import require_engine
    from ostrya.sign.trust import load_secret_keys_file

    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    require_engine(engine)
    if path is not None:
        keys += load_secret_keys_file(engine, path)
    allow_dummy = repo.runtime.dummy_signatures
    return [make_signer(engine, key, allow_dummy=allow_dummy) for key in keys]


def _describe(made: GeneratedDelta) -> None:
    """Say what libostree says, where it says it."""
    lines = [
        f"modified: {made.partnered}",
        (
            f"new reachable: metadata={made.new_metadata} content regular={made.new_files}"
            f" symlink={made.new_links}"
        ),
    ]
    lines += [
        f"fallback for {file.checksum} ({format_size(file.size)})"
        for file in made.files
        if file.shipping is Shipping.FALLBACK
    ]
    lines += [
        f"part {number} n:{part.objects} compressed:{part.size} uncompressed:{part.unpacked_size}"
        for number, part in enumerate(made.parts, 1)
    ]
    unpacked = sum(part.unpacked_size for part in made.parts)
    compressed = sum(part.size for part in made.parts)
    ranged = [file for file in made.files if file.shipping is Shipping.RANGES]
    lines += [
        f"uncompressed={unpacked} compressed={compressed} loose={made.loose_size}",
        f"rollsum={len(ranged)} objects, {sum(file.size for file in ranged)} bytes",
        f"bsdiff={made.count(Shipping.PATCH)} objects",
        f"apply-memory={made.apply_memory}",
    ]
    sys.stderr.write("".join(f"{line}\n" for line in lines))


def _as_json(made: GeneratedDelta) -> dict[str, object]:
    return {
        "from": made.name.origin,
        "to": made.name.to,
        "size": made.size,
        "loose_size": made.loose_size,
        "apply_memory": made.apply_memory,
        "parts": [part._asdict() for part in made.parts],
        "files": {kind.value: made.count(kind) for kind in Shipping},
    }
