# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while bytes are fetched; addresses are shown without passwords.

::

    FetchError
    ├── AddressError          a URL that cannot be used
    │   └── PlainTextRefused  one without TLS, where there has to be
    ├── TransferError         one address did not give what was asked of it
    │   ├── NetworkError      no connection, or one that broke
    │   │   ├── ConnectionLost  it was there, and broke
    │   │   └── StalledError  nothing, or next to nothing, came for too long
    │   ├── TlsError          the two ends cannot agree on who they are
    │   │   └── CertificateNotTaken  the server does not take ours
    │   ├── HttpStatusError   the server says no
    │   ├── RedirectError     the server sends us in circles, or where we do not go
    │   ├── BadAnswer         an answer that does not fit the request
    │   └── BodyTooLarge      more bytes than the request allows
    ├── FetchOptionError      a setting or header that cannot be used
    ├── MirrorListError       a list of mirrors without a mirror
    ├── MetalinkError         a metalink that cannot be used, or none of whose targets fits
    ├── CookieError           a cookie that cannot be written, or is not there
    └── SftpError             a host that speaks sftp says no, or is gone

Scripts look for some of these words, so they are libostree's.
"""

from __future__ import annotations

from ostrya.errors import FetchError


class AddressError(FetchError):
    """A URL cannot be used."""


class PlainTextRefused(AddressError):
    """A URL is without TLS, where there has to be: nothing was sent there."""


class FetchOptionError(FetchError):
    """A setting of a remote, or an option of a request, cannot be used."""


class TransferError(FetchError):
    """One address did not give what was asked of it.

    Attributes:
        url: The address, without user and password.
        reason: What was wrong.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"While fetching {url}: {reason}")
        self.url = url
        self.reason = reason


class NetworkError(TransferError):
    """There is no connection, or it broke."""


class ConnectionLost(NetworkError):
    """A connection was there, and broke while something was sent or awaited."""


class StalledError(NetworkError):
    """Nothing, or next to nothing, came for too long."""


class TlsError(TransferError):
    """The two ends cannot agree on who they are."""


class CertificateNotTaken(TlsError):
    """The server does not take our certificate, or misses one."""


class HttpStatusError(TransferError):
    """The server says no.

    Attributes:
        status: Its status code.
    """

    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, f"Server returned HTTP {status}")
        self.status = status


class RedirectError(TransferError):
    """The server sends us in circles, or to where we do not go."""


class BadAnswer(TransferError):
    """An answer does not fit the request, or breaks the protocol."""


class BodyTooLarge(TransferError):
    """There are more bytes than the request allows.

    Attributes:
        max_bytes: How many it allows.
    """

    def __init__(self, url: str, max_bytes: int) -> None:
        super().__init__(url, f"URI {url} exceeded maximum size of {max_bytes} bytes")
        self.message = self.reason
        self.args = (self.message,)
        self.max_bytes = max_bytes


class MirrorListError(FetchError):
    """A list of mirrors holds none that can be used."""


class MetalinkError(FetchError):
    """A metalink cannot be used, or what its addresses hold is not what it promises."""


class CookieError(FetchError):
    """A cookie cannot be written, or is not there."""


class SftpError(FetchError):
    """A host that speaks sftp says no, or is gone.

    Attributes:
        code: What it answered, as the protocol numbers it; None if there was no answer.
    """

    def __init__(self, message: str, *, code: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
