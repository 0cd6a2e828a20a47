# SPDX-License-Identifier: Apache-2.0
"""Which commits the signed summary of a repository on this machine gives for refs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import PullError
from ostrya.formats.checksum import Checksum, is_checksum
from ostrya.formats.commitmeta import signatures_in
from ostrya.formats.summary import Summary
from ostrya.repo.errors import RefNotFound
from ostrya.repo.summary import read_summary
from ostrya.repo.summary_signing import read_summary_signatures
from ostrya.sign.errors import NoSignature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Verifier


def resolve_in_summary(
    source: Repository, names: Iterable[str], verifier: Verifier
) -> list[tuple[str, Checksum]]:
    """Return refs and commit checksums with the commits that the verified summary gives.

    A checksum stands for itself: whoever names it needs nobody to vouch for a ref.

    Raises:
        PullError: There is no summary.
        SignatureError: Nobody vouches for it.
        RefNotFound: It lacks a ref.
    """
    try:
        data = read_summary(source)
    except FileNotFoundError:
        raise PullError(
            "GPG verification enabled, but no summary found (use "
            "gpg-verify-summary=false in remote config to disable)"
        ) from None
    signatures = signatures_in(read_summary_signatures(source), verifier.metadata_key)
    if not signatures:
        raise NoSignature(
            "GPG verification enabled, but no summary signatures found (use "
            "gpg-verify-summary=false in remote config to disable)"
        )
    verifier.verify(data, signatures)
    summary = Summary.decode(data)
    return [(name, _find(summary, name)) for name in names]


def _find(summary: Summary, name: str) -> Checksum:
    if is_checksum(name):
        return Checksum(name)
    found = summary.find(name)
    if found is None:
        raise RefNotFound(name)
    return found.checksum
