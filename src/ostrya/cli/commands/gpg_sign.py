# SPDX-License-Identifier: Apache-2.0
"""``gpg-sign``: sign a commit with OpenPGP keys, or delete their signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_line
from ostrya.cli.signing import GPG_HOMEDIR
from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES
from ostrya.repo.keyrings import all_keyrings
from ostrya.repo.reader import load_commit_bytes
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import require_writable
from ostrya.repo.signing import commit_signatures, delete_commit_signatures, sign_commit
from ostrya.sign.gpg import GpgSigner, GpgVerifier

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

PARAMETERS = "COMMIT KEY-ID..."
OPTIONS = (
    flag("delete", "Delete the signatures made by any of the keys", short="d"),
    GPG_HOMEDIR,
)


def run(arguments: Arguments, context: Context) -> int:
    """Sign, or delete."""
    if not arguments.positionals:
        raise context.usage_error("Need a COMMIT to sign")
    rev, *key_ids = arguments.positionals
    if not key_ids:
        raise context.usage_error("Need at least one GPG KEY-ID to sign with")
    repo = context.repo
    checksum = require_rev(repo, rev)
    require_writable(repo)
    homedir = arguments.text("gpg-homedir")
    if arguments.flag("delete"):
        deleted = _delete(repo, checksum, key_ids, homedir)
        write_line(f"Signatures deleted: {deleted}")
        return 0
    for key_id in key_ids:
        sign_commit(repo, checksum, GpgSigner(key_id, homedir))
    return 0


def _delete(repo: Repository, checksum: Checksum, key_ids: list[str], homedir: str | None) -> int:
    signatures = commit_signatures(repo, checksum, KEY_GPG_SIGNATURES)
    if not signatures:
        return 0
    verifier = GpgVerifier(all_keyrings(repo, extra_dir=homedir))
    answers = verifier.made_by(load_commit_bytes(repo, checksum), signatures, key_ids)
    unwanted = {one for one, is_theirs in zip(signatures, answers, strict=True) if is_theirs}
    return delete_commit_signatures(repo, checksum, KEY_GPG_SIGNATURES, unwanted.__contains__)
