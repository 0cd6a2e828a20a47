# SPDX-License-Identifier: Apache-2.0
"""What ``gpg`` says for programs: its status lines, and its listings of keys. Pure.

Source: GnuPG's doc/DETAILS; how GPGME reads the same lines.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import unquote

from ostrya.named_tuple import NamedTuple

_PREFIX = "[GNUPG:] "
# As GPGME names the algorithms of OpenPGP.
_ALGORITHMS = {
    1: "RSA", 2: "RSA-E", 3: "RSA-S", 16: "ELG-E", 17: "DSA", 18: "ECDH", 19: "ECDSA", 20: "ELG",
    22: "EdDSA",
}  # fmt: skip
_NO_PUBLIC_KEY = 9
_BINARY_DOCUMENT = "00"


class Verdict(StrEnum):
    """What became of one signature."""

    GOOD = "good"
    BAD = "bad"
    SIGNATURE_EXPIRED = "signature-expired"
    KEY_EXPIRED = "key-expired"
    KEY_REVOKED = "key-revoked"
    KEY_MISSING = "key-missing"


class GpgSignature(NamedTuple):
    """What ``gpg`` found out about one signature.

    Attributes:
        verdict: What became of it.
        fingerprint: Of the key or subkey that made it; its id if no more is known.
        primary_fingerprint: Of the primary key; empty where the key is not there.
        algorithm: Of the key.
        timestamp: When it was made; 0 where it is not known.
        expires: When it ends to be good; 0 for never.
        user_name: Of the key's first user.
        user_email: The same.
        key_expires: When the key or subkey ends to be good; 0 for never.
        primary_expires: The same for the primary key.
    """

    verdict: Verdict
    fingerprint: str
    primary_fingerprint: str = ""
    algorithm: str = "[unknown name]"
    timestamp: int = 0
    expires: int = 0
    user_name: str = "[unknown name]"
    user_email: str = "[unknown email]"
    key_expires: int = 0
    primary_expires: int = 0


class Subkey(NamedTuple):
    """A primary key or a subkey, as listed.

    Attributes:
        fingerprint: Its name.
        created: When it was made.
        expires: When it ends to be good; 0 for never.
        revoked: Whether its owner has revoked it.
        expired: Whether its time is over.
        invalid: Whether it cannot be used for another reason.
    """

    fingerprint: str
    created: int = 0
    expires: int = 0
    revoked: bool = False
    expired: bool = False
    invalid: bool = False


# As GPGME sees it: what has other letters or another @ is a name.
_ADDRESS = re.compile(r"[^\s<>()@\x80-\U0010ffff]+@[^\s<>()@\x80-\U0010ffff]+")


class UserId(NamedTuple):
    """One of a key's users, as listed."""

    text: str
    revoked: bool = False
    invalid: bool = False

    @property
    def name(self) -> str:
        """What stands before the comment and the address; empty where all is an address."""
        if _ADDRESS.fullmatch(self.text):
            return ""
        return re.split(r"[<(]", self.text, maxsplit=1)[0].strip()

    @property
    def email(self) -> str:
        """What stands in angle brackets, or all where it is nothing but an address."""
        if _ADDRESS.fullmatch(self.text):
            return self.text
        found = re.search(r"<([^>]*)>", self.text)
        return found[1].strip() if found else ""

    @property
    def address(self) -> str:
        """The mail address; empty where there is none, or more than one at sign."""
        address = self.email or ("" if " " in self.text else self.text)
        local, _, domain = address.partition("@")
        return address if local and domain and "@" not in domain else ""


