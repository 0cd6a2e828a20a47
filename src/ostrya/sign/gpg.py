# SPDX-License-Identifier: Apache-2.0
"""OpenPGP signatures, through the program ``gpg``.

A signature counts when ``gpg`` calls it good: made over exactly these bytes by a key in one of the
keyrings, with neither the signature nor the key expired or revoked. There is no web of trust: who
is in the keyring is trusted.

Source: ostree-gpg-verifier.c, ostree-gpg-verify-result.c, ostree-repo.c (sign_data).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES
from ostrya.sign.errors import (
    BadSignature,
    InvalidKey,
    KeyExpired,
    KeyRevoked,
    NoSignature,
    SignatureExpired,
    SigningFailed,
    UntrustedKey,
)
from ostrya.sign.gpg_home import Keyrings, last_words, run_as_user, temporary_home
from ostrya.sign.gpg_status import (
    Verdict,
    count_imported,
    parse_keys,
    parse_signatures,
    with_key,
)
from ostrya.sign.gpg_text import describe_signature
from ostrya.sign.matching import MAX_SIGNATURES
from ostrya.sign.openpgp import MAX_SIGNATURES_BYTES, signature_packets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.errors import SignatureError
    from ostrya.sign.gpg_home import GpgHome
    from ostrya.sign.gpg_status import GpgKey, GpgSignature

_REFUSALS: dict[Verdict, type[SignatureError]] = {
    Verdict.BAD: BadSignature,
    Verdict.KEY_EXPIRED: KeyExpired,
    Verdict.KEY_MISSING: UntrustedKey,
    Verdict.KEY_REVOKED: KeyRevoked,
    Verdict.SIGNATURE_EXPIRED: SignatureExpired,
}
_LIST = ("--with-colons", "--fixed-list-mode", "--with-fingerprint", "--with-fingerprint")


class GpgVerifier:
    """Accepts signatures by keys in some keyrings."""

    name = "gpg"
    metadata_key = KEY_GPG_SIGNATURES

    def __init__(self, keyrings: Keyrings) -> None:
        self._keyrings = keyrings

    def verify(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> str:
        """Return libostree's description of all signatures, of which one at least is good.

        Raises:
            SignatureError: None is; the sentence describes all, the class is that of the last.
        """
        if not signatures:
            raise NoSignature(
                "GPG verification enabled, but no signatures found (use "
                "gpg-verify=false in remote config to disable)"
            )
        found = self.check(data, signatures)
        require_good(found)
        return "".join(map(describe_signature, found)).rstrip("\n")

    def check(self, data: bytes | memoryview, signatures: Sequence[bytes]) -> list[GpgSignature]:
        """Return what there is to say of each signature, good or not.

        Raises:
            BadSignature: What is there are no signatures.
            InvalidKey: A keyring is none.
        """
        packets = _all_packets(signatures)
        with temporary_home(self._keyrings) as home:
            return _check(home, data, packets)

    def made_by(
        self, data: bytes, signatures: Sequence[bytes], key_ids: Sequence[str]
    ) -> list[bool]:
        """Tell of each signature whether one of these keys claims to have made it.

        Raises:
            BadSignature: What is there are no signatures.
            InvalidKey: A keyring is none.
        """
        with temporary_home(self._keyrings) as home:
            primaries = {
                key.fingerprint for key_id in key_ids for key in _list_keys(home, [key_id])
            }
            answers = []
            for signature in signatures:
                found = _check(home, data, signature_packets(signature))
                answers.append(
                    any(
                        one.primary_fingerprint in primaries or _names(one, key_ids)
                        for one in found
                    )
                )
            return answers


class GpgSigner:
    """Signs with one of the user's keys."""

    name = "gpg"
    metadata_key = KEY_GPG_SIGNATURES

    def __init__(self, key_id: str, homedir: str | None = None) -> None:
        self._key_id = key_id
        self._homedir = homedir

    def sign(self, data: bytes, existing: Sequence[bytes] = ()) -> bytes:
        """Return the signature of some bytes.

        Raises:
            SigningFailed: There is no such key, it cannot be used, or it has signed already.
        """
        key = self._find_key()
        if existing:
            self._refuse_second(key, data, existing)
        # With an exclamation mark the user insists on this very subkey.
        user = self._key_id if self._key_id.endswith("!") else key.fingerprint
        result = run_as_user(
            self._homedir, "--status-fd=2", f"--local-user={user}", "--detach-sign", "--output=-",
            data=data,
        )  # fmt: skip
        if result.status != 0 or not result.stdout:
            raise SigningFailed(f"Failure signing commit file: GPG: {last_words(result)}")
        return result.stdout

    def _find_key(self) -> GpgKey:
        result = run_as_user(self._homedir, *_LIST, "--list-secret-keys", "--", self._key_id)
        keys = parse_keys(result.stdout)
        where = f"(homedir: {'<default>' if self._homedir is None else self._homedir})"
        if not keys:
            raise SigningFailed(f"No gpg key found with ID {self._key_id} {where}")
        if len(keys) > 1:
            raise SigningFailed(
                f"gpg key id {self._key_id} ambiguous {where}. Try the fingerprint instead"
            )
        return keys[0]

    def _refuse_second(self, key: GpgKey, data: bytes, existing: Sequence[bytes]) -> None:
        export = run_as_user(
            self._homedir, "--status-fd=2", "--export", "--", key.fingerprint
        )  # fmt: skip
        keyrings = Keyrings(((self._key_id, export.stdout),))
        found = GpgVerifier(keyrings).check(data, existing)
        if any(one.primary_fingerprint == key.fingerprint for one in found):
            raise SigningFailed(f"Commit is already signed with GPG key {self._key_id}")


