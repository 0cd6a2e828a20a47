# SPDX-License-Identifier: Apache-2.0
"""OpenPGP signatures and keys as libostree prints them.

Dates are in the local zone, in the form that the process's locale prefers.

Source: ostree-gpg-verify-result.c (describe_variant), ot-dump.c (ot_dump_gpg_key),
ot-gpg-utils.c (ot_gpg_wkd_urls).
"""

from __future__ import annotations

import hashlib
import locale
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya.sign.gpg_status import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.sign.gpg_status import GpgKey, GpgSignature, Subkey

_END_OF_9999 = 253402300799
_ID_LENGTH = 16
_FIGURE_SPACE = "\N{FIGURE SPACE}"
_ZBASE32 = "ybndrfg8ejkmcpqxot1uwisza345h769"


def describe_signature(signature: GpgSignature, prefix: str = "") -> str:
    """Return the lines about one signature."""
    made = format_time(signature.timestamp)
    if made is None:
        return f"Can't check signature: timestamp {signature.timestamp} is invalid\n"
    who = signature.fingerprint[-_ID_LENGTH:]
    lines = [f"Signature made {made} using {signature.algorithm} key ID {who}"]
    lines.append(_verdict_line(signature))
    primary = signature.primary_fingerprint
    is_subkey = signature.fingerprint != primary
    if signature.verdict is not Verdict.KEY_MISSING and is_subkey:
        lines.append(f"Primary key ID {primary[-_ID_LENGTH:]}")
    key_expired = signature.verdict is Verdict.KEY_EXPIRED
    if signature.expires:
        expired = signature.verdict is Verdict.SIGNATURE_EXPIRED
        lines.append(_expiry_line("Signature", signature.expires, expired=expired))
    if signature.key_expires:
        lines.append(_expiry_line("Key", signature.key_expires, expired=key_expired))
    if signature.primary_expires and is_subkey:
        when = signature.primary_expires
        lines.append(_expiry_line("Primary key", when, expired=key_expired))
    return "".join(f"{prefix}{line}\n" for line in lines)


def describe_signatures(
    signatures: Sequence[GpgSignature], where: str = "", *, found: str = "Found"
) -> str:
    """Return the lines about all signatures, below one that counts them."""
    count = len(signatures)
    plural = "" if count == 1 else "s"
    head = f"{found} {count} signature{plural}{where}:\n"
    return head + "".join("\n" + describe_signature(one, "  ") for one in signatures)


def describe_key(key: GpgKey) -> str:
    """Return the lines about one key: itself, its users, its subkeys."""
    text = _describe_subkey("Key", key.subkeys[0], "  ")
    for user in key.users:
        flags = _flags(revoked=user.revoked, invalid=user.invalid)
        advanced, direct = update_urls(user.address)
        text += f"  UID: {user.text}{flags}\n"
        text += f"  Advanced update URL: {advanced}\n  Direct update URL: {direct}\n"
    return text + "".join(_describe_subkey("  Subkey", one, "    ") for one in key.subkeys[1:])


def update_urls(address: str) -> tuple[str, str]:
    """Return where the Web Key Directory has the key of a mail address; empty texts for none."""
    if not address:
        return "", ""
    local, _, domain = address.partition("@")
    digest = hashlib.sha1(_lower(local).encode(), usedforsecurity=False).digest()
    name = f"{_zbase32(digest)}?l={quote(local, safe='')}"
    folder = ".well-known/openpgpkey"
    return (
        f"https://openpgpkey.{domain}/{folder}/{_lower(domain)}/hu/{name}",
        f"https://{domain}/{folder}/hu/{name}",
    )


def format_time(timestamp: int) -> str | None:
    """Return a time in the local zone, None for one after the year 9999."""
    if timestamp > _END_OF_9999:
        return None
    local = time.localtime(timestamp)
    form = locale.nl_langinfo(locale.D_T_FMT)
    if locale.nl_langinfo(locale.CODESET) == "UTF-8":
        # As GLib pads the day.
        form = form.replace("%e", f"{local.tm_mday:{_FIGURE_SPACE}>2}")
    return time.strftime(form, local)


def _verdict_line(signature: GpgSignature) -> str:
    who = f'"{signature.user_name} <{signature.user_email}>"'
    match signature.verdict:
        case Verdict.KEY_MISSING:
            return "Can't check signature: public key not found"
        case Verdict.GOOD:
            return f"Good signature from {who}"
        case Verdict.KEY_REVOKED:
            return "Key revoked"
        case Verdict.SIGNATURE_EXPIRED:
            return f"Expired signature from {who}"
        case _:
            return f"BAD signature from {who}"


def _expiry_line(what: str, timestamp: int, *, expired: bool) -> str:
    when = format_time(timestamp)
    if when is None:
        return f"{what} expiry timestamp ({timestamp}) is invalid"
    return f"{what} {'expired' if expired else 'expires'} {when}"


def _describe_subkey(title: str, key: Subkey, indent: str) -> str:
    text = f"{title}: {key.fingerprint}{_flags(revoked=key.revoked, invalid=key.invalid)}\n"
    text += f"{indent}Created: {format_time(key.created) or 'invalid'}\n"
    if key.expires:
        word = "Expired" if key.expired else "Expires"
        text += f"{indent}{word}: {format_time(key.expires) or 'invalid'}\n"
    return text


def _flags(*, revoked: bool, invalid: bool) -> str:
    return (" (revoked)" if revoked else "") + (" (invalid)" if invalid else "")


def _lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _zbase32(data: bytes) -> str:
    bits = int.from_bytes(data, "big")
    count = len(data) * 8 // 5
    return "".join(_ZBASE32[bits >> 5 * at & 31] for at in reversed(range(count)))
