# SPDX-License-Identifier: Apache-2.0
"""What the end of a transfer means: an answer, or how it failed and whether that may pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.fetch.addresses import hide_password
from ostrya.fetch.body import Body
from ostrya.fetch.coding import inflate, is_known
from ostrya.fetch.curl import pycurl
from ostrya.fetch.errors import (
    BadAnswer,
    BodyTooLarge,
    HttpStatusError,
    NetworkError,
    RedirectError,
    StalledError,
    TlsError,
    TransferError,
)
from ostrya.fetch.fetcher import ABSENT, Response
from ostrya.fetch.retry import Outcome, is_transient

if TYPE_CHECKING:
    from ostrya.fetch.answer import Header
    from ostrya.fetch.body import Memory
    from ostrya.fetch.job import Job
    from ostrya.fetch.transfer import Transfer

_CUT = frozenset(
    {
        pycurl.E_PARTIAL_FILE,
        pycurl.E_RECV_ERROR,
        pycurl.E_OPERATION_TIMEDOUT,
        pycurl.E_HTTP2,
        92,  # CURLE_HTTP2_STREAM, which pycurl has no name for
    }
)
_TRANSIENT = _CUT | {
    pycurl.E_COULDNT_RESOLVE_PROXY,
    pycurl.E_COULDNT_RESOLVE_HOST,
    pycurl.E_COULDNT_CONNECT,
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_GOT_NOTHING,
    pycurl.E_SEND_ERROR,
}
_NO_CONNECTION = frozenset(
    {pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_PROXY}
)
_TLS = frozenset({35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98})
_REDIRECT = frozenset({pycurl.E_TOO_MANY_REDIRECTS, pycurl.E_UNSUPPORTED_PROTOCOL})
_BAD_ANSWER = frozenset({8, 100})

Failure = tuple[Outcome, TransferError]


def is_unreachable(code: int) -> bool:
    """Say whether libcurl's error means that there is no connection to be had."""
    return code in _NO_CONNECTION


def judge_failure(transfer: Transfer, code: int, message: str) -> Failure:
    """Say what an error of libcurl's means; bytes that can be built upon are kept."""
    job, header = transfer.job, transfer.final_header()
    if job is None:
        raise RuntimeError("an idle transfer cannot fail")
    url = shown_url(transfer)
    if job.tag is not None and not transfer.received and code in _TRANSIENT:
        pass  # What came before is as good as it was.
    elif code in _CUT:
        job.keep_for_resuming(header, transfer.received)
    else:
        job.start_over()
    outcome = Outcome.TRANSIENT if code in _TRANSIENT else Outcome.FATAL
    if code == pycurl.E_FILESIZE_EXCEEDED:
        return outcome, BodyTooLarge(url, job.request.max_bytes)
    words = message.strip() or pycurl.Curl().errstr() or "no reason given"
    if code == pycurl.E_PARTIAL_FILE:
        # libcurl's own name of it, which scripts look for; the details differ by protocol.
        words = f"Transferred a partial file: {words}"
    reason = f"[{code}] {words}"
    asked = hide_password(job.url)
    if url.rstrip("/") != asked.rstrip("/") and transfer.curl.getinfo(pycurl.REDIRECT_COUNT):
        reason += f"; redirected from {asked}"
    return outcome, _error_class(code)(url, reason)


def _error_class(code: int) -> type[TransferError]:
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return StalledError
    if code in _TLS:
        return TlsError
    if code in _REDIRECT:
        return RedirectError
    return BadAnswer if code in _BAD_ANSWER else NetworkError


def shown_url(transfer: Transfer) -> str:
    """Return the address that answered, or did not, as it may be shown."""
    url = transfer.curl.getinfo_raw(pycurl.EFFECTIVE_URL)
    text = url.decode("utf-8", "replace") if isinstance(url, bytes) else ""
    return hide_password(text or (transfer.job.url if transfer.job else ""))


def judge_answer(transfer: Transfer, memory: Memory) -> Response | Failure:
    """Say what an answer means; only one with the bytes that were asked for has them taken."""
    job, header = transfer.job, transfer.final_header()
    if job is None:
        raise RuntimeError("an idle transfer has no answer")
    url, status = shown_url(transfer), header.status
    if status in {200, 206}:
        return _judge_body(transfer, job, header, memory)
    if status in ABSENT:
        return Outcome.ABSENT, HttpStatusError(url, status)
    asked = job.request
    if status == 304 and (asked.etag is not None or asked.last_modified is not None):
        job.start_over()
        return Response(304, url, etag=header.etag, last_modified=header.last_modified)
    # A part that cannot be had any more, for the whole is shorter now, comes with the whole.
    resumed = status == 416 and transfer.start > asked.offset
    if resumed:
        job.start_over()
    transient = resumed or is_transient(status)
    return (Outcome.TRANSIENT if transient else Outcome.FATAL), HttpStatusError(url, status)


def _judge_body(transfer: Transfer, job: Job, header: Header, memory: Memory) -> Response | Failure:
    url = shown_url(transfer)
    if header.status == 206 and (reason := _wrong_part(transfer, job, header)):
        resumed = transfer.start > job.request.offset
        job.start_over()
        return (Outcome.TRANSIENT if resumed else Outcome.FATAL), BadAnswer(url, reason)
    body = job.body
    if job.request.compressed and is_known(header.encoding):
        decoded = Body(memory, spool=job.request.spool)
        try:
            too_large = not _inflate_into(decoded, body, job.request.max_bytes)
        except ValueError as exc:
            decoded.drop()
            return Outcome.TRANSIENT, BadAnswer(url, f"Invalid compressed data: {exc}")
        finally:
            body.drop()
        if too_large:
            decoded.drop()
            return Outcome.FATAL, BodyTooLarge(url, job.request.max_bytes)
        body = decoded
    status = 206 if job.request.offset and header.status == 206 else 200
    size = body.size
    data, fd = body.hand_over()
    return Response(status, url, data, fd, size, header.etag, header.last_modified)


def _wrong_part(transfer: Transfer, job: Job, header: Header) -> str:
    """Say what is wrong with a part of the whole; empty if it is what was asked for."""
    part = header.content_range
    if not transfer.start:
        return "Server returned a part that was not asked for"
    if part is None or part.first != transfer.start:
        return "Server returned another part than the one asked for"
    if part.last - part.first + 1 != transfer.received:
        return "Server returned a part of another length than it says"
    if part.total is not None and part.last + 1 != part.total:
        return "Server returned a part without the end"
    if job.tag is not None and header.etag not in {None, job.tag}:
        return "Server returned a part of another version"
    return ""


def _inflate_into(decoded: Body, coded: Body, max_bytes: int) -> bool:
    for piece in inflate(coded.chunks()):
        if decoded.size + len(piece) > max_bytes:
            return False
        decoded.take([piece])
    return True
