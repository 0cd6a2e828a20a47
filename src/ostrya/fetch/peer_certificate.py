# SPDX-License-Identifier: Apache-2.0
"""The certificate that a host shows, whoever it is: to say why it was not believed.

Nothing is sent there but the greeting of TLS, and nothing that comes is trusted.
"""

from __future__ import annotations

import socket
import ssl


def peer_certificate(host: str, port: int, timeout_s: float) -> bytes | None:
    """Return the certificate of a host, DER; None where none can be had.

    Args:
        host: Its name or address.
        port: Where.
        timeout_s: How long each step may take.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            return wrapped.getpeercert(binary_form=True)
    except (OSError, ValueError):
        return None
