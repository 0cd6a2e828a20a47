# SPDX-License-Identifier: Apache-2.0
"""Summaries with their signatures: the source's own, and new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.dirfd import read_file
from ostrya.formats.commitmeta import encode_commitmeta
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.pull.errors import PushRefused
from ostrya.repo.reader import MAX_METADATA_BYTES
from ostrya.repo.signing import add_signature
from ostrya.repo.summary import SUMMARY_SIGNATURES, read_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer


def read_source_summary(source: Repository) -> tuple[bytes, bytes | None]:
    """Return a repository's own summary, and its signature if it has one.

    Raises:
        PushRefused: It has none.
    """
    try:
        summary = read_summary(source)
    except FileNotFoundError:
        raise PushRefused(
            f"{source.path} has no summary to copy", hint="write it with: ostrya summary -u"
        ) from None
    try:
        signatures = read_file(
            SUMMARY_SIGNATURES, dir_fd=source.dir_fd, max_bytes=MAX_METADATA_BYTES
        )
    except FileNotFoundError:
        return summary, None
    return summary, signatures


def sign_summary(summary: bytes, signers: Sequence[Signer]) -> bytes | None:
    """Return the bytes of ``summary.sig``; None if nobody signs.

    Raises:
        SignatureError: A signature could not be made.
    """
    if not signers:
        return None
    metadata = VarDict()
    for signer in signers:
        metadata = add_signature(metadata, summary, signer)
    return encode_commitmeta(metadata)
