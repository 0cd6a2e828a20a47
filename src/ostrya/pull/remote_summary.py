# SPDX-License-Identifier: Apache-2.0
"""The summary of a remote: asked for only if it changed, verified, and kept.

::

    tmp/cache/summaries/<remote>          the summary, with its tag and its time
    tmp/cache/summaries/<remote>.sig      its signatures, likewise
        user.etag                         extended attribute: the server's tag
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux import dirfd
from ostrya._linux.atomic import TmpFile, replace_file, write_all
from ostrya.errors import FormatError, IntegrityError, SignatureError
from ostrya.fetch.addresses import hide_password
from ostrya.fetch.fetcher import Request, fetch_one
from ostrya.formats.checksum import checksum_of
from ostrya.formats.commitmeta import decode_commitmeta
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.formats.summary import Summary
from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import NotTrusted, RemoteRefusal

if TYPE_CHECKING:
    from ostrya.fetch.fetcher import Fetcher
    from ostrya.pull.judge import Judge
    from ostrya.pull.places import Places
    from ostrya.repo.repository import Repository

MAX_SUMMARY_BYTES = 128 << 20
_FOLDER = "summaries"
_ETAG = "user.etag"
_MAX_NAME_BYTES = 200


class RemoteFile(NamedTuple):
    """A file of a remote.

    Attributes:
        data: Its bytes.
        etag: The server's tag of this version.
        last_modified: Seconds since 1970 UTC.
        url: Who served it, or said that it has not changed.
    """

    data: bytes
    etag: str | None = None
    last_modified: int | None = None
    url: str = ""


class RemoteSummary(NamedTuple):
    """A summary as the remote serves it, verified as the remote's settings ask for.

    Attributes:
        summary: Decoded.
        data: Its bytes.
        signatures: The bytes of its signatures; None if it has none.
        url: Where it was.
    """

    summary: Summary
    data: bytes
    signatures: bytes | None
    url: str = ""


class SummaryCache:
    """Summaries that were fetched before."""

    __slots__ = ("_enabled", "_fd", "_remote", "_test")

    def __init__(self, repo: Repository, remote: str, path: str | None = None) -> None:
        """Open the cache of a repository, or one at ``path``.

        Raises:
            OSError: It cannot be made.
        """
        self._remote = _file_name(remote)
        self._test = repo.runtime.fail_on_stale_summary
        self._enabled = path is not None or repo.runtime.use_cache
        self._fd = -1
        if not self._enabled:
            return
        if path is None:
            dirfd.ensure_dir("cache", dir_fd=repo.tmp_fd)
            self._fd = dirfd.open_dir("cache", dir_fd=repo.tmp_fd)
        else:
            dirfd.ensure_dir(path)
            self._fd = dirfd.open_dir(path, follow=True)

    def close(self) -> None:
        """Close the cache."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd = -1

    def note_stale(self) -> None:
        """Hear that what was kept no longer verifies: usual, except in some tests.

        Raises:
            RemoteRefusal: This is such a test.
        """
        if self._test:
            raise RemoteRefusal(
                f"Remote {self._remote} cached summary invalid and "
                "OSTREE_REPO_TEST_ERROR_INVALID_CACHE specified"
            )

    def load(self, suffix: str) -> RemoteFile | None:
        """Return what was kept; None if nothing was, or it is damaged."""
        if not self._enabled:
            return None
        path = f"{_FOLDER}/{self._remote}{suffix}"
        try:
            fd = os.open(path, dirfd.OPEN_FILE, dir_fd=self._fd)
        except OSError:
            return None
        try:
            data = dirfd.read_fd(fd, max_bytes=MAX_SUMMARY_BYTES)
            etag = None
            with suppress(OSError, UnicodeDecodeError):
                etag = os.getxattr(fd, _ETAG).decode()
            return RemoteFile(data, etag, int(os.fstat(fd).st_mtime) or None)
        except dirfd.FileTooLargeError:
            return None
        finally:
            os.close(fd)

    def store(self, suffix: str, file: RemoteFile) -> None:
        """Keep a file, in place of an earlier one."""
        if not self._enabled:
            return
        dirfd.ensure_dir(_FOLDER, dir_fd=self._fd)
        with TmpFile(self._fd, 0o644, where=_FOLDER) as tmp:
            write_all(tmp.fd, file.data)
            if file.etag is not None:
                # Without, it is asked for again.
                with suppress(OSError):
                    os.setxattr(tmp.fd, _ETAG, file.etag.encode())
            seconds = file.last_modified or 0
            os.utime(tmp.fd, (seconds, seconds))
            tmp.replace(f"{_FOLDER}/{self._remote}{suffix}", dir_fd=self._fd)

    def forget(self, suffix: str) -> None:
        """Keep a file no longer."""
        if self._enabled:
            with suppress(FileNotFoundError):
                os.unlink(f"{_FOLDER}/{self._remote}{suffix}", dir_fd=self._fd)


