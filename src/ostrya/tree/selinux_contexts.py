# SPDX-License-Identifier: Apache-2.0
"""``file_contexts``: which security context the files of a path and type get.

::

    /usr/(.*/)?bin(/.*)?            system_u:object_r:bin_t:s0
    /usr/bin/ssh            --      system_u:object_r:ssh_exec_t:s0      regular files only
    /tmp/.*                         <<none>>                             no label

Every line is a regular expression for whole paths. Of those that match, one without special
characters wins over one with, then a later one over an earlier. Before that, substitutions
(``/lib32 /usr/lib``) change the beginning of the path: the last line that applies counts.

Only few expressions can match in one directory: they are filed by the directory that their
literal beginning names, and gathered once for each directory that is asked about.

Source: file_contexts(5); the order, and what is anchored, is libselinux 3.4's.
"""

from __future__ import annotations

import re
import stat
import warnings

from ostrya.named_tuple import NamedTuple
from ostrya.tree.errors import ContextsError

NO_LABEL = "<<none>>"
_TYPES = {
    b"-b": stat.S_IFBLK,
    b"-c": stat.S_IFCHR,
    b"-d": stat.S_IFDIR,
    b"-p": stat.S_IFIFO,
    b"-l": stat.S_IFLNK,
    b"-s": stat.S_IFSOCK,
    b"--": stat.S_IFREG,
}
_SPECIAL = b".^$?*+|[({"
_QUANTIFIERS = b"?*{"
_EXACT_RANK = 1 << 32
_POSIX_CLASSES = {
    b"[:alnum:]": b"0-9A-Za-z",
    b"[:alpha:]": b"A-Za-z",
    b"[:digit:]": b"0-9",
    b"[:lower:]": b"a-z",
    b"[:upper:]": b"A-Z",
    b"[:xdigit:]": b"0-9A-Fa-f",
    b"[:space:]": rb"\s",
}


class Substitution(NamedTuple):
    """A beginning of paths that stands for another.

    Attributes:
        source: What the path begins with.
        target: What it is looked up as.
    """

    source: bytes
    target: bytes

    def apply(self, path: bytes) -> bytes | None:
        """Return the path to look up instead, None if this is none of its paths."""
        if not path.startswith(self.source):
            return None
        rest = path[len(self.source) :]
        if rest and not rest.startswith(b"/"):
            return None
        return self.target + (rest[1:] if rest and self.target == b"/" else rest)


def parse_substitutions(data: bytes) -> list[Substitution]:
    """Return substitutions in the order in which they are tried."""
    found = []
    for line in data.splitlines():
        words = line.split()
        if len(words) >= 2 and not words[0].startswith(b"#"):
            found.append(Substitution(words[0], words[1]))
    return found[::-1]


class _Spec:
    """One line of ``file_contexts``.

    Attributes:
        rank: Of those that match, the highest counts.
        prefix: What paths must begin with.
        mode: File type, 0 for any.
        context: The label.
    """

    __slots__ = ("_expression", "_pattern", "_where", "context", "mode", "prefix", "rank")

    def __init__(self, rank: int, expression: bytes, mode: int, context: str, where: str) -> None:
        self.rank = rank
        self.prefix = literal_prefix(expression)
        self.mode = mode
        self.context = context
        self._expression = expression
        self._where = where
        self._pattern: re.Pattern[bytes] | None = None

    def matches(self, path: bytes) -> bool:
        """Say whether the expression matches a path that begins with ``prefix``."""
        if self._pattern is None:
            self._pattern = self._compile()
        return self._pattern.search(path) is not None

    def _compile(self) -> re.Pattern[bytes]:
        expression = self._expression
        if b"[:" in expression:
            for name, members in _POSIX_CLASSES.items():
                expression = expression.replace(name, members)
        try:
            with warnings.catch_warnings():
                # Of what will mean something else one day; for a policy it means what it did.
                warnings.simplefilter("ignore", FutureWarning)
                return re.compile(b"^" + expression + b"$", re.DOTALL)
        except (re.error, OverflowError, RecursionError) as exc:
            shown = self._expression.decode("ascii", "replace")
            raise ContextsError(f"{self._where}: invalid expression {shown}: {exc}") from exc


