# SPDX-License-Identifier: Apache-2.0
"""One transfer of libcurl's, driven from here: its bytes as they come, its end as an error.

libcurl takes in a few hundred KiB at most between two looks at what came, so whoever iterates can
bound a body, and an interrupt is never lost in a callback.
"""

from __future__ import annotations

import re
import time
from select import select
from typing import TYPE_CHECKING

from ostrya.fetch.answer import Header
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import (
    BadAnswer,
    CertificateNotTaken,
    ConnectionLost,
    NetworkError,
    StalledError,
    TlsError,
    TransferError,
)

if TYPE_CHECKING:
    from collections.abc import Generator

_TICK_S = 1.0
_BLIND_WAIT_S = 0.01
_HEADER_LINES = 256
_HEADER_BYTES = 512 * 1024
_TLS_CODES = frozenset({51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98})
_BAD_ANSWER = frozenset({1, 8, 61, 100})
_SSL_CONNECT = 35
_CERTIFICATE_ALERT = re.compile(
    r"alert.*(certificate|unknown ca|access denied|decrypt error)", re.IGNORECASE | re.DOTALL
)
# In TLS 1.3, a server says so at the first read after the handshake; GnuTLS does not tell which
# alert came, but then there is no other reason for one.
_LATE_ALERT = re.compile(r"fatal alert", re.IGNORECASE)
_LATE_CODES = frozenset({pycurl.E_SEND_ERROR, pycurl.E_RECV_ERROR})


class Running:
    """A transfer under way.

    Attributes:
        curl: Its handle, which says where to and how; stays the caller's.
        url: Where to, for errors.
    """

    __slots__ = ("_chunks", "_header", "_lines", "curl", "url")

    def __init__(self, curl: pycurl.Curl, url: str) -> None:
        self.curl = curl
        self.url = url
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._header: Header | None = None
        curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)

    def take(self) -> bytes:
        """Return what came since."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        return data

    def header(self) -> Header:
        """Return what the header says; to be asked once bytes of the body or the end came."""
        if self._header is None:
            self._header = Header.parse(self._lines)
        return self._header

    @property
    def has_endless_header(self) -> bool:
        """Whether there are more lines of headers than any server has reason to send."""
        lines = self._lines
        return len(lines) > _HEADER_LINES or sum(map(len, lines)) > _HEADER_BYTES


def perform(multi: pycurl.CurlMulti, running: Running) -> Generator[bytes, None, None]:
    """Run a transfer to its end, or until nobody asks for more; give its bytes.

    Raises:
        TransferError: It failed.
    """
    multi.add_handle(running.curl)
    try:
        ended: tuple[int, str] | None = None
        while ended is None:
            multi.perform()
            if running.has_endless_header:
                raise BadAnswer(running.url, "a header without an end")
            _, answered, failed = multi.info_read()
            if failed:
                ended = failed[0][1], failed[0][2]
            elif answered:
                ended = 0, ""
            if piece := running.take():
                yield piece
            elif ended is None:
                _wait(multi)
        if ended[0]:
            raise _error(running.url, *ended)
    finally:
        multi.remove_handle(running.curl)


def _wait(multi: pycurl.CurlMulti) -> None:
    longest = _TICK_S
    ask_again_ms = multi.timeout()
    if ask_again_ms >= 0:
        longest = min(longest, ask_again_ms / 1000)
    reading, writing, excepting = multi.fdset()
    if reading or writing or excepting:
        select(reading, writing, excepting, longest)
    else:
        time.sleep(min(longest, _BLIND_WAIT_S))


def _error(url: str, code: int, words: str) -> TransferError:
    reason = f"[{code}] {words.strip() or 'no reason given'}"
    kind: type[TransferError] = NetworkError
    if code == pycurl.E_OPERATION_TIMEDOUT:
        kind = StalledError
    elif _is_about_our_certificate(code, words):
        kind = CertificateNotTaken
    elif code in _TLS_CODES or "alert" in words:
        kind = TlsError
    elif code in _BAD_ANSWER:
        kind = BadAnswer
    elif code in _LATE_CODES:
        kind = ConnectionLost
    return kind(url, reason)


def _is_about_our_certificate(code: int, words: str) -> bool:
    if code in _LATE_CODES and _LATE_ALERT.search(words):
        return True
    return code in {_SSL_CONNECT, *_LATE_CODES} and bool(_CERTIFICATE_ALERT.search(words))
