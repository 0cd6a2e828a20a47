# SPDX-License-Identifier: Apache-2.0
"""A root file system becomes an OSTree tree.

::

    /bin /sbin /lib*        links to those in /usr
    /etc                    /usr/etc
    /boot/vmlinuz-KVER      /usr/lib/modules/KVER/vmlinuz, and a ramdisk beside it
    /home /srv /mnt /media  links to /var/rootdirs; /opt too, if there is nothing in it
    /root /usr/local        links to /var/roothome and /var/usrlocal
    /var                    what a device begins with; never touched again
    /sysroot /ostree        where the disk is
    compiled Python         no longer bound to the time of its source
    machine state           dropped: identities, random seeds, host keys, caches, logs

What was decided is told; conflicts all at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kernel import MODULES, kernel_version_key
from ostrya.boot.package_files import PackageLink
from ostrya.image import bytecode
from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.units_install import unit_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.tree import TreeEditor

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_EMPTY = ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp")
_TO_VAR = ("home", "media", "mnt", "opt", "srv")
_CACHES = (
    "var/cache/apt", "var/cache/debconf", "var/cache/ldconfig", "var/lib/apt/lists",
    "var/lib/systemd/catalog", "var/log", "var/tmp", "var/backups",
)  # fmt: skip
_STATE = (
    "var/lib/dbus/machine-id", "var/lib/systemd/random-seed", "var/lib/systemd/credential.secret",
    "etc/.pwd.lock",
)  # fmt: skip
_DPKG, _SYSIMAGE = "var/lib/dpkg", "usr/lib/sysimage/dpkg"
_TMPFILES = "usr/lib/tmpfiles.d/ostrya-image.conf"
_FSTAB = "usr/etc/fstab"


class ConvertOptions(NamedTuple):
    """What is to come out of it.

    Attributes:
        fstab: Lines to be added, of file systems that the board has beside the root.
        build_ramdisk: Given the tree and the kernel's version, returns a ramdisk; None to keep the
            tree's own.
    """

    fstab: tuple[str, ...] = ()
    build_ramdisk: Callable[[TreeEditor, str], bytes] | None = None


class Converted(NamedTuple):
    """What came out.

    Attributes:
        kver: The version of its kernel.
        decisions: What was done, a sentence each.
    """

    kver: str
    decisions: tuple[str, ...]


def convert(editor: TreeEditor, options: ConvertOptions) -> Converted:
    """Change a tree so that it can be deployed.

    Raises:
        SourceError: It is no root file system, or one that cannot be.
        InitramfsError: It lacks something that a ramdisk needs.
    """
    return _Conversion(editor, options).run()


class _Conversion:
    def __init__(self, editor: TreeEditor, options: ConvertOptions) -> None:
        self._editor = editor
        self._options = options
        self._decisions: list[str] = []
        self._tmpfiles: list[str] = []

    def run(self) -> Converted:
        if self._editor.find_dir("usr") is None:
            raise SourceError("this is no root file system: it has no /usr")
        self._merge_usr()
        self._drop_state()
        self._move_etc()
        kver = self._place_kernel()
        self._link_to_var()
        self._move_dpkg()
        self._make_empty()
        self._write_fstab()
        self._install_units()
        self._unbind_python()
        build = self._options.build_ramdisk
        if build is not None:
            data = build(self._editor, kver)
            self._editor.write(f"{MODULES}/{kver}/initramfs.img", data)
            self._tell(f"built a ramdisk of {len(data)} bytes for kernel {kver}")
        elif not self._editor.is_file(f"{MODULES}/{kver}/initramfs.img"):
            raise SourceError(f"there is no /{MODULES}/{kver}/initramfs.img")
        return Converted(kver, tuple(self._decisions))

    def _tell(self, what: str) -> None:
        self._decisions.append(what)

    def _merge_usr(self) -> None:
        editor, conflicts = self._editor, []
        for name in _MERGED:
            if editor.find_dir(name) is None:
                continue
            conflicts += editor.move(name, f"usr/{name}")
            if editor.find(name) is None:
                editor.link(name, f"usr/{name}")
                self._tell(f"merged /{name} into /usr/{name}")
        if conflicts:
            listed = ", ".join(f"/{path}" for path in conflicts)
            raise SourceError(
                f"/usr cannot be merged: other files are there already: {listed}",
                hint="merge them in the root file system, as Debian's usrmerge does",
            )

    def _drop_state(self) -> None:
        editor = self._editor
        if editor.find("etc/machine-id") is not None:
            # Empty: systemd draws one at the first boot and writes it there.
            editor.remove("etc/machine-id")
            editor.write("etc/machine-id", b"")
            self._tell("emptied /etc/machine-id")
        keys = [name for name in editor.names("etc/ssh") if name.startswith("ssh_host_")]
        for path in (*_STATE, *(f"etc/ssh/{name}" for name in keys)):
            if editor.remove(path):
                self._tell(f"dropped /{path}")
        for path in _CACHES:
            if names := editor.empty(path):
                self._tell(f"emptied /{path}: {_listed(names)}")

    def _move_etc(self) -> None:
        editor = self._editor
        if not editor.names("etc"):
            if not editor.names("usr/etc"):
                raise SourceError("this is no root file system: it has no /etc")
            editor.remove("etc")
            return
        if editor.names("usr/etc"):
            raise SourceError("there is something in both /etc and /usr/etc")
        editor.remove("usr/etc")
        editor.move("etc", "usr/etc")
        self._tell("moved /etc to /usr/etc")

    # -- the kernel

    def _place_kernel(self) -> str:
        kver, kernel = self._find_kernel()
        editor = self._editor
        place = f"{MODULES}/{kver}"
        if kernel != f"{place}/vmlinuz":
            editor.remove(f"{place}/vmlinuz")
            editor.move(kernel, f"{place}/vmlinuz")
            self._tell(f"moved /{kernel} to /{place}/vmlinuz")
        editor.remove(f"{place}/initramfs")
        for other in editor.names(MODULES):
            if other != kver and editor.remove(f"{MODULES}/{other}/vmlinuz"):
                self._tell(f"dropped the kernel {other}")
        if editor.find(f"{place}/config") is None:
            editor.move(f"boot/config-{kver}", f"{place}/config")
        if names := editor.empty("boot"):
            self._tell(f"emptied /boot: {_listed(names)}")
        for name in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
            editor.remove(name)
        return kver

    def _find_kernel(self) -> tuple[str, str]:
        editor = self._editor
        found: dict[str, str] = {}
        for kver in editor.names(MODULES):
            for path in (f"{MODULES}/{kver}/vmlinuz", *(f"boot/{n}-{kver}" for n in _IMAGES)):
                if editor.is_file(path):
                    found.setdefault(kver, path)
        if not found:
            versions = editor.names(MODULES)
            images = [name for name in _IMAGES if editor.is_file(f"boot/{name}")]
            if len(versions) == 1 and images:
                return versions[0], f"boot/{images[0]}"
            raise SourceError(
                "the root file system has no kernel with its modules",
                hint=f"it belongs at /{MODULES}/VERSION/vmlinuz or /boot/vmlinuz-VERSION",
            )
        if len(found) > 1:
            versions = sorted(found, key=kernel_version_key)
            raise SourceError(
                f"the root file system has {len(found)} kernels: {', '.join(versions)}",
                hint="leave one of them in it",
            )
        return next(iter(found.items()))

    # -- what lasts

    def _link_to_var(self) -> None:
        editor = self._editor
        for name in _TO_VAR:
            if name == "opt" and editor.names("opt"):
                self._tell("kept /opt in the release")
                continue
            self._move_to_var(name, f"var/rootdirs/{name}", f"var/rootdirs/{name}", 0o755)
        self._move_to_var("root", "var/roothome", "var/roothome", 0o700)
        self._move_to_var("usr/local", "var/usrlocal", "../var/usrlocal", 0o755)

    def _move_to_var(self, path: str, place: str, target: str, mode: int) -> None:
        editor = self._editor
        if editor.find(path) is not None and editor.find_dir(path) is None:
            return
        editor.make_dir(place.rpartition("/")[0])
        editor.move(path, place)
        editor.make_dir(place, mode)
        editor.link(path, target)
        self._tmpfiles.append(f"d /{place} {mode:04o} root root -")
        self._tell(f"moved /{path} to /{place}")

    def _move_dpkg(self) -> None:
        """What says which packages there are belongs to the release, not to the device."""
        editor = self._editor
        if editor.find_dir(_DPKG) is None:
            return
        editor.move(_DPKG, _SYSIMAGE)
        editor.link(_DPKG, f"../../{_SYSIMAGE}")
        self._tmpfiles.append(f"L /{_DPKG} - - - - ../../{_SYSIMAGE}")
        self._tell(f"moved /{_DPKG} to /{_SYSIMAGE}")

    def _make_empty(self) -> None:
        editor = self._editor
        for name in _EMPTY:
            if editor.link_target(name) is None:
                editor.empty(name)
                editor.make_dir(name, 0o1777 if name == "tmp" else 0o755)
        editor.remove("lost+found")
        editor.remove("ostree")
        editor.link("ostree", "sysroot/ostree")
        editor.make_dir("var")
        if self._tmpfiles:
            lines = ["d /var/rootdirs 0755 root root -", *self._tmpfiles]
            editor.write(_TMPFILES, "".join(f"{line}\n" for line in lines).encode())

    def _write_fstab(self) -> None:
        editor = self._editor
        text = editor.read(_FSTAB).decode() if editor.is_file(_FSTAB) else ""
        kept: list[str] = []
        dropped: list[str] = []
        for line in text.splitlines():
            words = line.split()
            is_root = len(words) > 1 and not line.startswith("#") and words[1] == "/"
            (dropped if is_root else kept).append(line)
        for line in dropped:
            self._tell(f"dropped from /etc/fstab: {line}")
        lines = [*kept, *self._options.fstab]
        if lines != text.splitlines():
            editor.rewrite(_FSTAB, "".join(f"{line}\n" for line in lines).encode())

    def _unbind_python(self) -> None:
        """Let compiled Python be valid where every file is of 1970."""
        editor, count = self._editor, 0
        for path in [path for path in editor.files_below("usr") if path.endswith(bytecode.SUFFIX)]:
            if not editor.is_file(path):
                continue
            data = bytecode.unbind(editor.read(path, max_bytes=bytecode.MAX_BYTES))
            if data is not None:
                editor.rewrite(path, data)
                count += 1
        if count:
            self._tell(f"unbound {count} files of compiled Python from the time of their source")

    def _install_units(self) -> None:
        editor, new = self._editor, []
        for thing in unit_files():
            if editor.find(thing.path) is not None:
                continue
            if isinstance(thing, PackageLink):
                editor.link(thing.path, thing.target)
            else:
                editor.write(thing.path, thing.data, thing.mode)
            new.append(thing.path.rpartition("/")[2])
        if new:
            self._tell(f"installed {_listed(new)}")


_IMAGES = ("vmlinuz", "vmlinux", "Image", "zImage", "bzImage")


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
