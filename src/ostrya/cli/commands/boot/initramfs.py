# SPDX-License-Identifier: Apache-2.0
"""``boot initramfs``: build a ramdisk from a root file system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.boot.initramfs.build import InitramfsOptions, build_initramfs
from ostrya.boot.initramfs.compress import Compression
from ostrya.cli.options import flag, text, texts
from ostrya.cli.output import write_json, write_line
from ostrya.cli.output_file import naming_output

if TYPE_CHECKING:
    from ostrya.boot.initramfs.build import Initramfs
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (
    text("tree", "PATH", "The root file system that it is for"),
    text("output", "FILE", "Where to write it"),
    text("kver", "VERSION", "Of the kernel; default: the newest in the tree"),
    texts("module", "NAME", "Load this kernel module, beside those that disks need"),
    text("compress", "HOW", "gzip (the default), xz, zstd or none"),
    text("busybox", "FILE", "Take this busybox, not that of the tree or of this machine"),
    flag("list", "List the files in it"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Build it."""
    tree, output = arguments.text("tree"), arguments.text("output")
    if tree is None or output is None:
        raise context.usage_error("--tree and --output must be specified")
    how = arguments.text("compress") or Compression.GZIP
    if how not in tuple(Compression):
        raise context.usage_error(f"--compress: there is no '{how}'")
    options = InitramfsOptions(
        arguments.text("kver"),
        tuple(arguments.texts("module")),
        Compression(how),
        arguments.text("busybox"),
    )
    built = build_initramfs(tree, options)
    folder, _, name = output.rpartition("/")
    fd = open_dir(folder or ("/" if output.startswith("/") else "."), follow=True)
    try:
        with naming_output(output):
            replace_file(name, built.data, dir_fd=fd)
    finally:
        os.close(fd)
    if context.json:
        write_json(_describe(built, output))
    else:
        _print(built, output, with_files=arguments.flag("list"))
    return 0


def _print(built: Initramfs, output: str, *, with_files: bool) -> None:
    kernel = f"kernel {built.kver}" if built.kver else "no kernel modules"
    write_line(f"{output}: {len(built.data)} bytes, sha256 {built.digest}")
    write_line(f"{kernel}; busybox: {built.busybox}; checks: {' '.join(built.checks) or 'nothing'}")
    if with_files:
        for path, size in built.files:
            write_line(f"{size:>9} {path}")


def _describe(built: Initramfs, output: str) -> dict[str, object]:
    return {
        "path": output,
        "size": len(built.data),
        "sha256": built.digest,
        "kernel": built.kver,
        "busybox": built.busybox,
        "checks": list(built.checks),
        "files": [{"path": path, "size": size} for path, size in built.files],
    }
