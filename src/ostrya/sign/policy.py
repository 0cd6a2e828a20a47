# SPDX-License-Identifier: Apache-2.0
"""What a remote's settings demand of signatures, and whether what was found meets it. Pure.

::

    sign-verify = false | (empty)     nothing
    sign-verify = true                any engine may vouch
    sign-verify = ed25519;spki        one of these, and each must have a key

Source: ostree-repo-pull-verify.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import SignatureError
from ostrya.named_tuple import NamedTuple
from ostrya.sign.errors import NoSignature

if TYPE_CHECKING:
    from collections.abc import Iterable

ENGINES = ("ed25519", "spki", "dummy")
"""Those that ``sign-verify`` can name, in the order in which ``true`` tries them."""


class Demand(NamedTuple):
    """What a setting asks for.

    Attributes:
        engines: One of these must vouch; empty when nobody has to.
        keys_required: Whether each engine must have a key in the remote's settings; without, the
            keys of the system are used.
    """

    engines: tuple[str, ...] = ()
    keys_required: bool = False


def parse_demand(value: str | None) -> Demand:
    """Read a remote's ``sign-verify`` or ``sign-verify-summary``.

    Raises:
        SignatureError: It names an engine that does not exist.
    """
    if value is None or value in {"", "false", "0"}:
        return Demand()
    if value in {"true", "1"}:
        return Demand(ENGINES)
    separator = ";" if ";" in value else ","
    names = tuple(name for name in map(str.strip, value.split(separator)) if name)
    for name in names:
        require_engine(name)
    if not names:
        raise SignatureError(f"sign-verify: no signature type in '{value}'")
    return Demand(names, keys_required=True)


def require_engine(name: str) -> None:
    """Refuse the name of an engine that does not exist.

    Raises:
        SignatureError: It does not.
    """
    if name not in ENGINES:
        # The sentence is libostree's: there is no engine of that name.
        raise SignatureError(
            "Requested signature type is not implemented", hint=f"there are {', '.join(ENGINES)}"
        )


def accept_any(results: Iterable[str | SignatureError | None]) -> str:
    """Return the first sentence of success among what the engines found.

    Args:
        results: Of each engine, its sentence, or why it refuses, or None where there was no
            signature of its kind. What comes after a success is not asked for.

    Raises:
        NoSignature: No engine found any.
        SignatureError: The first refusal, with the number of the others before it.
    """
    refusals: list[SignatureError] = []
    for result in results:
        if isinstance(result, str):
            return result
        if result is not None:
            refusals.append(result)
    if not refusals:
        raise NoSignature("No signatures found")
    first = refusals[0]
    if len(refusals) > 1:
        first.put_first(f"({len(refusals) - 1} other invalid signatures)")
    raise first