def require_good(signatures: Sequence[GpgSignature]) -> None:
    """Refuse signatures of which none is good.

    Raises:
        SignatureError: The sentence describes all, the last first, whose class it is.
    """
    if any(one.verdict is Verdict.GOOD for one in signatures):
        return
    if not signatures:
        raise NoSignature("No GPG signatures found")
    described = "".join(describe_signature(one) for one in reversed(signatures))
    raise _REFUSALS[signatures[-1].verdict](described.rstrip("\n"))


def list_keys(keyrings: Keyrings) -> list[GpgKey]:
    """Return the keys in some keyrings.

    Raises:
        InvalidKey: A keyring is none.
    """
    with temporary_home(keyrings) as home:
        return _list_keys(home, [])


def import_keys(
    keyring: bytes, sources: Sequence[tuple[str, bytes]] | None, key_ids: Sequence[str] = ()
) -> tuple[bytes, int]:
    """Add keys to a keyring.

    Args:
        keyring: The content of the keyring so far.
        sources: Contents of keyrings, binary or armored, with their names; None for the user's
            own keys.
        key_ids: The keys to take; all if there are none.

    Returns:
        The new content, and how many keys were not in it before.

    Raises:
        InvalidKey: There is no such key, or something is no keyring.
    """
    keys = _exported_by_user(key_ids) if sources is None else _selected(sources, key_ids)
    with temporary_home(Keyrings((("keyring", keyring),))) as home:
        result = home.run("--import", data=keys)
        if b"IMPORT_RES" not in result.stdout:
            raise InvalidKey(f"GPG: Unable to import keys: {last_words(result)}")
        return home.read("pubring.gpg"), count_imported(result.stdout)


def _selected(sources: Sequence[tuple[str, bytes]], key_ids: Sequence[str]) -> bytes:
    with temporary_home(Keyrings(tuple(sources))) as home:
        for key_id in key_ids:
            if not _list_keys(home, [key_id]):
                raise InvalidKey(f'GPG: Unable to find key "{key_id}"')
        result = home.run("--status-fd=2", "--export", "--", *key_ids)
    if not result.stdout:
        raise InvalidKey("GPG: Unable to import keys: there are none")
    return result.stdout


def _exported_by_user(key_ids: Sequence[str]) -> bytes:
    for key_id in key_ids:
        found = run_as_user(None, *_LIST, "--list-keys", "--", key_id)
        if not parse_keys(found.stdout):
            raise InvalidKey(f'GPG: Unable to find key "{key_id}"')
    result = run_as_user(None, "--status-fd=2", "--export", "--", *key_ids)
    if not result.stdout:
        raise InvalidKey("GPG: Unable to import keys: there are none")
    return result.stdout


def _all_packets(signatures: Sequence[bytes]) -> list[bytes]:
    if sum(map(len, signatures)) > MAX_SIGNATURES_BYTES:
        raise BadSignature(f"GPG: signatures of more than {MAX_SIGNATURES_BYTES >> 20} MiB")
    packets = [packet for signature in signatures for packet in signature_packets(signature)]
    if len(packets) > MAX_SIGNATURES:
        raise BadSignature(f"GPG: more than {MAX_SIGNATURES} signatures")
    return packets


def _check(home: GpgHome, data: bytes | memoryview, packets: Sequence[bytes]) -> list[GpgSignature]:
    if not packets:
        return []
    path = home.write("signatures", b"".join(packets))
    result = home.run("--verify", "--", path, "-", data=data)
    found = parse_signatures(result.stdout)
    if not found:
        words = last_words(result)
        raise BadSignature(f"GPG: Unable to complete signature verification: {words}")
    wanted = {one.fingerprint for one in found if one.verdict is not Verdict.KEY_MISSING}
    keys = _list_keys(home, sorted(wanted)) if wanted else []
    return [_completed(one, keys) for one in found]


def _completed(signature: GpgSignature, keys: Sequence[GpgKey]) -> GpgSignature:
    if signature.verdict is not Verdict.KEY_MISSING:
        for key in keys:
            if key.find(signature.fingerprint) is not None:
                return with_key(signature, key)
    return signature


def _list_keys(home: GpgHome, key_ids: Sequence[str]) -> list[GpgKey]:
    return parse_keys(home.run(*_LIST, "--list-keys", "--", *key_ids).stdout)


def _names(signature: GpgSignature, key_ids: Sequence[str]) -> bool:
    ids = (key_id.removeprefix("0x").removesuffix("!").upper() for key_id in key_ids)
    return any(len(key_id) >= 8 and signature.fingerprint.endswith(key_id) for key_id in ids)
