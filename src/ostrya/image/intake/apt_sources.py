# SPDX-License-Identifier: Apache-2.0
"""Where this machine's apt gets packages from, for a Debian that is made here.

::

    sources.list   deb [signed-by=/usr/share/keyrings/x.gpg] http://host/debian bookworm main
    *.sources      Types: deb
                   URIs: http://host/debian
                   Suites: bookworm bookworm-updates
                   Components: main
                   Signed-By: /usr/share/keyrings/x.gpg

Source: sources.list(5).
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOLDER = "/etc/apt"
_MAX_BYTES = 1 << 20
# Beside a suite, what its archive has for it.
_ADDITIONS = ("-updates", "-security")


class AptSource(NamedTuple):
    """One line of ``sources.list``.

    Attributes:
        uri: Of the archive.
        suite: What of it.
        components: Of that.
        signed_by: File of the keys that sign it; empty for those that apt trusts anyway.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def line(self) -> str:
        """Return it as ``sources.list`` has it."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return " ".join([f"deb {option}{self.uri}", self.suite, *self.components])


def read_apt_sources(folder: str = _FOLDER) -> list[AptSource]:
    """Read all that apt is set up with; what cannot be read is not there."""
    found: list[AptSource] = []
    parts = f"{folder}/sources.list.d"
    with suppress(FileNotFoundError):
        found += parse_list(_read(f"{folder}/sources.list"))
    names: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        names = sorted(os.listdir(parts))
    for name in names:
        if name.endswith(".list"):
            found += parse_list(_read(f"{parts}/{name}"))
        elif name.endswith(".sources"):
            found += parse_deb822(_read(f"{parts}/{name}"))
    return found


def lines_for(sources: Iterable[AptSource], suite: str) -> list[str]:
    """Return the lines for a suite, and for what is added to it; none if apt does not know it."""
    wanted = {suite, *(f"{suite}{addition}" for addition in _ADDITIONS)}
    chosen = [source for source in sources if source.suite in wanted]
    if suite not in {source.suite for source in chosen}:
        return []
    return [source.line() for source in chosen]


def parse_list(text: str) -> Iterator[AptSource]:
    """Read a ``sources.list``; what is no line of it is passed over, as comments are."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 3 or words[0] != "deb":
            continue
        del words[0]
        options: list[str] = []
        if words[0].startswith("["):
            end = next((at for at, word in enumerate(words) if word.endswith("]")), None)
            if end is None:
                continue
            options = " ".join(words[: end + 1]).strip("[]").split()
            del words[: end + 1]
        keys = [word[len("signed-by=") :] for word in options if word.startswith("signed-by=")]
        if len(words) >= 2:
            yield AptSource(words[0], words[1], tuple(words[2:]), keys[0] if keys else "")


def parse_deb822(text: str) -> Iterator[AptSource]:
    """Read a ``.sources`` file; a stanza that is switched off is passed over."""
    for stanza in text.split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in stanza.splitlines():
            name, colon, value = line.partition(":")
            # Lines that begin with a space go on with a key that is written out: not a path.
            if colon and not line.startswith(("#", " ", "\t")):
                fields[name.lower()] = value.split()
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        key = "".join(fields.get("signed-by", [])[:1])
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield AptSource(
                    uri,
                    suite,
                    tuple(fields.get("components", [])),
                    key if key.startswith("/") else "",
                )


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(_MAX_BYTES)
