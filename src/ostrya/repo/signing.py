# SPDX-License-Identifier: Apache-2.0
"""Signatures on commits: they are kept beside the commit, and cover its bytes.

``objects/ab/cd….commitmeta`` is an ``a{sv}`` of the engines' metadata keys to ``aay``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import FormatError
from ostrya.formats.commitmeta import signatures_in, with_signatures
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.reader import load_commit_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer, Verifier


def add_signature(metadata: VarDict | None, data: bytes, signer: Signer) -> VarDict:
    """Return a dictionary with one more signature of some bytes.

    Raises:
        SignatureError: It could not be made.
    """
    old = signatures_in(metadata, signer.metadata_key) or ()
    signature = signer.sign(data, old)
    return with_signatures(metadata or VarDict(), signer.metadata_key, (*old, signature))


def sign_commit(repo: Repository, checksum: Checksum, signer: Signer) -> None:
    """Add a signature to the detached metadata of a commit.

    During a transaction it becomes visible with the commit itself.

    Raises:
        ObjectNotFound: There is no such commit.
        SignatureError: The signature could not be made.
    """
    data = load_commit_bytes(repo, checksum)
    old = _read_commit_signatures(repo, checksum)
    write_detached(repo, checksum, add_signature(old, data, signer))


def verify_commit(repo: Repository, checksum: Checksum, verifier: Verifier) -> str:
    """Return the sentence about who vouches for a commit.

    Raises:
        ObjectNotFound: There is no such commit.
        SignatureError: Nobody does.
    """
    data = load_commit_bytes(repo, checksum)
    metadata = _read_commit_signatures(repo, checksum)
    return verifier.verify(data, signatures_in(metadata, verifier.metadata_key) or ())


def commit_signatures(
    repo: Repository, checksum: Checksum, metadata_key: str
) -> tuple[bytes, ...] | None:
    """Return the signatures of a commit under a key, None where there is no such key."""
    return signatures_in(_read_commit_signatures(repo, checksum), metadata_key)


def delete_commit_signatures(
    repo: Repository, checksum: Checksum, metadata_key: str, unwanted: Callable[[bytes], bool]
) -> int:
    """Delete signatures of a commit, and return how many there were.

    Args:
        repo: The repository.
        checksum: The commit.
        metadata_key: Of the engine whose signatures are looked at.
        unwanted: Tells of one signature whether it shall go.
    """
    metadata = _read_commit_signatures(repo, checksum)
    old = signatures_in(metadata, metadata_key)
    if metadata is None or old is None:
        return 0
    kept = tuple(signature for signature in old if not unwanted(signature))
    if len(kept) < len(old):
        write_detached(repo, checksum, with_signatures(metadata, metadata_key, kept))
    return len(old) - len(kept)


def _read_commit_signatures(repo: Repository, checksum: Checksum) -> VarDict | None:
    try:
        return read_detached(repo, checksum)
    except FormatError as exc:
        exc.put_first(f"Failed to read detached metadata of {checksum}")
        raise
