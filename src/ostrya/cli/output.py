# SPDX-License-Identifier: Apache-2.0
"""Text, bytes and JSON on stdout; messages on stderr."""

from __future__ import annotations

import io
import os
import sys
from errno import EBADF
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

_RED_BOLD, _PLAIN = "\x1b[31m\x1b[1m", "\x1b[22m\x1b[0m"


class _ClosedOutput(io.BufferedIOBase):
    """Stands for an output that nobody can get; it keeps nothing back for the last flush."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401  # whatever has bytes
        if memoryview(data).nbytes:
            raise OSError(EBADF, os.strerror(EBADF), "standard output")
        return 0


def prepare_streams() -> None:
    """Let every text be written: names of files need not be UTF-8, nor the terminal's charset.

    Where whoever started us has closed stdout, writing to it fails; messages go nowhere.
    """
    _fill_closed_descriptors()
    # Their types hide that a process may be started without them.
    stdout: object = sys.stdout
    stderr: object = sys.stderr
    if stdout is None:
        sys.stdout = io.TextIOWrapper(_ClosedOutput(), encoding="utf-8", write_through=True)
    if stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if _is_utf8(stream) else "backslashreplace")


def _fill_closed_descriptors() -> None:
    """Keep files that are opened later from becoming the standard streams of this process."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)


def _is_utf8(stream: TextIO) -> bool:
    # What only looks like a stream need not have an encoding.
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def format_json(value: object, stream: TextIO, *, indent: int | None = 2) -> str:
    r"""Return a value as JSON that is UTF-8 whatever the stream makes of other characters.

    Bytes of names that are no UTF-8 become escapes, 0xff ``\udcff``, as Python spells them.
    """
    import json

    text = json.dumps(value, indent=indent, ensure_ascii=not _is_utf8(stream))
    return text.encode("utf-8", "backslashreplace").decode()


def write(text: str) -> None:
    """Write text to stdout as it is."""
    sys.stdout.write(text)


def write_line(text: str) -> None:
    """Write one line to stdout."""
    sys.stdout.write(text + "\n")


def write_bytes(data: bytes | memoryview) -> None:
    """Write bytes to stdout; a file name or a file's content need not be text."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def write_json(value: object) -> None:
    """Write a value to stdout as JSON, indented, keys in the order given."""
    sys.stdout.write(format_json(value, sys.stdout) + "\n")


def write_json_list(values: Iterable[object]) -> None:
    """Write values to stdout as one JSON list, each as soon as it is there.

    What is written is whole even when the values end with an exception.
    """
    between = "[\n"
    try:
        for value in values:
            text = format_json(value, sys.stdout).replace("\n", "\n  ")
            sys.stdout.write(f"{between}  {text}")
            between = ",\n"
    finally:
        if between == ",\n":
            sys.stdout.write("\n]\n")
    if between == "[\n":
        sys.stdout.write("[]\n")


def write_message(text: str) -> None:
    """Write one line to stderr, after everything that stdout holds."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")


def write_error(message: str, *, hint: str = "", color: bool = True) -> None:
    """Write an error to stderr, in red on a terminal, and its hint below."""
    head = "error:"
    if color and sys.stderr.isatty():
        head = f"{_RED_BOLD}{head}{_PLAIN}"
    sys.stderr.write(f"{head} {message}\n")
    if hint:
        sys.stderr.write(f"hint: {hint}\n")
