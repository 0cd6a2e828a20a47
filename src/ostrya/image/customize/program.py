# SPDX-License-Identifier: Apache-2.0
"""This Ostrya, put into a tree, so that a device made of it updates itself.

Its modules are pure Python; what they need the tree has to have: Python, and Debian's pycurl and
cryptography or somebody else's. They are compiled where the tree's Python is of the same version
as the one that builds: ``/usr`` is read-only on the device, so nobody there could keep what is
compiled.
"""

from __future__ import annotations

import marshal
import re
import struct
import sys
from importlib.resources import files
from importlib.util import MAGIC_NUMBER, source_hash
from typing import TYPE_CHECKING

from ostrya.image.customize.places import Owner
from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.resources.abc import Traversable

    from ostrya.image.customize.places import Places

_EXECUTABLE = Owner(0, 0, 0o755)
PROGRAM, OTHER = "/usr/bin/ostrya", "/usr/bin/ostree"
_PACKAGE = "ostrya"
_LEAST = (3, 11)
_FOLDER = re.compile(r"python3\.(\d{1,3})")
_MODULES = ("pycurl", "cryptography")
_HINT = "put python3, python3-pycurl and python3-cryptography into it, as Debian calls them"
_TEXT = """\
#!/usr/bin/python3
import sys

from ostrya.cli.start import run

sys.exit(run())
"""
# PEP 552: valid whatever becomes of the source.
_UNCHECKED = 1
# Before the third version of its format, what is written does not depend on who else has an object.
_MARSHAL_VERSION = 2


class Python(NamedTuple):
    """A tree's Python.

    Attributes:
        version: Of it.
        folder: Where packages are that come with the system.
    """

    version: tuple[int, int]
    folder: str


def install_program(places: Places, wish: str, tell: Callable[[str], None]) -> None:
    """Put Ostrya into a tree.

    Args:
        places: The tree.
        wish: ``auto``, ``yes`` or ``no``.
        tell: Told what was done, or why it was not.

    Raises:
        SourceError: It is wanted, and the tree has not what it needs.
    """
    if wish == "no" or places.exists(PROGRAM):
        return
    if wish == "auto" and places.exists(OTHER):
        tell(f"left updates to {OTHER}, which the tree has")
        return
    found = find_python(places)
    lacking = _lacking(places, found)
    if found is None or lacking:
        what = ", ".join(lacking)
        if wish == "yes":
            raise SourceError(f"the tree lacks what Ostrya needs: {what}", hint=_HINT)
        tell(f"the device cannot update itself: the tree has no {what}")
        return
    count = 0
    for path, data in _package_files(files(_PACKAGE), found):
        places.write(f"{found.folder}/{_PACKAGE}/{path}", data)
        count += 1
    places.write(PROGRAM, _TEXT, _EXECUTABLE)
    if not places.exists(OTHER):
        places.link(OTHER, _PACKAGE)
    version = ".".join(map(str, found.version))
    compiled = "compiled" if _is_ours(found) else "not compiled: another Python builds"
    tell(f"installed Ostrya for Python {version}: {count} files, {compiled}")


def find_python(places: Places) -> Python | None:
    """Find the Python of a tree that is the newest; None if there is none."""
    versions = [
        (3, int(match[1]))
        for name in places.names("/usr/lib")
        if (match := _FOLDER.fullmatch(name)) is not None
    ]
    if not versions or not places.exists("/usr/bin/python3"):
        return None
    version = max(versions)
    own = f"/usr/lib/python3.{version[1]}/site-packages"
    shared = "/usr/lib/python3/dist-packages"
    return Python(version, shared if places.is_dir(shared) else own)


def _lacking(places: Places, python: Python | None) -> list[str]:
    if python is None:
        return ["python3", *_MODULES]
    lacking = [] if python.version >= _LEAST else [f"python3 of {_LEAST[0]}.{_LEAST[1]} or newer"]
    folders = (python.folder, f"/usr/lib/python3.{python.version[1]}/site-packages",
               f"/usr/lib64/python3.{python.version[1]}/site-packages")  # fmt: skip
    names = {name.partition(".")[0] for folder in folders for name in places.names(folder)}
    return [*lacking, *(name for name in _MODULES if name not in names)]


def _is_ours(python: Python) -> bool:
    return python.version == sys.version_info[:2]


def _package_files(folder: Traversable, python: Python) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the package, by their paths in it; compiled ones too."""
    for path, source in sorted(_walk(folder, "")):
        data = source.read_bytes()
        yield path, data
        if path.endswith(".py") and _is_ours(python):
            parent, _, name = path.rpartition("/")
            tag = f"{sys.implementation.cache_tag}.pyc"
            place = f"{parent}/__pycache__" if parent else "__pycache__"
            yield (
                f"{place}/{name[:-3]}.{tag}",
                compile_module(data, f"{python.folder}/{_PACKAGE}/{path}"),
            )


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        below = f"{path}/{entry.name}" if path else entry.name
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _walk(entry, below)
        # What is compiled is for this machine only; Python stands in for it.
        elif not entry.name.endswith((".so", ".c", ".pyi", ".pyc")):
            yield below, entry


def compile_module(source: bytes, path: str) -> bytes:
    """Return compiled Python, the same each time.

    Args:
        source: The module.
        path: Where it will be.
    """
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    head = MAGIC_NUMBER + struct.pack("<I", _UNCHECKED) + source_hash(source)
    return head + marshal.dumps(code, _MARSHAL_VERSION)
