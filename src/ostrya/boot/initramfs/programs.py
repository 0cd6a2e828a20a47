# SPDX-License-Identifier: Apache-2.0
"""Programs of a tree with the libraries that they need, found as their own loader would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.elf import decode_elf, is_elf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.boot.initramfs.elf import Kind, Program
    from ostrya.boot.initramfs.tree_files import TreeFiles

# In the ramdisk these are links into /usr, as nearly everywhere.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = ("usr/lib", "lib", "usr/lib64", "lib64", "usr/lib32", "lib32")


def merged_path(path: str) -> str:
    """Return where something goes in the ramdisk, whose directories are merged into ``/usr``."""
    return f"usr/{path}" if path.partition("/")[0] in MERGED else path


def close_program(tree: TreeFiles, path: str) -> dict[str, bytes]:
    """Return a program and all libraries that it needs, by their paths in the ramdisk.

    Raises:
        InitramfsError: It is no program, or a library is missing.
        OSError: Something cannot be read.
    """
    closing = _Closing(tree)
    data = tree.read(path)
    closing.add(merged_path(path.lstrip("/")), path, data)
    return closing.files


class _Closing:
    def __init__(self, tree: TreeFiles) -> None:
        self.files: dict[str, bytes] = {}
        self._tree = tree
        self._names: set[str] = set()

    def add(self, place: str, source: str, data: bytes) -> None:
        self.files[place] = data
        if not is_elf(data):
            raise InitramfsError(f"/{source.lstrip('/')} is no program")
        program = decode_elf(data)
        if program.interpreter:
            # The kernel looks for it in this place, and nowhere else.
            loader = program.interpreter.lstrip("/")
            self._names.add(loader.rpartition("/")[2])
            self.files[merged_path(loader)] = self._tree.read(loader)
        for name in program.needed:
            if name not in self._names:
                self._names.add(name)
                self._add_library(name, program, source)

    def _add_library(self, name: str, program: Program, source: str) -> None:
        for folder in _library_folders(self._tree, program, source):
            real = self._tree.find_file(f"{folder}/{name}")
            if real is None:
                continue
            data = self._tree.read(real)
            if is_elf(data) and decode_elf(data).kind == program.kind:
                # By the name that is asked for, in the directory where it is looked for.
                where = self._tree.find_dir(folder) or folder
                self.add(merged_path(f"{where}/{name}"), real, data)
                return
        raise InitramfsError(
            f"library {name}, which /{source.lstrip('/')} needs, is not in the tree"
        )


def _library_folders(tree: TreeFiles, program: Program, source: str) -> Iterator[str]:
    origin = tree.resolve(source).rpartition("/")[0]
    for path in program.run_path:
        yield path.replace("${ORIGIN}", f"/{origin}").replace("$ORIGIN", f"/{origin}").lstrip("/")
    for folder in _FOLDERS:
        # Debian's, one for each kind of machine.
        yield from (f"{folder}/{name}" for name in tree.names(folder) if "-linux-" in name)
        yield folder


def kind_of_tree(tree: TreeFiles) -> Kind | None:
    """Return what a tree's programs run on; None if nothing tells."""
    for path in ("usr/bin/env", "usr/sbin/e2fsck", "sbin/init", "bin/sh", "usr/bin/busybox"):
        if tree.find_file(path) is not None and is_elf(data := tree.read(path)):
            return decode_elf(data).kind
    return None
