# SPDX-License-Identifier: Apache-2.0
r"""Key files: the text of a repository's ``config``, of remotes and of origins.

::

    # a comment
    [core]
    repo_version=1
    mode=archive-z2

    [remote "origin"]
    url=https://example.com/repo
    branches=main;devel;

``[group]`` lines and ``key=value`` lines; blanks before a line and around ``=`` are dropped, those
at the end of a value are kept. Escapes in values: ``\s`` space, ``\t`` tab, ``\n`` line feed,
``\r`` carriage return, ``\\`` backslash; in lists also ``\;``, and each element ends in ``;``.
A group that comes again is continued; of a key that comes again, the last value counts.

Comments and blank lines are kept where they stand, and order is kept, so that what is not changed
is written back as it was.

Source: GLib's GKeyFile, of which this is the part that OSTree uses; its error sentences are GLib's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ostrya.formats.errors import KeyFileError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLANKS = " \t\n\v\f\r"
_ESCAPES = {"s": " ", "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
_INT32 = 1 << 31
_UINT64 = 1 << 64


class KeyFile:
    """Groups of keys and values, with the comments between them."""

    __slots__ = ("_groups", "_head")

    def __init__(self) -> None:
        self._head: list[str] = []
        # A line is (key, value); a comment or blank line is (None, text).
        self._groups: dict[str, list[tuple[str | None, str]]] = {}

    @classmethod
    def parse(cls, text: str, *, keep_comments: bool = True) -> Self:
        """Read a key file.

        Args:
            text: The whole file.
            keep_comments: Keep comments and blank lines for ``to_text``.

        Raises:
            KeyFileError: A line is none of the kinds, or a name is not valid.
        """
        if "\0" in text:
            raise KeyFileError("Key file contains a NUL character")
        parsed = cls()
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        group: list[tuple[str | None, str]] | None = None
        for raw_line in lines:
            # All of them: one that is kept would be lost when the line is read again.
            line = raw_line.rstrip("\r")
            content = line.lstrip(_BLANKS)
            if not content or content[0] == "#":
                if keep_comments:
                    parsed._add_comment(group, line)
            elif _is_group_line(content):
                name = _check_group_name(content.rstrip(" \t")[1:-1])
                group = parsed._groups.setdefault(name, [])
            elif content.find("=") > 0:
                if group is None:
                    raise KeyFileError("Key file does not start with a group", "group-not-found")
                group.append(_parse_pair(content))
            else:
                raise KeyFileError(
                    f"Key file contains line “{line}” which is not a key-value pair, "
                    "group, or comment"
                )
        return parsed

    @classmethod
    def decode(cls, data: bytes, *, keep_comments: bool = True) -> Self:
        """Read a key file from its bytes.

        Raises:
            KeyFileError: Not UTF-8, or not a key file.
        """
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise KeyFileError(f"Key file is not UTF-8 (byte {exc.start})") from exc
        return cls.parse(text, keep_comments=keep_comments)

    def to_text(self) -> str:
        """Write the key file: a blank line at least between groups."""
        out = [*self._head]
        for name, lines in self._groups.items():
            if out and out[-1]:
                out.append("")
            out.append(f"[{name}]")
            out.extend(text if key is None else f"{key}={text}" for key, text in lines)
        return "".join(f"{line}\n" for line in out)

    def groups(self) -> tuple[str, ...]:
        """Name the groups, in their order."""
        return tuple(self._groups)

    def keys(self, group: str) -> tuple[str, ...]:
        """Name the keys of a group, in their order.

        Raises:
            KeyFileError: No such group.
        """
        return tuple(dict.fromkeys(key for key, _ in self._lines(group) if key is not None))

    def has_group(self, group: str) -> bool:
        """Say whether the group is there."""
        return group in self._groups

    def has_key(self, group: str, key: str) -> bool:
        """Say whether the key is there; no group, no key."""
        return any(name == key for name, _ in self._groups.get(group, ()))

    def get_value(self, group: str, key: str) -> str:
        """Give a value as it is written.

        Raises:
            KeyFileError: No such group or key.
        """
        for name, value in reversed(self._lines(group)):
            if name == key:
                return value
        raise _key_not_found(group, key)

    def get_string(self, group: str, key: str) -> str:
        """Give a value with its escapes resolved.

        Raises:
            KeyFileError: No such group or key, or an unknown escape.
        """
        value = self.get_value(group, key)
        return value if "\\" not in value else _unescape(value, key)

    def get_string_list(self, group: str, key: str) -> tuple[str, ...]:
        """Give the elements of a list.

        Raises:
            KeyFileError: No such group or key, or an unknown escape.
        """
        return tuple(_unescape(part, key) for part in _split_list(self.get_value(group, key)))

    def get_boolean(self, group: str, key: str) -> bool:
        """Give a truth value: ``true`` or ``1``, ``false`` or ``0``.

        Raises:
            KeyFileError: No such group or key, or another value.
        """
        value = self.get_value(group, key).rstrip(_BLANKS)
        if value in ("true", "1"):
            return True
        if value in ("false", "0"):
            return False
        raise _invalid_value(key)

    def get_int(self, group: str, key: str) -> int:
        """Give a 32-bit integer; what follows it after a blank is left out.

        Raises:
            KeyFileError: No such group or key, or not such a number.
        """
        words = self.get_value(group, key).split(maxsplit=1)
        number = _parse_int(words[0]) if words else None
        if number is None or not -_INT32 <= number < _INT32:
            raise KeyFileError(
                f"Key file contains key “{key}” in group “{group}” "
                "which has a value that cannot be interpreted.",
                "invalid-value",
            )
        return number

    def get_uint64(self, group: str, key: str) -> int:
        """Give an integer from 0 to 2^64 - 1.

        Raises:
            KeyFileError: No such group or key, or not such a number.
        """
        value = self.get_string(group, key)
        number = _parse_int(value.lstrip(_BLANKS))
        if number is None or not 0 <= number < _UINT64:
            raise KeyFileError(
                f"Key “{key}” in group “{group}” has value “{value}” where uint64 was expected",
                "invalid-value",
            )
        return number

    def set_value(self, group: str, key: str, value: str) -> None:
        """Set a value as it shall be written; a new key goes behind the last one of its group.

        Raises:
            KeyFileError: The group or key has no valid name, or the value has a line break.
        """
        _check_group_name(group)
        if not _is_key_name(key):
            raise KeyFileError(f"Invalid key name: {key}")
        if "\n" in value or "\0" in value or printable(key + value) != key + value:
            raise KeyFileError(f"Invalid value of key “{key}”: a line break, a NUL or not UTF-8")
        if value.lstrip(_BLANKS) != value or value.endswith("\r"):
            # It would be lost in reading.
            raise KeyFileError(f"Invalid value of key “{key}”: a blank that has no escape")
        lines = self._groups.setdefault(group, [])
        last = -1
        for at in range(len(lines) - 1, -1, -1):
            name = lines[at][0]
            if name == key:
                lines[at] = (key, value)
                return
            if name is not None and last < 0:
                last = at
        lines.insert(last + 1, (key, value))

    def set_string(self, group: str, key: str, value: str) -> None:
        """Set a string, escaped as need be."""
        self.set_value(group, key, _escape(value))

    def set_string_list(self, group: str, key: str, values: Iterable[str]) -> None:
        """Set a list of strings."""
        escaped = "".join(_escape(value).replace(";", "\\;") + ";" for value in values)
        self.set_value(group, key, escaped)

    def set_boolean(self, group: str, key: str, value: bool) -> None:  # noqa: FBT001
        """Set a truth value."""
        self.set_value(group, key, "true" if value else "false")

    def set_int(self, group: str, key: str, value: int) -> None:
        """Set a number."""
        self.set_value(group, key, str(value))

    def remove_key(self, group: str, key: str) -> None:
        """Remove a key.

        Raises:
            KeyFileError: No such group or key.
        """
        lines = self._lines(group)
        kept = [line for line in lines if line[0] != key]
        if len(kept) == len(lines):
            raise _key_not_found(group, key)
        self._groups[group] = kept

    def remove_group(self, group: str) -> None:
        """Remove a group and all in it.

        Raises:
            KeyFileError: No such group.
        """
        self._lines(group)
        del self._groups[group]

    def _add_comment(self, group: list[tuple[str | None, str]] | None, line: str) -> None:
        if group is None:
            self._head.append(line)
        else:
            group.append((None, line))

    def _lines(self, group: str) -> list[tuple[str | None, str]]:
        lines = self._groups.get(group)
        if lines is None:
            raise KeyFileError(f"Key file does not have group “{group}”", "group-not-found")
        return lines


def _is_group_line(content: str) -> bool:
    # The first "]" must be the last: what follows it may be blank only.
    return content[0] == "[" and content.find("]") == len(content.rstrip(" \t")) - 1


def _check_group_name(name: str) -> str:
    if not name or printable(name) != name or any(c in "[]\x7f" or c < " " for c in name):
        raise KeyFileError(f"Invalid group name: {printable(name)}")
    return name


def _parse_pair(content: str) -> tuple[str, str]:
    key, _, value = content.partition("=")
    key = key.rstrip(_BLANKS)
    if not _is_key_name(key):
        raise KeyFileError(f"Invalid key name: {key}")
    return key, value.lstrip(_BLANKS)


def _is_key_name(key: str) -> bool:
    """Say whether the text may stand before "=": with a locale in brackets at its end, perhaps."""
    name, bracket, locale = key.partition("[")
    if not name or name[0] == " " or name[-1] == " " or any(c in "=]\n\0" for c in name):
        return False
    if not bracket:
        return True
    inner = locale[:-1]
    return locale[-1:] == "]" and all(c.isalnum() or c in "-_.@" for c in inner)


def _parse_int(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    # Longer than any 64-bit number, or not ASCII: int() would be slow or too kind.
    if not digits.isdecimal() or not digits.isascii() or len(digits.lstrip("0")) > 20:
        return None
    return int(text)


def _escape(value: str) -> str:
    rest = value.lstrip(" \t")
    lead = value[: len(value) - len(rest)].replace(" ", "\\s").replace("\t", "\\t")
    rest = rest.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return lead + rest


def _unescape(value: str, key: str) -> str:
    parts = value.split("\\")
    out = [parts[0]]
    at = 1
    while at < len(parts):
        part = parts[at]
        if part:
            escape = _ESCAPES.get(part[0])
            if escape is None:
                raise _invalid_value(key)
            out.append(escape + part[1:])
        else:
            # Two in a row: one backslash, and what follows stands for itself.
            at += 1
            if at == len(parts):
                raise _invalid_value(key)
            out.append("\\" + parts[at])
        at += 1
    return "".join(out)


def _split_list(value: str) -> list[str]:
    """Split at separators that no backslash takes away; the escapes are left in."""
    parts = []
    current = ""
    at = 0
    while at < len(value):
        c = value[at]
        if c == ";":
            parts.append(current)
            current = ""
        elif c == "\\" and value[at + 1 : at + 2] == ";":
            current += ";"
            at += 1
        elif c == "\\":
            current += value[at : at + 2]
            at += 1
        else:
            current += c
        at += 1
    if current:
        parts.append(current)
    return parts


def _key_not_found(group: str, key: str) -> KeyFileError:
    return KeyFileError(f"Key file does not have key “{key}” in group “{group}”", "key-not-found")


def _invalid_value(key: str) -> KeyFileError:
    return KeyFileError(
        f"Key file contains key “{key}” which has a value that cannot be interpreted.",
        "invalid-value",
    )
