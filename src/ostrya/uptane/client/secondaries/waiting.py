# SPDX-License-Identifier: Apache-2.0
"""Where a Primary waits at its start for ECUs that come up later: they connect, and are asked.

Aktualizr's secondaries do so once, before they listen themselves. Who connects is taken for the ECU
that is expected at that address; nobody else is spoken to.
"""

from __future__ import annotations

import logging
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.uptane.client.secondaries.link import Connection, client_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from ostrya.uptane.client.secondaries.link import Address

log = logging.getLogger(__name__)

_MAX_ANSWER_BYTES = 64 * 1024
_PATIENCE_S = 10.0
_MAPPED = "::ffff:"


class Waiting:
    """Listens for ECUs while it is open."""

    def __init__(self, port: int, host: str = "") -> None:
        """Listen.

        Args:
            port: Of TCP; 0 for any that is free.
            host: Where; empty for everywhere.

        Raises:
            OSError: There is somebody already.
        """
        both = not host and socket.has_dualstack_ipv6()
        self._listener = (
            socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
            if both
            else socket.create_server((host, port))
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        found: int = self._listener.getsockname()[1]
        return found

    def next(
        self,
        expected: Iterable[Address],
        ask: Callable[[Address, Connection], None],
        timeout_s: float,
    ) -> None:
        """Wait for one connection; if it is an expected ECU's, let it be asked.

        Args:
            expected: Where ECUs are that are waited for.
            ask: Asks one over its connection; its errors are its own business.
            timeout_s: How long to wait.
        """
        self._listener.settimeout(timeout_s)
        try:
            peer, found = self._listener.accept()
        except OSError:
            return
        with peer:
            host = str(found[0]).removeprefix(_MAPPED)
            address = next((one for one in expected if host in _numbers(one.host)), None)
            if address is None:
                log.warning("nobody is waited for at this address host=%s", host)
                return
            peer.settimeout(_PATIENCE_S)
            try:
                if address.tls is None:
                    ask(address, Connection(peer, _MAX_ANSWER_BYTES))
                    return
                with client_context(address.tls).wrap_socket(peer) as secure:
                    ask(address, Connection(secure, _MAX_ANSWER_BYTES))
            except (OSError, ssl.SSLError) as exc:
                log.warning("an ECU that came is not to be believed host=%s error=%s", host, exc)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _numbers(host: str) -> set[str]:
    found = {host}
    with suppress(OSError, UnicodeError):
        found |= {str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return found
