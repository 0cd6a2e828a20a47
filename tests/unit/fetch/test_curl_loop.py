# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fetch import curl_loop
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import (
    BadAnswer,
    CertificateNotTaken,
    ConnectionLost,
    NetworkError,
    StalledError,
    TlsError,
)
from support.hostile import HostileServer


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (7, "connection refused", NetworkError),
        (28, "timed out", StalledError),
        (56, "SSL routines::tlsv13 alert certificate required", CertificateNotTaken),
        (56, "GnuTLS recv error (-12): A TLS fatal alert has been received.", CertificateNotTaken),
        (56, "Connection reset by peer", ConnectionLost),
        (55, "Send failure: Connection reset by peer", ConnectionLost),
        (35, "SSL routines::ssl/tls alert certificate revoked", CertificateNotTaken),
        (35, "tlsv1 alert unknown ca", CertificateNotTaken),
        (35, "tlsv1 alert protocol version", TlsError),
        (35, "Send failure: Broken pipe", NetworkError),
        (60, "self-signed certificate", TlsError),
        (1, "Received HTTP/0.9 when not allowed", BadAnswer),
    ],
)
def test_what_errors_mean(code, words, kind):
    error = curl_loop._error("https://gate/", code, words)
    assert type(error) is kind
    assert f"[{code}] {words}" in str(error)


def test_bytes_and_header():
    with HostileServer({"/a": b"x" * 1000}) as server:
        curl, multi = pycurl.Curl(), pycurl.CurlMulti()
        curl.setopt(pycurl.URL, server.url + "/a")
        running = curl_loop.Running(curl, server.url)
        assert b"".join(curl_loop.perform(multi, running)) == b"x" * 1000
        assert running.header().status == 200
        curl.close()
        multi.close()
