# SPDX-License-Identifier: Apache-2.0
"""How a verb declares its options, and the options that verbs share.

The declarations are plain values: :mod:`ostrya.cli.parser` reads them, :mod:`ostrya.cli.usage`
prints them and :mod:`ostrya.cli.reference` writes them into the documentation.
"""

from __future__ import annotations

from enum import Enum

from ostrya.named_tuple import NamedTuple


class Kind(Enum):
    """What an option takes."""

    FLAG = "flag"
    TEXT = "text"
    OPTIONAL_TEXT = "optional text"
    TEXTS = "texts"
    NUMBER = "number"
    BOOLEAN = "boolean"


class Option(NamedTuple):
    """One option of a verb.

    Attributes:
        name: Long name, without the dashes.
        kind: What it takes.
        help: One line for ``--help``.
        short: One letter, or empty.
        metavar: Stands for the value in ``--help``.
        hidden: Accepted, but not listed.
    """

    name: str
    kind: Kind
    help: str
    short: str = ""
    metavar: str = ""
    hidden: bool = False

    @property
    def needs_value(self) -> bool:
        """Whether it cannot be given without a value."""
        return self.kind not in {Kind.FLAG, Kind.OPTIONAL_TEXT}

    @property
    def value(self) -> str:
        """How its value is spelled behind the name: ``=PATH``, ``[=HOW]``, or empty."""
        if not self.metavar or self.kind is Kind.FLAG:
            return ""
        return f"={self.metavar}" if self.needs_value else f"[={self.metavar}]"

    @property
    def takes_path(self) -> bool:
        """Whether the value names a file, so that it need not be text."""
        return self.metavar in _PATHS


_PATHS = frozenset(
    {"DEST", "FILE", "HOMEDIR", "PATH", "PREFIX", "dir=PATH or tar=TARFILE or ref=COMMIT"},
)


def flag(name: str, summary: str, *, short: str = "", hidden: bool = False) -> Option:
    """Declare an option without a value."""
    return Option(name, Kind.FLAG, summary, short, "", hidden)


def text(name: str, metavar: str, summary: str, *, short: str = "") -> Option:
    """Declare an option with a value; the last one given counts."""
    return Option(name, Kind.TEXT, summary, short, metavar)


def optional_text(name: str, metavar: str, summary: str) -> Option:
    """Declare an option that may be given without a value; with one only after an equals sign."""
    return Option(name, Kind.OPTIONAL_TEXT, summary, "", metavar)


def texts(name: str, metavar: str, summary: str, *, short: str = "") -> Option:
    """Declare an option with a value that may be given many times."""
    return Option(name, Kind.TEXTS, summary, short, metavar)


def number(name: str, metavar: str, summary: str) -> Option:
    """Declare an option with an integer, in C's notation."""
    return Option(name, Kind.NUMBER, summary, "", metavar)


def boolean(name: str, metavar: str, summary: str) -> Option:
    """Declare an option with a truth value: 1, true, yes, 0, false, no, none."""
    return Option(name, Kind.BOOLEAN, summary, "", metavar)


REPO = text("repo", "PATH", "Repository; default: the current directory, or the system's own")
REPO_ONLY = text("repo", "PATH", "Repository; default: the system's own")
SYSROOT = text("sysroot", "PATH", "Use the repository of the sysroot at PATH instead of --repo")
GLOBAL = (
    flag("verbose", "Say on stderr what is being done", short="v"),
    flag("version", "Print the version and the features, and exit"),
)
FSYNC = boolean("fsync", "POLICY", "Whether to wait until the disk has everything")
JSON = flag("json", "Print JSON instead of text")
PROGRESS = text("progress", "HOW", "Show progress: auto, plain, json (lines on stderr) or none")
ADMIN = (
    text("sysroot", "PATH", "The sysroot; default: OSTREE_SYSROOT, or the running system"),
    flag("print-current-dir", "Print the directory of the default deployment, and do nothing"),
)
