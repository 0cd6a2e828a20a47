# SPDX-License-Identifier: Apache-2.0
"""Where things belong in a deployment: ``/etc``, what lasts, what is empty, what is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.package_files import PackageLink
from ostrya.image.decisions import listed
from ostrya.image.errors import SourceError
from ostrya.image.policies import LINKED, LinkPolicy
from ostrya.image.steps.fragment import Wanted, format_script, format_tmpfiles
from ostrya.image.steps.links import lead_on
from ostrya.sysroot.units_install import unit_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_EMPTY = ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp")
_TMPFILES = "usr/lib/tmpfiles.d/ostrya-image.conf"
_INIT_SCRIPT = "usr/etc/init.d/ostrya-image"
_FSTAB = "usr/etc/fstab"
_SYSTEMD = "usr/lib/systemd/systemd"


def move_etc(editor: TreeEditor, report: Report) -> None:
    """Move ``/etc`` to ``/usr/etc``.

    Raises:
        SourceError: There is none at all.
    """
    if not editor.names("etc"):
        if not editor.names("usr/etc"):
            raise SourceError("this is no root file system: it has no /etc")
        editor.remove("etc")
        return
    if editor.names("usr/etc"):
        report.conflict(
            "etc.conflict",
            "etc",
            "there is something in both /etc and /usr/etc",
            "what a release has belongs into one of them",
        )
        return
    editor.remove("usr/etc")
    editor.move("etc", "usr/etc")
    report.tell("etc.moved", "etc", "moved /etc to /usr/etc")


def link_to_var(
    editor: TreeEditor, report: Report, policies: Mapping[str, LinkPolicy]
) -> list[Wanted]:
    """Let what people write to be in ``/var``; return what a device has to have there."""
    wanted: list[Wanted] = []
    for path in LINKED:
        name = path[1:]
        policy = policies.get(path, LinkPolicy.AUTO)
        has_something = bool(editor.names(name))
        if policy is LinkPolicy.KEEP or (
            policy is LinkPolicy.AUTO and name == "opt" and has_something
        ):
            if editor.find(name) is None:
                editor.make_dir(name)
            report.tell("link.kept", name, f"kept {path} in the release")
            continue
        wanted += _link(editor, report, name)
    if wanted:
        wanted.insert(0, Wanted("d", "/var/rootdirs"))
    return wanted


def _link(editor: TreeEditor, report: Report, name: str) -> list[Wanted]:
    places = {"root": "var/roothome", "usr/local": "var/usrlocal"}
    place = places.get(name, f"var/rootdirs/{name}")
    if editor.find(name) is not None and editor.find_dir(name) is None:
        # A link already, to wherever it was wanted.
        return []
    mode = 0o700 if name == "root" else 0o755
    editor.make_dir(place.rpartition("/")[0])
    lead_on(editor, name, place)
    if conflicts := editor.move(name, place):
        report.conflict(
            "link.conflict",
            name,
            f"/{name} cannot be moved to /{place}: there is another /{conflicts[0]}",
        )
        return []
    editor.make_dir(place, mode)
    editor.link(name, f"../{place}" if "/" in name else place)
    report.tell("link.made", name, f"moved /{name} to /{place}")
    return [Wanted("d", f"/{place}", mode)]


def make_empty(editor: TreeEditor) -> None:
    """Make what is filled by others, and lead to where the disk is."""
    for name in _EMPTY:
        if editor.link_target(name) is None:
            editor.empty(name)
            editor.make_dir(name, 0o1777 if name == "tmp" else 0o755)
    editor.remove("lost+found")
    editor.remove("ostree")
    editor.link("ostree", "sysroot/ostree")
    editor.make_dir("var")


def write_fragment(editor: TreeEditor, report: Report, wanted: Iterable[Wanted]) -> None:
    """Say to the system what it has to make in ``/var`` at every start."""
    things = list(wanted)
    if not things:
        return
    editor.write(_TMPFILES, format_tmpfiles(things).encode())
    report.tell("var.fragment", _TMPFILES, f"wrote /{_TMPFILES}, what to make in /var")
    if editor.find(_SYSTEMD) is not None:
        return
    if editor.find_dir("usr/etc/init.d") is None:
        return
    editor.write(_INIT_SCRIPT, format_script(things).encode(), 0o755)
    if editor.find_dir("usr/etc/rcS.d") is None:
        # Busybox's rcS runs what is there by these names.
        editor.link("usr/etc/init.d/S02ostrya-image", "ostrya-image")
    else:
        # Behind the mounting of file systems, before what needs them.
        editor.link("usr/etc/rcS.d/S20ostrya-image", "../init.d/ostrya-image")
    report.tell("var.script", _INIT_SCRIPT, "wrote a script that does so without systemd")


def write_fstab(editor: TreeEditor, report: Report, added: tuple[str, ...]) -> None:
    """Take the root out of ``fstab``, and put in what the board has."""
    text = editor.read(_FSTAB).decode(errors="surrogateescape") if editor.is_file(_FSTAB) else ""
    kept: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and not line.startswith("#") and words[1] == "/":
            report.tell("fstab.dropped", "etc/fstab", f"dropped from /etc/fstab: {line}")
        else:
            kept.append(line)
    lines = [*kept, *(line for line in added if line not in kept)]
    for line in lines[len(kept) :]:
        report.tell("fstab.added", "etc/fstab", f"added to /etc/fstab: {line}")
    if lines != text.splitlines():
        data = "".join(f"{line}\n" for line in lines)
        editor.rewrite(_FSTAB, data.encode(errors="surrogateescape"))


def install_units(editor: TreeEditor, report: Report) -> None:
    """Put in the units that a deployed system needs; what is there stays."""
    new = []
    for thing in unit_files():
        if editor.find(thing.path) is not None:
            continue
        if isinstance(thing, PackageLink):
            editor.link(thing.path, thing.target)
        else:
            editor.write(thing.path, thing.data, thing.mode)
        new.append(thing.path.rpartition("/")[2])
    if new:
        report.tell("units.installed", "usr/lib/systemd/system", f"installed {listed(new)}")
