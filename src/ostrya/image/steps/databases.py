# SPDX-License-Identifier: Apache-2.0
"""Which packages there are: that belongs to the release, not to the device.

::

    /var/lib/dpkg    to /usr/lib/sysimage/dpkg, and a link in its place; likewise rpm and opkg
    /usr/package.manifest    name and version of every package, by name
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.steps.fragment import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_KINDS = ("dpkg", "rpm", "opkg")
MANIFEST = "usr/package.manifest"
_MAX_STATUS_BYTES = 64 << 20


def move_databases(editor: TreeEditor, report: Report) -> list[Wanted]:
    """Move them out of ``/var``; return what a device has to have in their place."""
    wanted = []
    for kind in _KINDS:
        path, place = f"var/lib/{kind}", f"usr/lib/sysimage/{kind}"
        if editor.find_dir(path) is None:
            continue
        if conflicts := editor.move(path, place):
            report.conflict(
                "packages.conflict",
                conflicts[0],
                f"/{path} cannot be moved to /{place}: there is another /{conflicts[0]}",
            )
            continue
        wanted.append(Wanted("L", f"/{path}", target=f"../../{place}"))
        report.tell("packages.moved", path, f"moved /{path} to /{place}")
    return wanted


def link_databases(editor: TreeEditor, wanted: list[Wanted]) -> None:
    """Put the links in their place, when it is settled what else is in ``/var``."""
    for one in wanted:
        editor.link(one.path[1:], one.target)


def list_packages(editor: TreeEditor, report: Report) -> None:
    """Write the list of packages, unless there is one."""
    if editor.find(MANIFEST) is not None:
        return
    found = sorted(set(_packages(editor)))
    if not found:
        return
    editor.write(MANIFEST, "".join(f"{name} {version}\n" for name, version in found).encode())
    report.tell("packages.listed", MANIFEST, f"listed {len(found)} packages in /{MANIFEST}")


def parse_status(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and versions of the packages that are installed, from a ``status`` file."""
    for stanza in text.split("\n\n"):
        fields = {
            name.lower(): value.strip()
            for name, colon, value in (line.partition(":") for line in stanza.splitlines())
            if colon and name[:1] not in (" ", "\t")
        }
        words = fields.get("status", "").split()
        if words[-1:] == ["installed"] and fields.get("package") and fields.get("version"):
            yield fields["package"], fields["version"]


def parse_apk(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and versions from what apk keeps in ``installed``."""
    for stanza in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in stanza.splitlines() if line[1:2] == ":")
        if fields.get("P") and fields.get("V"):
            yield fields["P"], fields["V"]


def _packages(editor: TreeEditor) -> Iterator[tuple[str, str]]:
    for kind in ("dpkg", "opkg"):
        if text := _text(editor, f"usr/lib/sysimage/{kind}/status"):
            yield from parse_status(text)
        folder = f"usr/lib/sysimage/{kind}/status.d"
        for name in editor.names(folder):
            # Images without a package manager keep one file for each; its status is to be there.
            text = _text(editor, f"{folder}/{name}")
            if text and not name.endswith(".md5sums"):
                yield from parse_status(f"Status: install ok installed\n{text}")
    for path in ("usr/lib/apk/db/installed", "lib/apk/db/installed"):
        if text := _text(editor, path):
            yield from parse_apk(text)


def _text(editor: TreeEditor, path: str) -> str:
    if not editor.is_file(path):
        return ""
    return editor.read(path, max_bytes=_MAX_STATUS_BYTES).decode(errors="replace")
