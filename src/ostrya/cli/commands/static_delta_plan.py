# SPDX-License-Identifier: Apache-2.0
"""``static-delta plan``: what each way to a commit costs.

From the parent of TO, or from each commit that ``--from-each-of`` names, or from nothing, the ways
are listed with the bytes and requests they take and the memory that applying takes: its objects one
by one, and the deltas that the repository has; with --try, those too that it has not, which are
made, measured and thrown away. Changed files that are compressed, which no patch makes small, are
named, with what it would save were they not.
"""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, texts
from ostrya.cli.output import write_json, write_line
from ostrya.delta.compressed_files import find_compressed_files
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.routes import find_routes, measure_delta
from ostrya.errors import RepoError
from ostrya.formats.delta_name import DeltaName
from ostrya.repo.delta_files import has_delta
from ostrya.repo.free_space import format_size
from ostrya.repo.refs import require_rev

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.delta.compressed_files import CompressedFile
    from ostrya.delta.routes import Route
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

PARAMETERS = "TO"
OPTIONS = (
    texts("from-each-of", "REV", "From this commit; can be given again (default: TO's parent)"),
    flag("empty", "Also from nothing"),
    flag("try", "Make deltas that are not there, to say what they would take"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Print the ways, the cheapest first."""
    if not arguments.positionals:
        raise RepoError("TO revision must be specified")
    repo = context.repo
    to = require_rev(repo, arguments.positionals[0])
    origins = _origins(repo, arguments)
    tried = _try(repo, origins, to, context) if arguments.flag("try") else {}
    plans = [
        (origin, find_routes(repo, origin, to, tried), _compressed(repo, origin, to))
        for origin in origins
    ]
    if context.json:
        write_json([_as_json(*plan) for plan in plans])
        return 0
    for origin, routes, compressed in plans:
        _print(origin, to, routes, compressed)
    return 0


def _origins(repo: Repository, arguments: Arguments) -> list[Checksum | None]:
    origins: list[Checksum | None] = [
        require_rev(repo, rev) for rev in arguments.texts("from-each-of")
    ]
    if arguments.flag("empty"):
        origins.append(None)
    return origins or [require_rev(repo, f"{arguments.positionals[0]}^")]


def _try(
    repo: Repository, origins: list[Checksum | None], to: Checksum, context: Context
) -> dict[DeltaName, Route]:
    """Make deltas that are not there, in a temporary directory, and measure them."""
    found: dict[DeltaName, Route] = {}
    for name in [DeltaName(to, origin) for origin in origins]:
        if has_delta(repo, name):
            continue
        with tempfile.TemporaryDirectory(prefix="ostrya-plan-") as folder:
            path = f"{folder}/superblock"
            options = GenerateOptions(filename=path)
            generate_delta(repo, name, options, now=int(time.time()), progress=context.progress())
            found[name] = measure_delta(path, name)
    return found


def _compressed(repo: Repository, origin: Checksum | None, to: Checksum) -> list[CompressedFile]:
    return [] if origin is None else find_compressed_files(repo, origin, to)


def _print(
    origin: Checksum | None, to: Checksum, routes: list[Route], compressed: list[CompressedFile]
) -> None:
    write_line(f"From {origin or 'nothing'} to {to}:")
    for route in routes:
        memory = "memory not stated" if route.memory is None else f"{format_size(route.memory)}"
        tried = ", not there yet" if route.tried else ""
        via = f" by way of {', '.join(route.steps[:-1])}" if len(route.steps) > 1 else ""
        write_line(
            f"  {route.kind:<12} {format_size(route.size)}, {route.requests} requests, "
            f"{memory} to apply{via}{tried}"
        )
    for file in compressed:
        write_line(
            f"  {file.path}: {file.how}, {format_size(file.size)}; not compressed, it would save "
            f"about {format_size(file.saving)}"
        )


def _as_json(
    origin: Checksum | None, routes: list[Route], compressed: list[CompressedFile]
) -> dict[str, object]:
    return {
        "from": origin,
        "routes": [
            {**route._asdict(), "kind": str(route.kind), "steps": list(route.steps)}
            for route in routes
        ],
        "compressed": [file._asdict() for file in compressed],
    }
