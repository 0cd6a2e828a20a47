# SPDX-License-Identifier: Apache-2.0
"""How libcurl's errors are told apart; what becomes of answers is in test_http."""

from __future__ import annotations

import pytest

from ostrya.fetch.body import Memory
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import BodyTooLarge, NetworkError, RedirectError, StalledError, TlsError
from ostrya.fetch.fetcher import Request
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.job import Job
from ostrya.fetch.retry import Outcome
from ostrya.fetch.transfer import Transfer
from ostrya.fetch.verdict import is_unreachable, judge_answer, judge_failure

T, F = Outcome.TRANSIENT, Outcome.FATAL


@pytest.mark.parametrize(
    ("code", "outcome", "kind"),
    [
        (pycurl.E_COULDNT_RESOLVE_HOST, T, NetworkError),
        (pycurl.E_COULDNT_CONNECT, T, NetworkError),
        (pycurl.E_OPERATION_TIMEDOUT, T, StalledError),
        (pycurl.E_PARTIAL_FILE, T, NetworkError),
        (pycurl.E_RECV_ERROR, T, NetworkError),
        (pycurl.E_GOT_NOTHING, T, NetworkError),
        (pycurl.E_SSL_CONNECT_ERROR, T, TlsError),
        (60, F, TlsError),
        (58, F, TlsError),
        (pycurl.E_TOO_MANY_REDIRECTS, F, RedirectError),
        (pycurl.E_UNSUPPORTED_PROTOCOL, F, RedirectError),
        (pycurl.E_FILESIZE_EXCEEDED, F, BodyTooLarge),
        (pycurl.E_OUT_OF_MEMORY, F, NetworkError),
    ],
)
def test_failures(spool_fd, code, outcome, kind):
    transfer = Transfer(HttpOptions())
    transfer.job = Job("key", Request(("http://u:p@h/x",), 10), Memory(spool_fd), 5)
    found, error = judge_failure(transfer, code, "because")
    assert (found, type(error)) == (outcome, kind)
    assert "http://h/x" in error.message
    if kind is not BodyTooLarge:
        # Scripts look for libcurl's own name of a body that was cut short.
        named = "Transferred a partial file: " if code == pycurl.E_PARTIAL_FILE else ""
        assert error.reason == f"[{code}] {named}because"
    assert is_unreachable(code) == (code in {6, 7})
    transfer.curl.close()


def test_an_idle_transfer(spool_fd):
    transfer = Transfer(HttpOptions())
    with pytest.raises(RuntimeError):
        judge_failure(transfer, 7, "")
    with pytest.raises(RuntimeError):
        judge_answer(transfer, Memory(spool_fd))
    transfer.curl.close()
