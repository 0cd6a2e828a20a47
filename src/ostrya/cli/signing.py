# SPDX-License-Identifier: Apache-2.0
"""Signing as several verbs do it: their options, and the keys that these name."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.cli.options import Option, text, texts
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer
    from ostrya.sign.gpg_status import GpgSignature

GPG_HOMEDIR = text("gpg-homedir", "HOMEDIR", "Where gpg keeps the keys, instead of its default")
SIGN_TYPE = text("sign-type", "NAME", "Engine of --sign: ed25519 (the default), spki or dummy")


def sign_options(what: str) -> tuple[Option, ...]:
    """Declare the options of a verb that signs what it makes."""
    return (
        texts("gpg-sign", "KEY-ID", f"Sign {what} with this OpenPGP key"),
        GPG_HOMEDIR,
        texts("sign", "KEY-ID", f"Sign {what} with this secret key"),
        SIGN_TYPE,
    )


def make_signers(repo: Repository, arguments: Arguments) -> list[Signer]:
    """Return the signers that the options ask for, in libostree's order.

    Raises:
        SignatureError: There is no such engine, or a key is none.
        OSError: A key file cannot be read.
    """
    return [*_make_key_signers(repo, arguments), *_make_gpg_signers(arguments)]


def _make_key_signers(repo: Repository, arguments: Arguments) -> list[Signer]:
    keys: list[str | bytes] = list(arguments.texts("sign"))
    paths = arguments.texts("sign-from-file") if arguments.has("sign-from-file") else []
    if not keys and not paths:
        return []
    from ostrya.sign.engine import DEFAULT_ENGINE, make_signer
    from ostrya.sign.policy import require_engine
    from ostrya.sign.trust import load_secret_keys_file

    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    require_engine(engine)
    # One key of each file, as libostree takes them.
    keys += [load_secret_keys_file(engine, path)[0] for path in paths]
    allow_dummy = repo.runtime.dummy_signatures
    return [make_signer(engine, key, allow_dummy=allow_dummy) for key in keys]


def _make_gpg_signers(arguments: Arguments) -> list[Signer]:
    key_ids = arguments.texts("gpg-sign")
    if not key_ids:
        return []
    from ostrya.sign.gpg import GpgSigner

    homedir = arguments.text("gpg-homedir")
    return [GpgSigner(key_id, homedir) for key_id in key_ids]


def read_keyring(path: str) -> bytes:
    """Return the content of a keyring that the user names.

    Raises:
        InvalidKey: It is too large.
        OSError: It cannot be read.
    """
    from ostrya.sign.errors import InvalidKey
    from ostrya.sign.openpgp import MAX_KEYRING_BYTES

    with open(path, "rb") as stream:
        data = stream.read(MAX_KEYRING_BYTES + 1)
    if len(data) > MAX_KEYRING_BYTES:
        raise InvalidKey(f"{path} is larger than {MAX_KEYRING_BYTES >> 20} MiB")
    return data


def print_imported(remote: str, count: int) -> None:
    """Say how many keys are new in the keyring of a remote."""
    plural = "" if count == 1 else "s"
    write_line(f'Imported {count} GPG key{plural} to remote "{remote}"')


def use_local_dates() -> None:
    """Let dates be written as the user's locale has them."""
    import locale

    # A locale that is not installed leaves them as they are.
    with suppress(locale.Error):
        locale.setlocale(locale.LC_TIME, "")


def signatures_as_json(signatures: list[GpgSignature]) -> list[dict[str, object]]:
    """Return OpenPGP signatures as the values that ``--json`` prints."""
    return [one._asdict() for one in signatures]
