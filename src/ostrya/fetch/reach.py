# SPDX-License-Identifier: Apache-2.0
"""Does an address answer? One question, one answer, one deadline."""

from __future__ import annotations

import re
import socket

_URL = re.compile(r"https?://", re.IGNORECASE)
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/\s]+):(?P<port>[0-9]{1,5})")
_SERVERS_FAULT = 500


def reach(address: str, deadline_s: float) -> str:
    """Say why an address does not answer; empty if it does.

    Args:
        address: ``http://…`` or ``https://…``, which may answer anything but an error of its own;
            or ``HOST:PORT``, where somebody has to take the connection.
        deadline_s: When waiting ends.
    """
    if _URL.match(address):
        return _ask(address, deadline_s)
    found = _PLACE.fullmatch(address)
    if found is None:
        return f"'{address}' is neither a URL nor HOST:PORT"
    try:
        place = (found["host"].strip("[]"), int(found["port"]))
        socket.create_connection(place, deadline_s).close()
    except (OSError, OverflowError) as exc:
        return str(exc)
    return ""


def _ask(url: str, deadline_s: float) -> str:
    from ostrya.fetch.curl import pycurl

    handle = pycurl.Curl()
    try:
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.NOBODY, 1)
        handle.setopt(pycurl.TIMEOUT_MS, int(deadline_s * 1000))
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.perform()
        status = int(handle.getinfo(pycurl.RESPONSE_CODE))
    except pycurl.error as exc:
        return str(exc.args[1])
    finally:
        handle.close()
    return f"status {status}" if status >= _SERVERS_FAULT else ""
