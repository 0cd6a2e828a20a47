# SPDX-License-Identifier: Apache-2.0
"""What each repository mode stores, and what can be hard-linked from it: one table."""

from __future__ import annotations

from enum import StrEnum

from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import RepoConfigError


class RepoMode(StrEnum):
    """How content objects lie on the disk; the value is what ``core.mode`` says."""

    BARE = "bare"
    ARCHIVE = "archive-z2"
    BARE_USER = "bare-user"
    BARE_USER_ONLY = "bare-user-only"
    BARE_SPLIT_XATTRS = "bare-split-xattrs"


class ModeTraits(NamedTuple):
    """What follows from a mode.

    Attributes:
        is_bare: Content lies as itself, and can be hard-linked into a checkout.
        keeps_ownership: Owner and group of files are known.
        keeps_xattrs: Extended attributes of files are known.
        real_symlinks: A symbolic link is stored as a symbolic link.
        user_checkout: Hard-linked checkouts are those of user mode.
    """

    is_bare: bool
    keeps_ownership: bool
    keeps_xattrs: bool
    real_symlinks: bool
    user_checkout: bool


TRAITS = {
    RepoMode.BARE: ModeTraits(
        is_bare=True,
        keeps_ownership=True,
        keeps_xattrs=True,
        real_symlinks=True,
        user_checkout=False,
    ),
    RepoMode.ARCHIVE: ModeTraits(
        is_bare=False,
        keeps_ownership=True,
        keeps_xattrs=True,
        real_symlinks=False,
        user_checkout=False,
    ),
    RepoMode.BARE_USER: ModeTraits(
        is_bare=True,
        keeps_ownership=True,
        keeps_xattrs=True,
        real_symlinks=False,
        user_checkout=True,
    ),
    RepoMode.BARE_USER_ONLY: ModeTraits(
        is_bare=True,
        keeps_ownership=False,
        keeps_xattrs=False,
        real_symlinks=True,
        user_checkout=True,
    ),
    RepoMode.BARE_SPLIT_XATTRS: ModeTraits(
        is_bare=True,
        keeps_ownership=True,
        keeps_xattrs=True,
        real_symlinks=True,
        user_checkout=False,
    ),
}


def parse_mode(text: str) -> RepoMode:
    """Parse a mode as the configuration and the command line write it.

    Raises:
        RepoConfigError: No such mode.
    """
    if text == "archive":
        return RepoMode.ARCHIVE
    try:
        return RepoMode(text)
    except ValueError:
        raise RepoConfigError(f"Invalid mode '{text}' in repository configuration") from None
