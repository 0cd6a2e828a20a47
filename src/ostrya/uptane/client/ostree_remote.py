# SPDX-License-Identifier: Apache-2.0
"""The server that has commits, as a remote that no file describes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ostrya.uptane.client.server import Treehub

REMOTE, REF = "ostrya-ota", "target"
"""What was pulled last is ``ostrya-ota:target``."""


def remote_settings(treehub: Treehub) -> dict[str, str]:
    """Return the settings of a remote that pulls from there.

    Nothing is signed there: Director and Image repository vouch for the checksum of the commit.
    """
    found = {
        "url": treehub.url,
        "gpg-verify": "false",
        "gpg-verify-summary": "false",
        "tls-ca-path": treehub.ca_path,
        "tls-client-cert-path": treehub.cert_path,
        "tls-client-key-path": treehub.key_path,
        "proxy": treehub.proxy,
    }
    return {key: value for key, value in found.items() if value}
