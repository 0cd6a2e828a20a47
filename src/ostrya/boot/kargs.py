# SPDX-License-Identifier: Apache-2.0
"""The kernel's command line: arguments in their order, duplicates and all. Pure.

::

    root=LABEL=a quiet console=tty0 console=ttyS0 dyndbg="file a.c +p"
    ───┬──────── ──┬── ──────────┬──────────────── ────────┬──────────
     key=value    key     one key, two values        quotes keep spaces

``key`` and ``key=`` are different arguments. What is given as one argument may hold several, parted
by spaces.

Source: ``ostree-kernel-args.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.errors import KernelArgumentError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

LOADERS_OWN = ("BOOT_IMAGE=", "initrd=", "ostrya.pick=")
"""What GRUB, systemd-boot and our scripts add to the running kernel's command line."""


class KernelArgument(NamedTuple):
    """One argument; the value is None where there is no ``=``."""

    key: str
    value: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one argument, without spaces outside quotes."""
        key, equals, value = text.partition("=")
        return cls(key, value if equals else None)

    def __str__(self) -> str:
        return self.key if self.value is None else f"{self.key}={self.value}"


class KernelArguments(tuple[KernelArgument, ...]):
    """A command line; every change makes a new one."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a command line."""
        return cls(_parse(text))

    @classmethod
    def running(cls, cmdline: str) -> Self:
        """Read that of the running kernel, without what the boot loader has put there."""
        words = _split(cmdline.rstrip())
        return cls(KernelArgument.parse(word) for word in words if not word.startswith(LOADERS_OWN))

    def __str__(self) -> str:
        return " ".join(map(str, self))

    def check(self) -> Self:
        """Return it if a boot entry can hold it, and it is read back as it was written.

        Raises:
            KernelArgumentError: It cannot.
        """
        for one in self:
            text = str(one)
            if "\n" in text:
                raise KernelArgumentError(f"Kernel argument {text!r} has more than one line")
            if text.count('"') % 2:
                raise KernelArgumentError(
                    f"Kernel argument '{text}' has a quote that does not end",
                    hint="the kernel would take all arguments after it for its value",
                )
            if not _is_text(text):
                raise KernelArgumentError(f"Kernel argument {text!r} is not valid UTF-8")
        return self

    def has(self, key: str) -> bool:
        """Say whether there is an argument with this key."""
        return any(found.key == key for found in self)

    def last_value(self, key: str) -> str | None:
        """Return the value that counts where only one can; None for none."""
        return next((found.value for found in reversed(self) if found.key == key), None)

    def values(self, key: str) -> tuple[str | None, ...]:
        """Return the values of a key, in their order."""
        return tuple(found.value for found in self if found.key == key)

    def without(self, key: str) -> Self:
        """Return it without all arguments of a key."""
        return type(self)(found for found in self if found.key != key)

    def append(self, text: str) -> Self:
        """Return it with arguments at the end."""
        return type(self)((*self, *_parse(text)))

    def append_if_missing(self, text: str) -> Self:
        """Return it with arguments at the end, unless there is one with the first one's key."""
        return self if self.has(_key_of(text)) else self.append(text)

    def set(self, text: str) -> Self:
        """Return it with one argument in the place of all of its key, or at the end."""
        new = KernelArgument.parse(text)
        place = next((at for at, found in enumerate(self) if found.key == new.key), len(self))
        kept = self.without(new.key)
        return type(self)((*kept[:place], new, *kept[place:]))

    def replace(self, text: str) -> Self:
        """Return it with other values: ``key=old=new``, or ``key=new`` where there is one value.

        Raises:
            KernelArgumentError: There is no such argument, or there are several.
        """
        changed = list(self)
        for wanted in _parse(text):
            places = self._places(changed, wanted.key)
            if "=" in (wanted.value or ""):
                at, new = _find_old(changed, places, wanted)
                changed[at] = KernelArgument(wanted.key, new)
            elif len(places) > 1:
                raise _several(wanted.key)
            else:
                changed[places[0]] = wanted
        return type(self)(changed)

    def delete(self, text: str) -> Self:
        """Return it without arguments: ``key=value``, or ``key`` where there is one value.

        Raises:
            KernelArgumentError: There is no such argument, or there are several.
        """
        left = list(self)
        for wanted in _parse(text):
            places = self._places(left, wanted.key)
            if len(places) == 1 and wanted.value is None:
                del left[places[0]]
                continue
            found = [at for at in places if left[at].value == wanted.value]
            if not found and wanted.value is None:
                raise _several(wanted.key)
            if not found:
                raise KernelArgumentError(f"No karg '{wanted}' found")
            del left[found[0]]
        return type(self)(left)

    def delete_if_present(self, text: str) -> Self:
        """Return it without arguments, if there is one with the first one's key.

        Raises:
            KernelArgumentError: There is one, but with other values.
        """
        return self.delete(text) if self.has(_key_of(text)) else self

    @staticmethod
    def _places(arguments: list[KernelArgument], key: str) -> list[int]:
        places = [at for at, found in enumerate(arguments) if found.key == key]
        if not places:
            raise KernelArgumentError(f"No key '{key}' found")
        return places


def join(arguments: Iterable[str]) -> KernelArguments:
    """Return a command line of arguments that are given one by one."""
    return KernelArguments.parse(" ".join(arguments))


def _find_old(
    arguments: list[KernelArgument], places: list[int], wanted: KernelArgument
) -> tuple[int, str]:
    """Find which value is meant by ``old=new``, where both may hold ``=`` themselves."""
    parts = (wanted.value or "").split("=")
    for end in range(1, len(parts)):
        old, new = "=".join(parts[:end]), "=".join(parts[end:])
        for at in places:
            if arguments[at].value == old:
                return at, new
    raise KernelArgumentError(f"No karg '{wanted.key}={parts[0]}' found")


def _several(key: str) -> KernelArgumentError:
    return KernelArgumentError(
        f"Multiple values for key '{key}' found", hint="say which one, with its value"
    )


def _key_of(text: str) -> str:
    return text.partition("=")[0]


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse(text: str) -> Iterator[KernelArgument]:
    return map(KernelArgument.parse, _split(text))


def _split(text: str) -> Iterator[str]:
    """Split at spaces outside quotes; a quote that does not end is none.

    So ``ostree=`` is found behind it, as libostree finds it.
    """
    start, is_quoted = 0, False
    for at, letter in enumerate(text):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == " " and not is_quoted:
            if at > start:
                yield text[start:at]
            start = at + 1
    if is_quoted:
        yield from filter(None, text[start:].split(" "))
    elif len(text) > start:
        yield text[start:]
