# SPDX-License-Identifier: Apache-2.0
"""What a boot loader would find in a sysroot, and whether all of it is whole.

Nothing of this is asked of our code: entries are read as a boot loader reads them, and trees are
compared with what Debian's ``ostree checkout`` makes of their commits.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from support import os_tree
from support.commands import PEER

Listing = dict[str, tuple[object, ...]]
_MODULES = f"usr/lib/modules/{os_tree.KERNEL}"
_OWN_FILES = ("uEnv.txt", "syslinux.cfg", "grub.cfg")
_MENU_ENTRY = re.compile(r"\tlinux /boot(\S+) (.*)\n\tinitrd /boot(.*)\n")
_VARYING = (
    (re.compile(r"\bloader\.[01]\b"), "loader.N"),
    (re.compile(r"\bboot\.[01]\.[01]\b"), "boot.N.N"),
    (re.compile(r"\bboot\.[01]\b"), "boot.N"),
    (re.compile(r"\brefs/heads/ostree/[01]/[01]\b"), "refs/heads/ostree/N/N"),
    (re.compile(r"([0-9a-f]{64})\.[0-9]+\b"), r"\1.S"),
)


@dataclass(frozen=True)
class Bootable:
    """One entry and what it leads to.

    Attributes:
        commit: That the name of the deployment tells.
        path: Of the deployment, relative to the sysroot.
        fields: What the entry says.
        etc: The deployment's ``/etc``.
        origin: The text of its origin file.
    """

    commit: str
    path: str
    fields: dict[str, str]
    etc: Listing
    origin: str

    @property
    def says(self) -> tuple[str, ...]:
        """What of the entry is the same whenever it is written again."""
        options = re.sub(r"/ostree/boot\.[01]/", "/ostree/boot.N/", self.fields["options"])
        return (self.fields["title"], self.fields["linux"], self.fields.get("initrd", ""), options)


@dataclass
class Judge:
    """Looks at one sysroot.

    Attributes:
        root: The sysroot.
        top: Where trees are checked out for comparison.
        etc_of: What the ``/etc`` of a commit may be, where that is known.
        is_flat: Whether ``boot/loader`` is to be a directory by itself.
    """

    root: Path
    top: Path
    is_flat: bool = False
    etc_of: dict[str, list[Listing]] = field(default_factory=dict)
    _trees: dict[str, Listing] = field(default_factory=dict)
    _own_files: set[str] = field(default_factory=set)

    def look(self) -> list[Bootable]:
        """Everything that can be booted, the default first; all of it is whole."""
        loader = self.root / "boot/loader"
        if not os.path.lexists(loader):
            return []
        assert loader.is_dir(), "boot/loader leads nowhere"
        files = [path for path in sorted((loader / "entries").glob("*.conf")) if path.is_file()]
        entries = [
            dict(line.split(" ", 1) for line in path.read_text().splitlines()) for path in files
        ]
        entries.sort(key=lambda entry: int(entry["version"]), reverse=True)
        found = [self._follow(entry) for entry in entries]
        for name in self._own_files:
            assert (loader / name).exists(), f"boot/loader/{name} is not there"
        self._check_uenv(loader / "uEnv.txt", entries)
        self._check_syslinux(loader / "syslinux.cfg", entries)
        self._check_grub(loader / "grub.cfg", entries)
        for path in self._esp_configs():
            # It is replaced a step later: what it names may be what was the default before.
            for fields in menu(path):
                self._follow(fields)
        return found

    def check_esp(self) -> None:
        """What GRUB reads on the EFI system partition is what entries say."""
        files = (self.root / "boot/loader/entries").glob("*.conf")
        told = [
            dict(line.split(" ", 1) for line in file.read_text().splitlines()) for file in files
        ]
        told.sort(key=lambda entry: int(entry["version"]), reverse=True)
        for path in self._esp_configs():
            assert menu(path) == _as_menu(told), path

    def fsck(self) -> None:
        """Let the peer judge."""
        PEER(self._repo(), "fsck", "-q")
        if not self.is_flat:
            PEER("admin", f"--sysroot={self.root}", "status")

    def remember(self) -> None:
        """Take what there is now for right."""
        loader = self.root / "boot/loader"
        self._own_files |= {name for name in _OWN_FILES if (loader / name).exists()}
        for one in self.look():
            known = self.etc_of.setdefault(one.commit, [])
            if one.etc not in known:
                known.append(one.etc)

    def _follow(self, entry: dict[str, str]) -> Bootable:
        words = [word for word in entry["options"].split() if word.startswith("ostree=")]
        assert len(words) == 1, entry
        tree = (self.root / words[0].removeprefix("ostree=/")).resolve()
        assert tree.is_dir(), f"{words[0]} leads nowhere"
        commit = tree.name.partition(".")[0]
        for key, name in (("linux", "vmlinuz"), ("initrd", "initramfs.img")):
            boots = (self.root / f"boot{entry[key]}").read_bytes()
            assert boots == (tree / _MODULES / name).read_bytes(), f"{entry[key]} is not whole"
        if "fdtdir" in entry:
            boots_with = listing(self.root / f"boot{entry['fdtdir']}")
            assert set(boots_with) == set(listing(tree / _MODULES / "dtb")), entry["fdtdir"]
        found = listing(tree)
        etc = {path: what for path, what in found.items() if path.partition("/")[0] == "etc"}
        rest = {path: what for path, what in found.items() if path not in etc}
        assert rest == self._tree(commit), f"{tree.name} is not its commit"
        if commit in self.etc_of:
            assert etc in self.etc_of[commit], f"/etc of {tree.name} is not complete"
        origin = tree.with_name(f"{tree.name}.origin").read_text()
        return Bootable(commit, str(tree.relative_to(self.root)), entry, etc, origin)

    def _tree(self, commit: str) -> Listing:
        if commit not in self._trees:
            folder = self.top / f"checkout-{commit}"
            PEER(self._repo(), "checkout", commit, folder)
            self._trees[commit] = listing(folder)
        return self._trees[commit]

    def _repo(self) -> str:
        """The repository; where its settings are too new for the peer, through links."""
        repo = self.root / "ostree/repo"
        if not self.is_flat:
            return f"--repo={repo}"
        folder = self.top / "for-peer"
        if not folder.exists():
            folder.mkdir()
            for name in ("objects", "refs", "state", "tmp"):
                (folder / name).symlink_to(repo / name)
        lines = (repo / "config").read_text().splitlines(keepends=True)
        (folder / "config").write_text("".join(one for one in lines if "bootloader" not in one))
        return f"--repo={folder}"

    def _check_uenv(self, path: Path, entries: list[dict[str, str]]) -> None:
        if not path.exists() or not entries:
            return
        found = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        names = {f"{'' if at == 0 else at + 1}": entry for at, entry in enumerate(entries)}
        for number, entry in names.items():
            assert found[f"kernel_image{number}"] == f"/boot{entry['linux']}"
            assert found[f"ramdisk_image{number}"] == f"/boot{entry['initrd']}"
            assert found[f"bootargs{number}"] == entry["options"]
        assert len([name for name in found if name.startswith("kernel_image")]) == len(entries)

    def _esp_configs(self) -> list[Path]:
        found = self.root.glob("boot/efi/EFI/*/grub.cfg")
        return [path for path in found if "menuentry" in path.read_text()]

    def _check_grub(self, path: Path, entries: list[dict[str, str]]) -> None:
        if path.exists() and entries:
            assert menu(path) == _as_menu(entries), path

    def _check_syslinux(self, path: Path, entries: list[dict[str, str]]) -> None:
        if not path.exists() or not entries:
            return
        lines = path.read_text().splitlines()
        for word, key in (("KERNEL", "linux"), ("INITRD", "initrd")):
            found = [line.split()[1] for line in lines if line.startswith(f"\t{word} ")]
            assert [name for name in found if "/ostree/" in name] == [
                f"/boot{entry[key]}" for entry in entries
            ]
        assert f"DEFAULT {entries[0]['title']}" in lines


def menu(path: Path) -> list[dict[str, str]]:
    """What a ``grub.cfg`` that we write boots, in its order."""
    text = path.read_text()
    names = ("linux", "options", "initrd")
    found = [dict(zip(names, words, strict=True)) for words in _MENU_ENTRY.findall(text)]
    assert len(found) == text.count("menuentry"), path
    return found


def _as_menu(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: entry[name] for name in ("linux", "options", "initrd")} for entry in entries]


def listing(top: Path) -> Listing:
    """All paths with mode, owner and content."""
    found: Listing = {}
    for path in (top, *top.rglob("*")):
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            content = os.readlink(path)
        elif stat.S_ISREG(info.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = ""
        name = str(path.relative_to(top))
        found[name] = (stat.filemode(info.st_mode), info.st_uid, info.st_gid, content)
    return found


def names_below(root: Path) -> list[str]:
    """Every name of a sysroot that a cleanup would answer for, numbers that vary left out.

    Not the insides of deployments, which are judged, nor what a repository keeps for a while.
    """
    found = []
    for folder, folders, files in os.walk(root):
        where = os.path.relpath(folder, root)
        if where == "ostree/repo":
            folders[:] = [name for name in folders if name in ("objects", "refs")]
            files.remove(".lock")
        if where.startswith("ostree/repo/refs"):
            # Where there are none any more, their directories stay.
            found += [f"{where}/{name}" for name in files]
            continue
        if re.fullmatch(r"ostree/deploy/[^/]+/deploy", where):
            found += [f"{where}/{name}/" for name in folders]
            folders.clear()
        found += [os.path.join(where, name) for name in (*folders, *files)]
    for pattern, instead in _VARYING:
        found = [pattern.sub(instead, name) for name in found]
    entry = re.compile(r"(.*/entries/ostree-)[0-9]+(\.conf)")
    return sorted(entry.sub(r"\1V\2", name) for name in found if name != "ostree/lock")
