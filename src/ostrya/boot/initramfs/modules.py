# SPDX-License-Identifier: Apache-2.0
"""The kernel's modules: which belong together, and in which order they are loaded.

::

    modules.dep       kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko
    modules.builtin   kernel/drivers/tty/serial/8250/8250.ko
    modules.softdep   softdep ext4 pre: crc32c post: example
    modules.alias     alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci

A dependency stands before what needs it. A soft one may be missing, and may name an alias.

Source: modules.dep(5), depmod.d(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Kinds of aliases that are not named as the bus is.
_BUSES = {"of": ("platform", "amba"), "acpi": ("acpi", "platform"), "usb": ("usb",)}
_OF_PROCESSORS = ("kernel/arch/", "kernel/drivers/crypto/")
_SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")


class Soft(NamedTuple):
    """What a module had better be loaded with.

    Attributes:
        pre: Before it.
        post: After it.
    """

    pre: tuple[str, ...] = ()
    post: tuple[str, ...] = ()


class ModuleIndex(NamedTuple):
    """The modules of a kernel.

    Attributes:
        paths: Of each module's file, by its name, below the kernel's folder.
        needs: Names of those that a module needs, itself not among them.
        builtin: Names of those that the kernel has in itself.
        soft: What modules had better be loaded with.
        aliases: Pattern and module, in the file's order.
    """

    paths: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    builtin: frozenset[str]
    soft: Mapping[str, Soft]
    aliases: tuple[tuple[str, str], ...]


def module_name(path: str) -> str:
    """Return the name of a module: of its file, or as somebody writes it."""
    name = path.rpartition("/")[2]
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name.replace("-", "_")


def parse_index(dep: str, *, builtin: str = "", softdep: str = "", alias: str = "") -> ModuleIndex:
    """Read the files of that names.

    Raises:
        InitramfsError: A line of ``modules.dep`` is none.
    """
    paths: dict[str, str] = {}
    needs: dict[str, tuple[str, ...]] = {}
    for line in _lines(dep):
        path, colon, others = line.partition(":")
        if not colon or not _is_path(path):
            raise InitramfsError(f"modules.dep: '{line}' is no line of it")
        name = module_name(path)
        paths[name] = path
        needs[name] = tuple(module_name(other) for other in others.split())
    built = frozenset(module_name(line) for line in _lines(builtin))
    soft = dict(_parse_softdep(line) for line in _lines(softdep) if line.startswith("softdep "))
    return ModuleIndex(paths, needs, built, soft, tuple(_parse_aliases(alias)))


def close_modules(index: ModuleIndex, names: Iterable[str]) -> list[str]:
    """Return modules and all that they need, each after what it needs.

    Raises:
        InitramfsError: One of those named, or one that they need, is not there.
    """
    closing = _Closing(index, with_post=True)
    for name in names:
        closing.visit(module_name(name))
    return closing.order


def has_module(index: ModuleIndex, name: str) -> bool:
    """Say whether a module is there as a file."""
    return module_name(name) in index.paths


def aliases_of(index: ModuleIndex, names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the patterns of devices that modules are for; those that are to follow one as well."""
    wanted = set(names)
    found: list[tuple[str, str]] = []
    for pattern, name in index.aliases:
        if name not in wanted:
            continue
        found.append((pattern, name))
        for after in index.soft.get(name, Soft()).post:
            found += [(pattern, one) for one in _resolve(index, after) if one in wanted]
    return found


def buses_of(index: ModuleIndex, names: Iterable[str]) -> list[str]:
    """Return the buses that modules have devices on, by their names in ``/sys/bus``."""
    kinds = {pattern.partition(":")[0] for pattern, _ in aliases_of(index, names) if ":" in pattern}
    # What processors can is no matter of disks, and their aliases are long.
    kinds.discard("cpu")
    return sorted({bus for kind in kinds for bus in _BUSES.get(kind, (kind,))})


def format_dep(index: ModuleIndex, order: Iterable[str]) -> str:
    """Return a ``modules.dep`` of modules, with what comes softly before them as if it must.

    Not so algorithms of which one is for some processors only: it refuses to be loaded on others,
    and what cannot be loaded keeps what needs it from being loaded. The kernel asks for all of
    them, by an alias, and takes the best.

    Args:
        index: The modules of the kernel.
        order: Names, closed; see `close_modules`.
    """
    lines = []
    for name in sorted(order):
        closing = _Closing(index, with_post=False)
        closing.visit(name)
        # The last one is loaded first.
        before = [plain_path(index.paths[one]) for one in reversed(closing.order) if one != name]
        lines.append(" ".join([f"{plain_path(index.paths[name])}:", *before]))
    return "".join(f"{line}\n" for line in lines)


def plain_path(path: str) -> str:
    """Return the path of a module as it is once it is unpacked: ``.ko`` and no more."""
    for suffix in _SUFFIXES[1:]:
        if path.endswith(suffix):
            return path[: -len(suffix)] + ".ko"
    return path


class _Closing:
    """The way through what modules need; soft dependencies may turn in circles."""

    def __init__(self, index: ModuleIndex, *, with_post: bool) -> None:
        self.order: list[str] = []
        self._index = index
        self._with_post = with_post
        self._seen: set[str] = set()

    def visit(self, name: str) -> None:
        """Add a module behind what it needs."""
        index = self._index
        if name in self._seen:
            return
        if name not in index.paths:
            if name in index.builtin:
                return
            raise InitramfsError(f"kernel module '{name}' is not there", hint="see modules.dep")
        self._seen.add(name)
        soft = index.soft.get(name, Soft())
        for before in soft.pre:
            found = _resolve(index, before)
            if self._with_post or not any(map(self._is_of_processors, found)):
                for one in found:
                    self.visit(one)
        # What modules.dep lists is closed already, the first one needed last.
        for needed in reversed(index.needs[name]):
            self.visit(needed)
        self.order.append(name)
        for after in _soft_names(index, soft.post) if self._with_post else ():
            self.visit(after)

    def _is_of_processors(self, name: str) -> bool:
        return self._index.paths[name].startswith(_OF_PROCESSORS)


def _soft_names(index: ModuleIndex, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from _resolve(index, name)


def _resolve(index: ModuleIndex, name: str) -> list[str]:
    """Return the modules of a name or an alias; none for what is built in or unknown."""
    plain = module_name(name)
    if plain in index.paths:
        return [plain]
    if plain in index.builtin:
        return []
    found = [module for pattern, module in index.aliases if pattern in (name, plain)]
    return [module for module in dict.fromkeys(found) if module in index.paths]


def _is_path(path: str) -> bool:
    name = module_name(path)
    if module_name(name) != name:
        # As of a.ko.ko: where names are written, it would be another's.
        return False
    return path.endswith(_SUFFIXES) and path.split() == [path] and ".." not in path.split("/")


def _lines(text: str) -> Iterator[str]:
    for raw_line in text.split("\n"):
        line = raw_line.strip()
        if line and not line.startswith("#"):
            yield line


def _parse_softdep(line: str) -> tuple[str, Soft]:
    words = line.split()
    lists: dict[str, list[str]] = {"pre:": [], "post:": []}
    current: list[str] = []
    for word in words[2:]:
        if word in lists:
            current = lists[word]
        else:
            current.append(word)
    name = words[1] if len(words) > 1 else ""
    return module_name(name), Soft(tuple(lists["pre:"]), tuple(lists["post:"]))


def _parse_aliases(text: str) -> Iterator[tuple[str, str]]:
    for line in _lines(text):
        words = line.split()
        if len(words) == 3 and words[0] == "alias":
            yield words[1], module_name(words[2])