class GpgKey(NamedTuple):
    """A key, as listed.

    Attributes:
        subkeys: The primary key first.
        users: Its users, the primary one first.
    """

    subkeys: tuple[Subkey, ...]
    users: tuple[UserId, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Of the primary key."""
        return self.subkeys[0].fingerprint

    def find(self, fingerprint: str) -> Subkey | None:
        """Find a key or subkey by its fingerprint or its id."""
        for subkey in self.subkeys:
            if subkey.fingerprint.endswith(fingerprint):
                return subkey
        return None


# ------------------------------------------------------------------------ signatures

_VERDICTS = {
    "GOODSIG": Verdict.GOOD,
    "BADSIG": Verdict.BAD,
    "EXPSIG": Verdict.SIGNATURE_EXPIRED,
    "EXPKEYSIG": Verdict.KEY_EXPIRED,
    "REVKEYSIG": Verdict.KEY_REVOKED,
}


def parse_signatures(output: bytes) -> list[GpgSignature]:
    """Return what the status lines of ``gpg --verify`` say of each signature."""
    groups: list[list[list[str]]] = []
    for words in _status_lines(output):
        if words[0] == "NEWSIG":
            groups.append([])
        elif groups:
            groups[-1].append(words)
    found = (_read_signature(group) for group in groups)
    return [signature for signature in found if signature is not None]


def count_imported(output: bytes) -> int:
    """Return how many keys were new, by the status lines of ``gpg --import``."""
    for words in _status_lines(output):
        if words[0] == "IMPORT_RES":
            return _number(words, 3)
    return 0


def _status_lines(output: bytes) -> list[list[str]]:
    lines = output.decode("utf-8", "replace").split("\n")
    found = [line[len(_PREFIX) :].split() for line in lines if line.startswith(_PREFIX)]
    return [words for words in found if words]


def _read_signature(group: list[list[str]]) -> GpgSignature | None:
    verdict: Verdict | None = None
    signature = GpgSignature(Verdict.BAD, "")
    confirmed = False
    for words in group:
        if words[0] in _VERDICTS:
            # Two verdicts about one signature are one too many.
            verdict = Verdict.BAD if verdict is not None else _VERDICTS[words[0]]
            signature = signature._replace(fingerprint=_word(words, 1))
        elif words[0] == "ERRSIG":
            missing = _number(words, 6) == _NO_PUBLIC_KEY
            verdict = Verdict.KEY_MISSING if missing else Verdict.BAD
            signature = _unchecked(words)
        elif words[0] == "VALIDSIG":
            confirmed = _word(words, 9) == _BINARY_DOCUMENT
            signature = signature._replace(
                fingerprint=_word(words, 1),
                timestamp=_number(words, 3),
                expires=_number(words, 4),
                algorithm=_ALGORITHMS.get(_number(words, 7), "[unknown name]"),
                primary_fingerprint=_word(words, 10),
            )
    if verdict is None:
        return None
    if verdict is Verdict.GOOD and not confirmed:
        verdict = Verdict.BAD
    return signature._replace(verdict=verdict)


def _unchecked(words: list[str]) -> GpgSignature:
    fingerprint = _word(words, 7).strip("-") or _word(words, 1)
    algorithm = _ALGORITHMS.get(_number(words, 2), "[unknown name]")
    return GpgSignature(Verdict.BAD, fingerprint, algorithm=algorithm, timestamp=_number(words, 5))


# ------------------------------------------------------------------------------ keys


def parse_keys(output: bytes) -> list[GpgKey]:
    """Return the keys of a listing ``gpg --with-colons``, of public or of secret keys."""
    found: list[tuple[list[Subkey], list[UserId]]] = []
    unnamed: Subkey | None = None
    for line in output.decode("utf-8", "replace").split("\n"):
        fields = line.split(":")
        kind, flags = fields[0], _word(fields, 1)
        if kind in {"pub", "sec"}:
            found.append(([], []))
        if not found:
            continue
        if kind in {"pub", "sec", "sub", "ssb"}:
            unnamed = Subkey(
                _word(fields, 4), _number(fields, 5), _number(fields, 6),
                "r" in flags, "e" in flags, "i" in flags,
            )  # fmt: skip
        elif kind == "fpr" and unnamed is not None:
            found[-1][0].append(unnamed._replace(fingerprint=_word(fields, 9)))
            unnamed = None
        elif kind == "uid":
            found[-1][1].append(UserId(_unescape(_word(fields, 9)), "r" in flags, "i" in flags))
    return [GpgKey(tuple(subkeys), tuple(users)) for subkeys, users in found if subkeys]


def with_key(signature: GpgSignature, key: GpgKey) -> GpgSignature:
    """Add to a signature what its key says."""
    made_by = key.find(signature.fingerprint)
    signature = signature._replace(
        primary_fingerprint=key.fingerprint,
        key_expires=made_by.expires if made_by else 0,
        primary_expires=key.subkeys[0].expires,
    )
    if key.users:
        user = key.users[0]
        signature = signature._replace(user_name=user.name, user_email=user.email)
    return signature


def _unescape(text: str) -> str:
    # Colons and control characters come as \x3a.
    return unquote(re.sub(r"\\x([0-9a-fA-F]{2})", r"%\1", text.replace("%", "%25")))


def _word(words: list[str], index: int) -> str:
    return words[index] if index < len(words) else ""


def _number(words: list[str], index: int) -> int:
    word = _word(words, index)
    return int(word) if word.isascii() and word.isdigit() and len(word) < 20 else 0
