# SPDX-License-Identifier: Apache-2.0
"""Licences as copyright files call them, and what SPDX calls them. Pure.

Debian's machine-readable copyright files say a short name for each group of files; names that SPDX
has another word for are translated, the others become ``LicenseRef-…``, which a document explains.

Source: Debian's copyright-format 1.0; SPDX 2.3, annex D (expressions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE = "NOASSERTION"
_VERSIONED = re.compile(
    r"(A?GPL|LGPL|GFDL)(-NIV)?[- ]?v?(\d)(?:\.(\d))?(\+|-or-later|-only)?", re.ASCII
)
_VERSIONS = {"GPL": ("1.0", "2.0", "3.0"), "LGPL": ("2.0", "2.1", "3.0"), "AGPL": ("1.0", "3.0"),
          "GFDL": ("1.1", "1.2", "1.3")}  # fmt: skip
# By what they are called in lower case.
_KNOWN = {
    name.lower(): name
    for name in (
        "0BSD", "Apache-1.0", "Apache-1.1", "Apache-2.0", "Artistic-1.0", "Artistic-2.0",
        "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "BSL-1.0", "bzip2-1.0.6",
        "CC-BY-3.0",
        "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDDL-1.0", "curl", "EPL-1.0",
        "EPL-2.0", "FSFAP", "FSFUL", "FSFULLR", "HPND", "IJG", "ISC", "libpng-2.0", "MIT", "MIT-0",
        "MPL-1.0", "MPL-1.1", "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1", "OpenSSL", "PostgreSQL",
        "PSF-2.0", "Python-2.0", "Ruby", "Sleepycat", "TCL", "Unlicense", "Unicode-DFS-2016",
        "Vim", "W3C", "WTFPL", "X11", "Zlib", "ZPL-2.1", "blessing", "Beerware", "OLDAP-2.8",
    )
}  # fmt: skip
_OTHERWISE = {
    "expat": "MIT", "apache-2": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "artistic": "Artistic-1.0-Perl", "artistic-1": "Artistic-1.0", "artistic-2": "Artistic-2.0",
    "bsd-2": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause", "bsd-4": "BSD-4-Clause", "bsl-1": "BSL-1.0", "boost-1.0": "BSL-1.0",
    "cc0": "CC0-1.0", "cc0-1": "CC0-1.0", "cddl": "CDDL-1.0", "mpl-2": "MPL-2.0", "ofl": "OFL-1.1",
    "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later", "psf-2": "PSF-2.0", "python": "Python-2.0",
    "unicode": "Unicode-DFS-2016", "zlib/libpng": "Zlib", "x11-style": "X11",
    "lgpl": "LGPL-2.0-or-later",
    "gpl": "GPL-1.0-or-later",
}  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_SPLIT_OR = re.compile(r",?\s+(?:or|OR)\s+|\s*\|\s*")
_SPLIT_AND = re.compile(r",?\s+(?:and|AND)\s+|\s*&\s*|\s*;\s*")
_MOST = 60


def declared_licences(paragraphs: Sequence[dict[str, str]]) -> tuple[str, ...]:
    """Return the short names in a copyright file, each once; none if it is written for people only.

    Args:
        paragraphs: Of the file, fields by name in lower case.
    """
    if not paragraphs or "format" not in paragraphs[0]:
        return ()
    found = {
        fields["license"].partition("\n")[0].strip()
        for fields in paragraphs
        if "license" in fields and ("files" in fields or "format" in fields)
    }
    return tuple(sorted(found - {""})[:_MOST])


def spdx_expression(names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return what SPDX calls licences that all apply.

    Args:
        names: As somebody calls them.

    Returns:
        An expression, and what each ``LicenseRef-…`` in it was called.
    """
    refs: dict[str, str] = {}
    parts = {_alternatives(name, refs) for name in names}
    if not parts:
        return NONE, {}
    if len(parts) == 1:
        return parts.pop(), refs
    return " AND ".join(sorted(f"({one})" if " " in one else one for one in parts)), refs


def _alternatives(name: str, refs: dict[str, str]) -> str:
    options = [_together(one, refs) for one in _SPLIT_OR.split(name.strip("()"))]
    options = list(dict.fromkeys(options))
    if len(options) == 1:
        return options[0]
    return " OR ".join(f"({one})" if " AND " in one else one for one in options)


def _together(name: str, refs: dict[str, str]) -> str:
    parts = list(dict.fromkeys(_one(one.strip(" ()"), refs) for one in _SPLIT_AND.split(name)))
    if len(parts) == 1:
        return parts[0]
    return " AND ".join(f"({one})" if " " in one else one for one in parts)


def _one(name: str, refs: dict[str, str]) -> str:
    lower = name.lower()
    known = _KNOWN.get(lower) or _OTHERWISE.get(lower) or _versioned(name)
    if known:
        return known
    word = _UNSAFE.sub("-", name).strip("-.") or "unknown"
    ref = f"LicenseRef-{word}"
    refs[ref] = name
    return ref


def _versioned(name: str) -> str:
    """Return the name of a GNU licence; empty if it is none, or one with an exception."""
    match = _VERSIONED.fullmatch(name)
    if match is None:
        return ""
    family, invariants, number, part, suffix = match.groups()
    version = f"{number}.{part or '0'}"
    if version not in _VERSIONS[family]:
        return ""
    later = "or-later" if suffix in ("+", "-or-later") else "only"
    return f"{family}-{version}{'-no-invariants' if invariants else ''}-{later}"
