# SPDX-License-Identifier: Apache-2.0
"""The other end of the control socket: ask, and listen."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from ostrya.uptane.client.control.protocol import Word, encode_request
from ostrya.uptane.client.errors import ControlRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from ostrya.uptane.client.control.protocol import Request
    from ostrya.uptane.metadata.json_text import Object

_MAX_BYTES = 1024 * 1024


class ControlClient:
    """A connection to a running client."""

    def __init__(self, path: str, timeout_s: float | None = 30) -> None:
        """Connect.

        Raises:
            ControlRefused: No client runs, or we may not speak to it.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(path)
        except OSError as exc:
            self._socket.close()
            hint = "start it: systemctl start ostrya-ota, or ostrya ota run"
            if isinstance(exc, PermissionError):
                hint = "only root may, and members of the group that [control] names"
            raise ControlRefused(
                "no-client",
                f"no client can be spoken to at {path}: {exc.strerror or exc}",
                hint,
            ) from exc
        self._file = self._socket.makefile("rb")

    def ask(self, request: Request) -> Object:
        """Ask, and return what is said to it; events that come meanwhile are left out.

        Raises:
            ControlRefused: The client refuses, or hangs up.
        """
        self._socket.sendall(encode_request(request))
        for line in self.lines():
            if "event" not in line:
                return _result(line)
        raise ControlRefused("hung-up", "the client hung up")

    def run(self, request: Request) -> Iterator[Object]:
        """Ask for something that takes a while, and yield what happens until it is over."""
        self._socket.settimeout(None)
        from ostrya.uptane.client.control.protocol import Request as Asked

        self.ask(Asked(Word.SUBSCRIBE))
        ticket = self.ask(request).get("ticket")
        for line in self.lines():
            if "event" in line:
                yield line
                if line["event"] == "finished" and line.get("ticket") == ticket:
                    return
        raise ControlRefused("hung-up", "the client hung up before it was done")

    def lines(self) -> Iterator[Object]:
        """Yield what comes, line by line."""
        while True:
            try:
                data = self._file.readline(_MAX_BYTES)
            except (TimeoutError, OSError) as exc:
                raise ControlRefused("no-answer", f"the client does not answer: {exc}") from exc
            if not data:
                return
            try:
                found = json.loads(data)
            except ValueError:
                raise ControlRefused("no-client", "what answers there is no client") from None
            if isinstance(found, dict):
                yield found

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _result(line: Object) -> Object:
    result, error = line.get("result"), line.get("error")
    if line.get("ok") is True and isinstance(result, dict):
        return result
    told = error if isinstance(error, dict) else {}
    raise ControlRefused(
        str(told.get("code", "unknown")),
        str(told.get("message", "the client refuses")),
        str(told.get("hint", "")),
    )
