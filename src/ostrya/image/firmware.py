# SPDX-License-Identifier: Apache-2.0
"""Files that others made, such as a board's first loaders, from wherever they are.

They are looked for in a folder that somebody names, then in the release, as its packages brought
them, and then on the machine that builds. In the folder they may also lie without the path that
they have in a package. The first place that has one counts.
"""

from __future__ import annotations

import glob
import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir, open_file_in_root
from ostrya.image.errors import BoardError
from ostrya.image.fat import FatFile
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.board import Board
    from ostrya.image.board_parts import Firmware

MAX_FILE_BYTES = 64 << 20


class FirmwarePlaces(NamedTuple):
    """Where firmware is looked for.

    Attributes:
        folder: A folder that somebody names; empty for none.
        release: The directory of a release; empty for none.
        host: That of the machine that builds.
    """

    folder: str = ""
    release: str = ""
    host: str = "/"


THIS_MACHINE = FirmwarePlaces()


class FoundFirmware(NamedTuple):
    """What was found.

    Attributes:
        files: On the FAT partition.
        raw: On the disk before all partitions: where, and its bytes.
        sources: Where each was found, by its name on the FAT or its offset in bytes.
    """

    files: tuple[FatFile, ...] = ()
    raw: tuple[tuple[int, bytes], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()


def find_firmware(board: Board, places: FirmwarePlaces) -> FoundFirmware:
    """Collect the firmware of a board, and the files of its own.

    Raises:
        BoardError: Something is nowhere; all that is missing is named at once.
        OSError: Something cannot be read.
    """
    files = [FatFile(one.file, one.text.encode()) for one in board.texts]
    raw: list[tuple[int, bytes]] = []
    sources: list[tuple[str, str]] = []
    missing: list[Firmware] = []
    for wish in board.firmware:
        found = _find(wish, places)
        if not found and not wish.optional:
            missing.append(wish)
        for place, path in found:
            data = _read(place, path)
            name = str(wish.offset_bytes)
            if wish.file:
                name = wish.file + (os.path.basename(path) if wish.file.endswith("/") else "")
                files.append(FatFile(name.lstrip("/"), data))
            else:
                raw.append((wish.offset_bytes, data))
            sources.append((name.lstrip("/"), os.path.join(place, path)))
    if missing:
        raise _missing(board, missing, places)
    return FoundFirmware(tuple(files), tuple(raw), tuple(sources))


def find_path(places: FirmwarePlaces, path: str) -> str | None:
    """Return where a path is: in the folder, on this machine, or in the release."""
    for place in (places.folder, places.host, places.release):
        if place and os.path.exists(os.path.join(place, path)):
            return os.path.join(place, path)
    return None


def _missing(board: Board, missing: list[Firmware], places: FirmwarePlaces) -> BoardError:
    looked = [one for one in (places.folder, places.release and "the release") if one]
    packages = sorted({one.package for one in missing if one.package})
    hint = "name a folder that has it"
    if packages:
        hint += f"; in Debian it is in {', '.join(packages)}"
    return BoardError(
        f"board {board.name} needs firmware that is not in "
        f"{', '.join([*looked, 'this machine'])}: {', '.join(one.sources[0] for one in missing)}",
        hint=hint,
    )


def _find(wish: Firmware, places: FirmwarePlaces) -> list[tuple[str, str]]:
    """Return a place and paths in it; nothing if no place has it."""
    for place in (places.folder, places.release, places.host):
        for source in wish.sources if place else ():
            paths = _matching(place, source)
            if not paths and place == places.folder:
                paths = _matching(place, os.path.basename(source))
            if paths:
                return [(place, path) for path in paths]
    return []


def _matching(place: str, pattern: str) -> list[str]:
    """List regular files below a place; a link in it leads to what is below it, too."""
    paths = [pattern]
    if glob.has_magic(pattern):
        paths = sorted(glob.glob(pattern, root_dir=place))
    if not os.path.isdir(place):
        return []
    fd = open_dir(place)
    try:
        return [path for path in paths if _is_file(fd, path)]
    finally:
        os.close(fd)


def _is_file(fd: int, path: str) -> bool:
    try:
        file = open_file_in_root(fd, path)
    except OSError:
        return False
    try:
        return stat.S_ISREG(os.fstat(file).st_mode)
    finally:
        os.close(file)


def _read(place: str, path: str) -> bytes:
    fd = open_dir(place)
    try:
        with open(open_file_in_root(fd, path), "rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(fd)
    if len(data) > MAX_FILE_BYTES:
        raise BoardError(
            f"firmware {os.path.join(place, path)} is larger than {MAX_FILE_BYTES >> 20} MiB"
        )
    return data


def is_provided(board: Board, file: str) -> bool:
    """Say whether a board's description brings a file to the FAT partition."""
    names = [one.file for one in board.texts]
    for wish in board.firmware:
        if wish.file.endswith("/"):
            folder, _, name = file.rpartition("/")
            patterns = [os.path.basename(one) for one in wish.sources]
            if folder == wish.file.strip("/") and any(fnmatchcase(name, one) for one in patterns):
                return True
        names.append(wish.file)
    return file in names