class FileContexts:
    """The lines of all ``file_contexts`` files of a policy, ready to be asked.

    Attributes:
        local: Substitutions of the administrator, tried first.
        shipped: Substitutions of the distribution, tried on what those gave.
    """

    __slots__ = ("_by_directory", "_exact", "_filed", "_specs", "local", "shipped")

    def __init__(
        self, *, local: list[Substitution] | None = None, shipped: list[Substitution] | None = None
    ) -> None:
        self.local = local or []
        self.shipped = shipped or []
        self._specs = 0
        self._exact: dict[bytes, list[tuple[int, int, str]]] = {}
        self._filed: dict[bytes, list[_Spec]] = {}
        self._by_directory: dict[bytes, list[_Spec]] = {}

    def add_file(self, data: bytes, where: str) -> None:
        """Add the lines of a file; they win over those that are there.

        Args:
            data: Its content.
            where: Its name, for error sentences.

        Raises:
            ContextsError: A line cannot be parsed.
        """
        self._by_directory.clear()
        for number, line in enumerate(data.splitlines(), 1):
            words = line.split(None, 2)
            if not words or words[0].startswith(b"#"):
                continue
            self._add_line(words, f"{where}: line {number}")

    def _add_line(self, words: list[bytes], where: str) -> None:
        if len(words) < 2:
            raise ContextsError(f"{where} is missing fields")
        mode = 0
        if len(words) == 3:
            kind = _TYPES.get(words[1])
            if kind is None:
                shown = words[1].decode("ascii", "replace")
                raise ContextsError(f"{where} has invalid file type {shown}")
            mode = kind
        try:
            expression = words[0].decode("ascii").encode()
            context = words[-1].split()[0].decode("ascii")
        except UnicodeDecodeError:
            raise ContextsError(f"{where}: Non-ASCII characters found") from None
        self._file(expression, mode, context, where)

    def _file(self, expression: bytes, mode: int, context: str, where: str) -> None:
        rank = self._specs
        self._specs += 1
        if not has_special(expression):
            rank += _EXACT_RANK
            literal = unescape(expression)
            if literal is not None:
                if not _is_unmatchable(expression):
                    self._exact.setdefault(literal, []).insert(0, (rank, mode, context))
                return
        if not _is_unmatchable(expression):
            spec = _Spec(rank, expression, mode, context, where)
            directory = spec.prefix[: spec.prefix.rfind(b"/") + 1]
            self._filed.setdefault(directory, []).append(spec)

    def lookup(self, path: bytes, mode: int) -> str | None:
        """Return the label of a path; None if it has none.

        Args:
            path: Absolute.
            mode: File type and permission bits; without a file type, lines for any type count.

        Raises:
            ContextsError: An expression that would have to be tried is not valid.
        """
        key = self._substituted(_clean(path))
        kind = stat.S_IFMT(mode)
        rank, context = self._lookup_exact(key, kind)
        for spec in self._candidates(key[: key.rfind(b"/") + 1]):
            if spec.rank < rank:
                break
            if (
                key.startswith(spec.prefix)
                and (not kind or not spec.mode or spec.mode == kind)
                and spec.matches(key)
            ):
                context = spec.context
                break
        return None if context == NO_LABEL else context

    def _substituted(self, path: bytes) -> bytes:
        for substitutions in (self.local, self.shipped):
            for substitution in substitutions:
                changed = substitution.apply(path)
                if changed is not None:
                    path = changed
                    break
        return path

    def _lookup_exact(self, key: bytes, kind: int) -> tuple[int, str | None]:
        # To a regular expression, a line break at the end is not there.
        for literal in (key, key[:-1]) if key.endswith(b"\n") else (key,):
            for rank, mode, context in self._exact.get(literal, ()):
                if not kind or not mode or mode == kind:
                    return rank, context
        return -1, None

    def _candidates(self, directory: bytes) -> list[_Spec]:
        """Return what may match in a directory, the highest rank first."""
        found = self._by_directory.get(directory)
        if found is None:
            found = list(self._filed.get(b"", ()))
            end = directory.find(b"/")
            while end != -1:
                found += self._filed.get(directory[: end + 1], ())
                end = directory.find(b"/", end + 1)
            found.sort(key=_rank, reverse=True)
            self._by_directory[directory] = found
        return found


def _rank(spec: _Spec) -> int:
    return spec.rank


def has_special(expression: bytes) -> bool:
    """Say whether an expression has special characters that are not quoted."""
    at = 0
    while at < len(expression):
        if expression[at] in _SPECIAL:
            return True
        at += 2 if expression[at] == 0x5C else 1
    return False


def unescape(expression: bytes) -> bytes | None:
    """Return the one path that an expression without special characters matches.

    None if that is not one path: quoted letters and digits stand for classes.
    """
    if b"\\" not in expression:
        return expression
    if re.search(rb"\\(?:[0-9A-Za-z]|$)", re.sub(rb"\\\\", b"", expression)):
        return None
    return re.sub(rb"\\(.)", rb"\1", expression, flags=re.DOTALL)


def literal_prefix(expression: bytes) -> bytes:
    """Return what every path that an expression matches begins with."""
    stem = _stem(expression)
    must = stem + b"/" if stem else b""
    if _has_top_level_choice(expression):
        return must
    literal = bytearray()
    at = 0
    while at < len(expression):
        byte = expression[at]
        if byte in _SPECIAL:
            if byte in _QUANTIFIERS:
                del literal[-1:]
            break
        if byte == 0x5C:
            at += 1
            if at == len(expression) or chr(expression[at]).isalnum():
                break
            byte = expression[at]
        literal.append(byte)
        at += 1
    return bytes(literal) if literal.startswith(must) else must


def _stem(expression: bytes) -> bytes:
    """Return the first directory of an expression, if that is spelled out.

    libselinux compares it with the first directory of the path, which must not be the last.
    """
    end = expression.find(b"/", 1)
    stem = expression[: max(end, 0)]
    return b"" if any(byte in _SPECIAL for byte in stem) else stem


def _is_unmatchable(expression: bytes) -> bool:
    """A first directory with quoted characters is compared with the quotes, and never found."""
    return b"\\" in _stem(expression)


def _has_top_level_choice(expression: bytes) -> bool:
    if b"|" not in expression:
        return False
    plain = re.sub(rb"\\.|\[\^?\]?[^]]*\]", b"", expression, flags=re.DOTALL)
    depth = 0
    for byte in plain:
        depth += (byte == 0x28) - (byte == 0x29)
        if byte == 0x7C and depth <= 0:
            return True
    return False


def _clean(path: bytes) -> bytes:
    while b"//" in path:
        path = path.replace(b"//", b"/")
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path
