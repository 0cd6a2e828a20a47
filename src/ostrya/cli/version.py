# SPDX-License-Identifier: Apache-2.0
"""``--version``: YAML, so that people and scripts can both read it."""

from __future__ import annotations

from ostrya import __version__

FOLLOWED_VERSION = "2026.4"
"""The libostree whose behaviour we follow."""

FEATURES = (
    "gpgme", "composefs", "ex-fsverity", "libarchive", "selinux", "sign-ed25519", "sign-spki",
)  # fmt: skip
"""In libostree's words, only what works: scripts skip what is not listed."""


def format_version(*, drop_in: bool) -> str:
    """Return what ``--version`` prints."""
    if drop_in:
        lines = ["libostree:", f" Version: '{FOLLOWED_VERSION}'"]
    else:
        followed = f"libostree {FOLLOWED_VERSION}"
        lines = ["ostrya:", f" Version: '{__version__}'", f" Follows: '{followed}'"]
    lines.append(" Features:")
    lines += [f"  - {feature}" for feature in FEATURES]
    return "\n".join(lines) + "\n"
