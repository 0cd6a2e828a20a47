# SPDX-License-Identifier: Apache-2.0
"""Our certificate, as shown to the hosts of a fleet, and whether it was what a host did not like.

In TLS 1.3 the handshake is over for a client before a server looks at the certificate. By then the
request is on its way, the server's host resets the connection because of it, and the alert with the
reason is lost more often than not. In TLS 1.2 the certificate is part of the handshake, so that
there a server cannot refuse it unheard.
"""

from __future__ import annotations

from ostrya.fetch.curl import pycurl
from ostrya.fetch.curl_loop import Running, perform
from ostrya.fetch.errors import CertificateNotTaken, TlsError, TransferError


def set_certificate(curl: pycurl.Curl, cert: str, key: str) -> None:
    """Say who we are: by files, or by objects of a token.

    GnuTLS knows ``pkcs11:`` by itself; OpenSSL needs an engine, where it still has such.
    """
    if "OpenSSL" in pycurl.version:
        # RFC 7512 has an address there, GnuTLS wants a path.
        cert, key = (one.replace("pin-source=/", "pin-source=file:/") for one in (cert, key))
    for path, option in ((cert, pycurl.SSLCERTTYPE), (key, pycurl.SSLKEYTYPE)):
        if path.startswith("pkcs11:") and "OpenSSL" in pycurl.version:
            curl.setopt(pycurl.SSLENGINE, "pkcs11")
            curl.setopt(pycurl.SSLENGINE_DEFAULT, 1)
            curl.setopt(option, "ENG")
    curl.setopt(pycurl.SSLCERT, cert)
    curl.setopt(pycurl.SSLKEY, key or cert)


def refusal(curl: pycurl.Curl, url: str, cert: str) -> CertificateNotTaken | None:
    """Shake hands by TLS 1.2, ask for nothing, and return what a host has against our certificate.

    Args:
        curl: A handle that is ready for a request to that host; it is closed.
        url: Where to, for the error.
        cert: Our certificate; empty if we have none.
    """
    multi = pycurl.CurlMulti()
    try:
        curl.setopt(pycurl.CONNECT_ONLY, 1)
        curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2 | pycurl.SSLVERSION_MAX_TLSv1_2)
        for _ in perform(multi, Running(curl, url)):
            pass
    except CertificateNotTaken as exc:
        return exc
    except TlsError as exc:
        # TLS 1.2 has no alert of its own for a certificate that is missing.
        is_missed = not cert and "handshake failure" in exc.reason
        return CertificateNotTaken(url, exc.reason) if is_missed else None
    except TransferError:
        return None
    finally:
        curl.close()
        multi.close()
    return None
