# SPDX-License-Identifier: Apache-2.0
"""PKCS#12: what a server gives to a device, and what is in the credentials.zip."""

from __future__ import annotations

from ostrya.uptane.client.p12 import check_pair, read_p12
from ostrya.uptane.client.p12_work import rounds_of
from ostrya.uptane.errors import IdentityError


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read it; what it gives can be used, and is read again."""
    rounds_of(data)
    try:
        found = read_p12(data, "", "it")
        check_pair(found.cert, found.key, "it")
        found.common_name.encode("utf-8", "surrogatepass")
    except IdentityError as exc:
        exc.message.encode("utf-8", "surrogatepass")
        return exc
    return found