def _file_name(remote: str) -> str:
    name = remote.replace("/", "_")
    # Those of remotes on volumes are made of paths.
    return name if len(os.fsencode(name)) <= _MAX_NAME_BYTES else checksum_of(name.encode())


def store_summary(repo: Repository, summary: RemoteSummary) -> None:
    """Keep the summary of a mirror, byte by byte, so that its signatures stay good."""
    durable, dir_fd = repo.config.fsync, repo.dir_fd
    replace_file("summary", summary.data, dir_fd=dir_fd, durable=durable)
    if summary.signatures is None:
        dirfd.unlink_if_exists("summary.sig", dir_fd=dir_fd)
    else:
        replace_file("summary.sig", summary.signatures, dir_fd=dir_fd, durable=durable)


def fetch_summary(
    fetcher: Fetcher, places: Places, judge: Judge, cache: SummaryCache
) -> RemoteSummary | None:
    """Get the summary of a remote, and its signatures; None if it has none.

    Raises:
        NotTrusted: It has to be signed, and there is no summary, or no signature.
        SignatureError: No signature is good.
        RemoteRefusal: It is no summary.
        FetchError: It cannot be had.
    """
    signatures = _fetch(fetcher, places, cache, ".sig")
    found = _matching(cache, signatures)
    if found is not None:
        found = found._replace(url=hide_password(places.metadata_urls("summary")[0]))
    is_cached = found is not None
    if found is None:
        found = _fetch(fetcher, places, cache, "")
    if found is None:
        if judge.wants_summary:
            address = hide_password(places.metadata_urls("summary")[0])
            raise NotTrusted(
                f"While fetching {address}: GPG verification enabled, but no summary found (use "
                "gpg-verify-summary=false in remote config to disable)"
            )
        return None
    try:
        _verify(judge, found, signatures)
    except SignatureError:
        if not is_cached:
            raise
        cache.note_stale()
        # The old summary with the new signatures: ask for it without telling what we have.
        found = _fetch(fetcher, places, None, "")
        if found is None:
            raise
        is_cached = False
        _verify(judge, found, signatures)
    summary = _decode(found)
    if signatures is not None and not is_cached:
        cache.store(".sig", signatures)
        cache.store("", found)
    elif signatures is None:
        _keep_unsigned(cache, found)
    signed = None if signatures is None else signatures.data
    return RemoteSummary(summary, found.data, signed, found.url)


def _keep_unsigned(cache: SummaryCache, found: RemoteFile) -> None:
    """Keep a summary without signatures, so that it is asked for only if it changed."""
    kept = cache.load("")
    if kept is not None and kept.data == found.data and kept.etag == found.etag:
        return
    # Signatures of an earlier one would make it look like theirs.
    cache.forget(".sig")
    cache.store("", found)


def _matching(cache: SummaryCache, signatures: RemoteFile | None) -> RemoteFile | None:
    """Return the summary that was kept, if the signatures that came are those it was kept with."""
    kept = cache.load(".sig")
    if signatures is None or kept is None or kept.data != signatures.data:
        return None
    return cache.load("")


def _fetch(
    fetcher: Fetcher, places: Places, cache: SummaryCache | None, suffix: str
) -> RemoteFile | None:
    kept = None if cache is None else cache.load(suffix)
    request = Request(
        places.metadata_urls(f"summary{suffix}"),
        MAX_SUMMARY_BYTES,
        etag=None if kept is None else kept.etag,
        last_modified=None if kept is None else kept.last_modified,
    )
    response = fetch_one(fetcher, request)
    if response.is_absent:
        return None
    if response.status == 304:
        return None if kept is None else kept._replace(url=response.url)
    return RemoteFile(response.read(), response.etag, response.last_modified, response.url)


def _verify(judge: Judge, summary: RemoteFile, signatures: RemoteFile | None) -> None:
    found = None
    if signatures is not None and judge.wants_summary:
        try:
            found = decode_commitmeta(signatures.data)
        except FormatError:
            # What cannot be read vouches for nothing.
            found = VarDict()
    try:
        judge.check_summary(summary.data, found)
    except (IntegrityError, SignatureError) as exc:
        exc.put_first(f"While fetching {summary.url}")
        raise


def _decode(file: RemoteFile) -> Summary:
    try:
        return Summary.decode(file.data)
    except FormatError as exc:
        raise RemoteRefusal(
            f"While fetching {file.url}: The remote's summary is damaged: {exc.message}"
        ) from exc
