# SPDX-License-Identifier: Apache-2.0
"""Which packages a tree has, as its package manager noted: dpkg, opkg, apk.

Without any of these, ``/usr/package.manifest`` is read, lines of a name and a version, as
meta-updater writes it. The tree is whatever can read a file of it: a commit, an image.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.image.reading.licences import declared_licences
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # Returns what is in a file, links followed; None if it is not there.
    ReadFile = Callable[[str, int], bytes | None]

_DPKG = ("/usr/lib/sysimage/dpkg", "/var/lib/dpkg")
_OPKG = ("/var/lib/opkg", "/usr/lib/opkg", "/usr/lib/sysimage/opkg")
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_MANIFEST = "/usr/package.manifest"
_MOST_DATABASE, _MOST_FILE = 256 << 20, 8 << 20
_INSTALLED = ("installed", "triggers-pending", "triggers-awaited")
_SOURCE = re.compile(r"(\S+)(?:\s+\((.+)\))?")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


class Package(NamedTuple):
    """A package.

    Attributes:
        kind: ``deb``, ``opkg``, ``apk``, or ``generic`` where only names are known.
        name: What it is called.
        version: Its version.
        architecture: What it was built for; empty if nobody says.
        source: The source package that it was built of; empty if that has its name.
        source_version: The version of that; empty if it is the same.
        maintainer: Who looks after it.
        homepage: Where its makers are.
        licences: What its own files say about licences, as they call them.
        files: How many files it has, directories with them; 0 if nobody says.
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    source_version: str = ""
    maintainer: str = ""
    homepage: str = ""
    licences: tuple[str, ...] = ()
    files: int = 0


def read_packages(read: ReadFile, *, details: bool = True) -> list[Package]:
    """List the packages of a tree, by name and architecture.

    Args:
        read: Reads a file of it, given how large it may be.
        details: Whether licences and files are looked at, for which many files are read.

    Raises:
        DiskError: A file cannot be read.
        OstryaError: Likewise.
    """
    found: list[Package] = []
    for folder in _DPKG:
        if not found and (data := read(f"{folder}/status", _MOST_DATABASE)):
            found = list(_read_dpkg(read, folder, data, details=details))
    for folder in _OPKG:
        if not found and (data := read(f"{folder}/status", _MOST_DATABASE)):
            found = list(_read_opkg(read, folder, data, details=details))
    for path in _APK:
        if not found and (data := read(path, _MOST_DATABASE)):
            found = list(_read_apk(data))
    if not found and (data := read(_MANIFEST, _MOST_FILE)):
        found = list(_read_manifest(data))
    return sorted(found)


def paragraphs(data: bytes) -> Iterator[dict[str, str]]:
    """Yield paragraphs of a control file: fields with all their lines, by name in lower case."""
    fields: dict[str, str] = {}
    name = ""
    for line in data.decode("utf-8", "replace").split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t":
            if name:
                fields[name] += f"\n{line}"
        elif ":" in line and line[0] != "#":
            key, _, value = line.partition(":")
            name = key.lower()
            fields[name] = value.strip()
    if fields:
        yield fields


def _is_installed(fields: dict[str, str]) -> bool:
    words = fields.get("status", "").split()
    return len(words) == 3 and words[2] in _INSTALLED


def _described(kind: str, fields: dict[str, str]) -> Package:
    name = fields.get("package", "")
    source = _SOURCE.match(fields.get("source", ""))
    return Package(
        kind,
        name,
        fields.get("version", ""),
        fields.get("architecture", ""),
        source[1] if source is not None and source[1] != name else "",
        (source[2] or "") if source is not None else "",
        fields.get("maintainer", "").replace("\n", " "),
        fields.get("homepage", ""),
    )


def _read_dpkg(read: ReadFile, folder: str, data: bytes, *, details: bool) -> Iterator[Package]:
    for fields in paragraphs(data):
        package = _described("deb", fields)
        if not _is_installed(fields) or not _SAFE_NAME.fullmatch(package.name):
            continue
        if details:
            package = package._replace(
                licences=_debian_licences(read, package.name),
                files=_count_files(read, folder, package),
            )
        yield package


def _debian_licences(read: ReadFile, name: str) -> tuple[str, ...]:
    data = read(f"/usr/share/doc/{name}/copyright", _MOST_FILE)
    return declared_licences(list(paragraphs(data))) if data else ()


def _count_files(read: ReadFile, folder: str, package: Package) -> int:
    names = (package.name, f"{package.name}:{package.architecture}")
    for name in names:
        data = read(f"{folder}/info/{name}.list", _MOST_FILE)
        if data is not None:
            # The first one is the root.
            return sum(1 for line in data.split(b"\n") if line and line != b"/.")
    return 0


def _read_opkg(read: ReadFile, folder: str, data: bytes, *, details: bool) -> Iterator[Package]:
    for fields in paragraphs(data):
        package = _described("opkg", fields)
        if not _is_installed(fields) or not _SAFE_NAME.fullmatch(package.name):
            continue
        # Its status is short: what else is known is in files of its own.
        control = read(f"{folder}/info/{package.name}.control", _MOST_FILE) if details else None
        if control:
            more = {**next(paragraphs(control), {}), **fields}
            licence = more.get("license", "")
            package = _described("opkg", more)._replace(
                licences=(licence,) if licence else (),
                files=_count_files(read, folder, package),
            )
        yield package


def _read_apk(data: bytes) -> Iterator[Package]:
    for block in data.decode("utf-8", "replace").split("\n\n"):
        fields: dict[str, str] = {}
        files = 0
        for line in block.split("\n"):
            key, colon, value = line.partition(":")
            if colon and key == "R":
                files += 1
            elif colon:
                fields.setdefault(key, value)
        name = fields.get("P", "")
        if name:
            source, licence = fields.get("o", ""), fields.get("L", "")
            yield Package(
                "apk", name, fields.get("V", ""), fields.get("A", ""),
                source if source != name else "", "", fields.get("m", ""), fields.get("U", ""),
                (licence,) if licence else (), files,
            )  # fmt: skip


def _read_manifest(data: bytes) -> Iterator[Package]:
    for line in data.decode("utf-8", "replace").split("\n"):
        words = line.split()
        if len(words) in (2, 3):
            # Yocto's own has the architecture between the two.
            yield Package("generic", words[0], words[-1], words[1] if len(words) == 3 else "")
