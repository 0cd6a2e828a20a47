# SPDX-License-Identifier: Apache-2.0
"""What may be decided about a root file system, by whoever makes a release of it. Pure."""

from __future__ import annotations

from enum import StrEnum

from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple


class VarPolicy(StrEnum):
    """What becomes of something in ``/var``."""

    SEED = "seed"
    """A device begins with it; later releases change nothing about it."""
    FACTORY = "factory"
    """It belongs to the release; a device gets a copy where it has nothing."""
    DROP = "drop"
    """It is not taken along."""
    FAIL = "fail"
    """There must be nothing."""


class LinkPolicy(StrEnum):
    """What becomes of a directory that people write to."""

    AUTO = "auto"
    """A link into ``/var``; ``/opt`` stays if there is something in it."""
    LINK = "link"
    """A link into ``/var``, where its content goes."""
    KEEP = "keep"
    """It belongs to the release, and is read-only on a device."""


class ResolvPolicy(StrEnum):
    """What becomes of ``/etc/resolv.conf``."""

    KEEP = "keep"
    """It stays as it is."""
    DROP = "drop"
    """It was the machine's that made the tree."""
    STUB = "stub"
    """A link to that of systemd-resolved."""


class AccountPolicy(StrEnum):
    """What is done when a user or group has another number than in the release before."""

    FAIL = "fail"
    """Nothing: it is an error."""
    KEEP_OLD = "keep-old"
    """It gets its old number back, and so do files."""
    ACCEPT = "accept"
    """It is told, and stays."""


class VarRule(NamedTuple):
    """A policy for a part of ``/var``; the longest path that fits counts.

    Attributes:
        path: ``/var``, or below.
        policy: What becomes of it.
    """

    path: str
    policy: VarPolicy


class LinkRule(NamedTuple):
    """A policy for one of the directories that people write to.

    Attributes:
        path: As ``/opt``.
        policy: What becomes of it.
    """

    path: str
    policy: LinkPolicy


LINKED = ("/home", "/media", "/mnt", "/opt", "/srv", "/root", "/usr/local")


def check_var_rules(rules: tuple[VarRule, ...]) -> dict[str, VarPolicy]:
    """Return policies by path, without slashes at its ends.

    Raises:
        SourceError: One is not about ``/var``, or there are two about the same.
    """
    found: dict[str, VarPolicy] = {}
    for rule in rules:
        names = [name for name in rule.path.split("/") if name]
        if names[:1] != ["var"] or ".." in names or "." in names:
            raise SourceError(f"a policy for /var cannot be about {rule.path}")
        path = "/".join(names)
        if path in found:
            raise SourceError(f"there are two policies for /{path}")
        found[path] = rule.policy
    return found


def check_link_rules(rules: tuple[LinkRule, ...]) -> dict[str, LinkPolicy]:
    """Return policies by path.

    Raises:
        SourceError: One is not about a directory of `LINKED`, or there are two about the same.
    """
    found: dict[str, LinkPolicy] = {}
    for rule in rules:
        if rule.path not in LINKED:
            raise SourceError(
                f"{rule.path} is not one of the directories that can become links",
                hint=f"those are {', '.join(LINKED)}",
            )
        if rule.path in found:
            raise SourceError(f"there are two policies for {rule.path}")
        found[rule.path] = rule.policy
    return found
