# SPDX-License-Identifier: Apache-2.0
"""Device trees beside the kernel, where boot loaders are told of them."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from ostrya._linux.process import run
from ostrya.boot.kernel import MODULES
from ostrya.errors import CommandFailed
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import Places
    from ostrya.image.recipe.values import DeviceTree

_MAGIC = b"\xd0\x0d\xfe\xed"
_MAX_BYTES = 16 << 20


def set_up_device_trees(places: Places, wanted: DeviceTree, tell: Callable[[str], None]) -> None:
    """Put in device trees.

    Raises:
        SourceError: A file is none.
        CommandFailed: An overlay cannot be applied.
        OSError: A file cannot be read.
    """
    folder = f"/{MODULES}/{places.kver}"
    for path in wanted.files:
        places.write(f"{folder}/dtb/{os.path.basename(path)}", _read(path))
        tell(f"device tree {os.path.basename(path)}")
    if wanted.default:
        data = _read(wanted.default)
        if wanted.overlays:
            data = _with_overlays(wanted.default, wanted.overlays)
        places.write(f"{folder}/devicetree", data)
        names = ", ".join(os.path.basename(path) for path in wanted.overlays)
        with_them = f" with {names}" if names else ""
        tell(f"device tree by default: {os.path.basename(wanted.default)}{with_them}")


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    if data[:4] != _MAGIC or len(data) > _MAX_BYTES:
        raise SourceError(f"{path} is no compiled device tree")
    return data


def _with_overlays(base: str, overlays: tuple[str, ...]) -> bytes:
    for path in overlays:
        _read(path)
    with tempfile.TemporaryDirectory(prefix="ostrya-dtb-") as folder:
        output = os.path.join(folder, "dtb")
        try:
            run(["fdtoverlay", "-i", base, "-o", output, *overlays])
        except CommandFailed as exc:
            if exc.status == 127:
                raise SourceError(
                    "device_tree.overlays needs fdtoverlay, which is not on this machine",
                    hint="in Debian it is in device-tree-compiler",
                ) from exc
            raise SourceError(
                f"the overlays cannot be applied to {base}: {exc.stderr.strip()}",
                hint="was the tree compiled with `dtc -@`?",
            ) from exc
        with open(output, "rb") as stream:
            return stream.read()
