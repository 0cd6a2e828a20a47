# SPDX-License-Identifier: Apache-2.0
"""What is known of a verb before its module is loaded."""

from __future__ import annotations

from enum import Enum

from ostrya.named_tuple import NamedTuple


class Repo(Enum):
    """What is done about the repository before a verb runs."""

    OPEN = "open"
    """Found and opened."""
    NAMED = "named"
    """Found, but it need not exist."""
    ADDRESS = "address"
    """As OPEN, but where ``--repo`` is the address of a bucket, that is left to the verb."""
    SYSROOT = "sysroot"
    """As OPEN, but the verb declares ``--repo`` itself, and ``--sysroot`` beside it."""
    NONE = "none"
    """The verb takes no ``--repo``."""
    ADMIN = "admin"
    """The verb works on a sysroot, which it opens itself."""


class Verb(NamedTuple):
    """One verb of the command line.

    Attributes:
        name: As typed.
        module: Under ``ostrya.cli.commands``; empty for a group of verbs.
        help: One line for the list of verbs and the verb's own ``--help``.
        repo: What is done about the repository.
        reads: The verb prints facts, so it has ``--json``.
        writes: A verb that reads may write as well, so it must end in order.
        takes_long: The verb may take long, so it has ``--progress``.
        verbs: Of a group.
        hidden: For other programs; not listed.
    """

    name: str
    module: str
    help: str
    repo: Repo = Repo.OPEN
    reads: bool = False
    writes: bool = False
    takes_long: bool = False
    verbs: tuple[Verb, ...] = ()
    hidden: bool = False
