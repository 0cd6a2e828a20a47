# SPDX-License-Identifier: Apache-2.0
"""``sign``: sign a commit, verify its signatures, or delete some.

To sign, a KEY-ID is a secret key in base64; to verify, a public one. To delete signatures, it may
be either. Without keys, those of the system verify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.errors import SignatureError
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import require_writable
from ostrya.repo.signing import delete_commit_signatures, sign_commit, verify_commit
from ostrya.sign.engine import DEFAULT_ENGINE, make_signer, make_verifier
from ostrya.sign.keys import parse_key_argument
from ostrya.sign.matching import TrustedKeys
from ostrya.sign.policy import require_engine
from ostrya.sign.trust import (
    SYSTEM_DIRS,
    load_keys_file,
    load_secret_keys_file,
    load_trusted_keys,
)

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Verifier

PARAMETERS = "COMMIT KEY-ID..."
OPTIONS = (
    flag("delete", "Delete the signatures made by any of the keys", short="d"),
    flag("verify", "Verify signatures"),
    text("sign-type", "NAME", "Engine: ed25519 (the default), spki or dummy", short="s"),
    text("keys-file", "FILE", "Take keys from this file"),
    text("keys-dir", "PATH", "With --verify, trusted and revoked keys are below this directory"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Sign, verify or delete."""
    if not arguments.positionals:
        raise context.usage_error("Need a COMMIT to sign or verify")
    rev, *keys = arguments.positionals
    path = arguments.text("keys-file")
    if not arguments.flag("verify") and path is None and not keys:
        raise context.usage_error("Need at least one KEY-ID to sign with")
    repo = context.repo
    checksum = require_rev(repo, rev)
    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    require_engine(engine)
    if arguments.flag("verify"):
        write_line(_verify(repo, checksum, engine, keys, arguments))
    elif arguments.flag("delete"):
        require_writable(repo)
        deleted = _delete(repo, checksum, engine, keys, path)
        write_line(f"Signatures deleted: {deleted}")
    else:
        require_writable(repo)
        _sign(repo, checksum, engine, keys, path)
    return 0


def _sign(
    repo: Repository, checksum: Checksum, engine: str, keys: list[str], path: str | None
) -> None:
    secrets: list[str | bytes] = [*keys]
    if path is not None:
        secrets += load_secret_keys_file(engine, path)
    allow_dummy = repo.runtime.dummy_signatures
    signers = [make_signer(engine, secret, allow_dummy=allow_dummy) for secret in secrets]
    for signer in signers:
        sign_commit(repo, checksum, signer)


# ---------------------------------------------------------------------------- verify


def _verify(
    repo: Repository, checksum: Checksum, engine: str, keys: list[str], arguments: Arguments
) -> str:
    named = [parse_key_argument(engine, key) for key in keys]
    for key in named:
        try:
            verifier = _verifier(repo, engine, TrustedKeys((key,)))
            return verify_commit(repo, checksum, verifier)
        except SignatureError:
            continue
    path = arguments.text("keys-file")
    if path is not None:
        trusted = TrustedKeys((*load_keys_file(engine, path), *named[-1:]))
    elif not named:
        keys_dir = arguments.text("keys-dir")
        trusted = load_trusted_keys(engine, SYSTEM_DIRS if keys_dir is None else (keys_dir,))
    else:
        raise SignatureError("No valid signatures found")
    return verify_commit(repo, checksum, _verifier(repo, engine, trusted))


def _verifier(repo: Repository, engine: str, trusted: TrustedKeys) -> Verifier:
    return make_verifier(engine, trusted, allow_dummy=repo.runtime.dummy_signatures)


# ---------------------------------------------------------------------------- delete


def _delete(
    repo: Repository, checksum: Checksum, engine: str, keys: list[str], path: str | None
) -> int:
    from ostrya.repo.reader import load_commit_bytes
    from ostrya.sign.trust import load_any_keys_file, public_form

    given = [parse_key_argument(engine, key) for key in keys]
    if path is not None:
        given += load_any_keys_file(engine, path)
    public = tuple(public_form(engine, key) for key in given)
    verifier = _verifier(repo, engine, TrustedKeys(public))
    data = load_commit_bytes(repo, checksum)

    def unwanted(signature: bytes) -> bool:
        try:
            verifier.verify(data, [signature])
        except SignatureError:
            return False
        return True

    return delete_commit_signatures(repo, checksum, verifier.metadata_key, unwanted)
