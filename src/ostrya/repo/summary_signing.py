# SPDX-License-Identifier: Apache-2.0
"""Signatures on the summary: ``summary.sig``, which covers the bytes of ``summary``.

It is an ``a{sv}`` of the engines' metadata keys to ``aay``, as beside a commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, read_file
from ostrya._linux.naming import names_repo
from ostrya.errors import FormatError, RepoError
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta, signatures_in
from ostrya.repo.signing import add_signature
from ostrya.repo.summary import SUMMARY_SIGNATURES, read_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.formats.gvariant.vardict import VarDict
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer, Verifier

MAX_SIGNATURES_BYTES = 128 << 20


def sign_summary(repo: Repository, signers: Iterable[Signer]) -> None:
    """Add signatures to those of the repository's summary.

    Raises:
        FileNotFoundError: There is no summary.
        SignatureError: A signature could not be made; then none is written.
    """
    data = read_summary(repo)
    metadata = read_summary_signatures(repo)
    for signer in signers:
        metadata = add_signature(metadata, data, signer)
    if metadata is not None:
        encoded = encode_commitmeta(metadata)
        durable = repo.config.fsync
        replace_file(SUMMARY_SIGNATURES, encoded, dir_fd=repo.dir_fd, durable=durable)


def verify_summary(repo: Repository, verifier: Verifier) -> str:
    """Return the sentence about who vouches for the repository's own summary.

    Raises:
        FileNotFoundError: There is no summary.
        SignatureError: Nobody does.
    """
    metadata = read_summary_signatures(repo)
    signatures = signatures_in(metadata, verifier.metadata_key) or ()
    return verifier.verify(read_summary(repo), signatures)


@names_repo
def read_summary_signatures(repo: Repository) -> VarDict | None:
    """Return the signatures of the repository's own summary, None if it is unsigned.

    Raises:
        RepoError: The file is too large.
        FormatError: It is no dictionary.
    """
    try:
        data = read_file(SUMMARY_SIGNATURES, dir_fd=repo.dir_fd, max_bytes=MAX_SIGNATURES_BYTES)
    except FileNotFoundError:
        return None
    except FileTooLargeError:
        raise RepoError(f"{SUMMARY_SIGNATURES} of repo {repo.path} is too large") from None
    try:
        return decode_commitmeta(data)
    except FormatError as exc:
        exc.put_first(f"{repo.path}/{SUMMARY_SIGNATURES}")
        raise
