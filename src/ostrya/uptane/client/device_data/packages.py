# SPDX-License-Identifier: Apache-2.0
"""Packages that are installed: names and versions.

::

    packages_file               "name version" on each line, made with the image; where it is there,
                                it counts
    /var/lib/dpkg/status        Debian's
    /var/lib/opkg/status        OpenEmbedded's; also in /usr/lib/opkg
    rpm -qa                     where there is a program rpm and its database
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ostrya._linux.process import run_and_listen
from ostrya.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 64 * 1024 * 1024
_MAX_WORD = 256
_STATUS_FILES = (
    "var/lib/dpkg/status", "usr/lib/dpkg/status", "var/lib/opkg/status", "usr/lib/opkg/status",
)  # fmt: skip
_RPM_DATABASES = ("usr/lib/sysimage/rpm", "usr/share/rpm", "var/lib/rpm")
_RPM = ("rpm", "-qa", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n")
_RPM_TIMEOUT_S = 60.0


def installed_packages(packages_file: str, root: str = "/") -> list[tuple[str, str]]:
    """Return names and versions, sorted; none where nothing says which there are.

    Args:
        packages_file: A list; empty for none.
        root: The system that is looked at.

    Raises:
        OSError: A list is there, and cannot be read.
    """
    data = _read(packages_file) if packages_file else None
    if data is not None:
        return sorted(set(parse_list(data)))
    for path in _STATUS_FILES:
        data = _read(os.path.join(root, path))
        if data is not None:
            return sorted(set(parse_status(data)))
    if any(os.path.isdir(os.path.join(root, path)) for path in _RPM_DATABASES):
        return sorted(set(parse_list(_ask_rpm(root))))
    return []


def parse_list(data: bytes) -> Iterator[tuple[str, str]]:
    """Parse names and versions, a pair on each line; other lines are passed over."""
    for line in data.decode("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) >= 2 and not line.startswith("#"):
            yield words[0][:_MAX_WORD], words[1][:_MAX_WORD]


def parse_status(data: bytes) -> Iterator[tuple[str, str]]:
    """Parse the status file of dpkg or opkg; only what is installed counts."""
    fields: dict[str, str] = {}
    for line in [*data.decode("utf-8", "replace").splitlines(), ""]:
        key, colon, value = line.partition(":")
        if not line.strip():
            name, version = fields.get("package", ""), fields.get("version", "")
            if name and version and fields.get("status", "installed").split()[-1:] == ["installed"]:
                yield name[:_MAX_WORD], version[:_MAX_WORD]
            fields = {}
        elif colon and key.lower() in {"package", "version", "status"}:
            fields[key.lower()] = value.strip()


def _ask_rpm(root: str) -> bytes:
    if shutil.which(_RPM[0]) is None:
        return b""
    argv = [_RPM[0], "--root", os.path.abspath(root), *_RPM[1:]]
    found = run_and_listen(argv, timeout_s=_RPM_TIMEOUT_S, most_bytes=MAX_BYTES)
    if found.status:
        raise CommandFailed(tuple(argv), found.status, found.stderr.decode(errors="replace"))
    return found.stdout


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
