# SPDX-License-Identifier: Apache-2.0
"""The indexes of kernel modules, where nobody ran depmod.

::

    modules.dep        kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko
    modules.alias      alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci
    modules.softdep    softdep ext4 pre: crc32c
    modules.devname    loop loop-control c10:237
    modules.*.bin      the same for kmod; busybox reads the text

They are made of what every module says of itself: no program is needed, and the same tree gives the
same files on every machine. What says which module has which symbol is left out: only depmod asks.

Source: modules.dep(5), depmod(8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.compress import decompress_module
from ostrya.boot.initramfs.modules import module_name
from ostrya.boot.kernel import MODULES
from ostrya.image.errors import SourceError
from ostrya.image.steps.kmod_index import encode_index
from ostrya.image.steps.module_info import ModuleInfo, close_dependencies, decode_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")
_MAX_MODULE_BYTES = 256 << 20
# Where administrators put modules that go before those of the kernel.
_FIRST = ("updates/", "extra/")


def index_modules(editor: TreeEditor, report: Report, kver: str) -> None:
    """Write the indexes, unless they are there and name what there is."""
    folder = f"{MODULES}/{kver}"
    paths = [
        path[len(folder) + 1 :] for path in editor.files_below(folder) if path.endswith(_SUFFIXES)
    ]
    dep = f"{folder}/modules.dep"
    if editor.is_file(dep) and not _names_what_is_gone(editor, dep, set(paths)):
        return
    infos: dict[str, ModuleInfo] = {}
    places: dict[str, str] = {}
    for path in sorted(paths, key=_rank):
        name = module_name(path)
        if name in places or not editor.is_file(f"{folder}/{path}"):
            continue
        try:
            data = editor.read(f"{folder}/{path}", max_bytes=_MAX_MODULE_BYTES)
            infos[name] = decode_module(decompress_module(data, path))
        except (SourceError, InitramfsError) as exc:
            report.conflict(
                "modules.damaged", f"{folder}/{path}", f"/{folder}/{path}: {exc.message}"
            )
            continue
        places[name] = path
    for name in [one for one in editor.names(folder) if _is_stale(one)]:
        editor.remove(f"{folder}/{name}")
    builtin = f"{folder}/modules.builtin"
    text = editor.read(builtin).decode(errors="replace") if editor.is_file(builtin) else ""
    for name, data in make_indexes(places, infos, text).items():
        editor.write(f"{folder}/{name}", data)
    report.tell("modules.indexed", dep, f"indexed {len(places)} modules of kernel {kver} in /{dep}")


def make_indexes(
    places: Mapping[str, str], infos: Mapping[str, ModuleInfo], builtin: str
) -> dict[str, bytes]:
    """Return what is in the indexes, by their names.

    Args:
        places: Of modules' files, below the kernel's folder, by their names.
        infos: What they say of themselves.
        builtin: What ``modules.builtin`` says.
    """
    needs = {name: tuple(map(module_name, info.depends)) for name, info in infos.items()}
    order = sorted(places, key=places.__getitem__)
    lines = {
        name: " ".join(
            [f"{places[name]}:", *(places[other] for other in close_dependencies(needs, name))]
        )
        for name in order
    }
    aliases = [(pattern, name) for name in order for pattern in infos[name].aliases]
    rank = {name: at for at, name in enumerate(order)}
    texts = {
        "modules.dep": [lines[name] for name in order],
        "modules.alias": [f"alias {pattern} {name}" for pattern, name in aliases],
        "modules.softdep": [
            f"softdep {name} {text}" for name in order for text in infos[name].softdeps
        ],
        "modules.devname": [
            line for name in order for line in _device_nodes(name, infos[name].aliases)
        ],
    }
    found = {name: "".join(f"{line}\n" for line in text).encode() for name, text in texts.items()}
    found["modules.dep.bin"] = encode_index((name, lines[name], 0) for name in order)
    found["modules.alias.bin"] = encode_index(
        (_underscored(pattern), name, rank[name]) for pattern, name in aliases
    )
    found["modules.builtin.bin"] = encode_index(
        (module_name(line.strip()), "", 0) for line in builtin.splitlines() if line.strip()
    )
    return found


def _device_nodes(name: str, aliases: tuple[str, ...]) -> list[str]:
    """Return the line of the device that a module makes when somebody opens it."""
    node = next((one[8:] for one in aliases if one.startswith("devname:")), "")
    for alias in aliases:
        kind, _, numbers = alias.partition("-major-")
        major, _, minor = numbers.partition("-")
        if node and kind in {"char", "block"} and major.isdigit() and minor.isdigit():
            return [f"{name} {node} {kind[0]}{major}:{minor}"]
    return []


def _underscored(pattern: str) -> str:
    """Return a pattern as kmod looks for it: dashes are no others than underscores."""
    parts = []
    for at, part in enumerate(pattern.replace("]", "[").split("[")):
        parts.append(part if at % 2 else part.replace("-", "_"))
    if len(parts) == 1:
        return parts[0]
    inside = [f"[{part}]" if at % 2 else part for at, part in enumerate(parts)]
    return "".join(inside)


def _names_what_is_gone(editor: TreeEditor, dep: str, paths: set[str]) -> bool:
    for line in editor.read(dep).decode(errors="replace").splitlines():
        path, colon, _ = line.partition(":")
        # In the mixed form of old, paths begin with that of the folder.
        if colon and not path.startswith("/") and path not in paths:
            return True
    return False


def _is_stale(name: str) -> bool:
    return name in {"modules.symbols", "modules.symbols.bin", "modules.builtin.alias.bin"}


def _rank(path: str) -> tuple[int, str]:
    return (0 if path.startswith(_FIRST) else 1), path
