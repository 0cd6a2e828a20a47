# SPDX-License-Identifier: Apache-2.0
"""Files in an S3-compatible bucket, through obstore, which is imported nowhere else.

A bucket knows no folders: a path is a name, and all names below a prefix can be listed in order.
Every write is atomic. A small file can be written on the condition that it still is the version
that was read (``If-Match``), or that there is none (``If-None-Match``).
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

SCHEME = "s3://"
# As small as S3 takes them: of each long file under way, these are held in memory.
_PART_BYTES = 5 << 20
_PARTS_AT_ONCE = 2
_DELETE_BATCH = 1000
_IMMUTABLE = "public, max-age=31536000, immutable"
_CHANGING = "no-cache"


class BucketOptions(NamedTuple):
    """How a bucket is reached, where the environment (``AWS_…``) does not say.

    Attributes:
        endpoint_url: The server, for others than Amazon's.
        region: Its region.
        access_key_id: Who we are.
        secret_access_key: The proof.
        retries: How often a request is tried again.
    """

    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    retries: int = 5


class BucketFile(NamedTuple):
    """A file as it is listed.

    Attributes:
        path: Below the bucket's prefix.
        size: In bytes.
        modified: When it was written, by the bucket's clock.
    """

    path: str
    size: int
    modified: datetime


class BucketBody(Protocol):
    """What a file is to hold; ``repo.packing.Packed`` is one.

    Attributes:
        data: All bytes, unless they are in a file.
        fd: That file; else -1.
    """

    data: bytes
    fd: int


class BucketRead(NamedTuple):
    """A small file, and the tag of this version of it."""

    data: bytes
    tag: str


class BucketStore:
    """Files below a prefix of a bucket; used from many threads at once.

    Attributes:
        shown: ``s3://bucket/prefix``.
    """

    __slots__ = ("_store", "shown")

    def __init__(self, store: Any, shown: str) -> None:  # noqa: ANN401  # one of obstore's
        self._store = store
        self.shown = shown.rstrip("/")

    def read(self, path: str, max_bytes: int) -> BucketRead | None:
        """Return a file, None if it is not there.

        Raises:
            BucketError: It cannot be had, or is larger than that.
        """
        import obstore

        with self._naming("read", path):
            try:
                found = obstore.get(self._store, path)
            except FileNotFoundError:
                return None
            if found.meta["size"] > max_bytes:
                raise BucketError(f"{self.shown}/{path} is larger than {max_bytes} bytes")
            return BucketRead(bytes(found.bytes()), found.meta["e_tag"] or "")

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""
        import obstore

        with self._naming("look up", path):
            try:
                obstore.head(self._store, path)
            except FileNotFoundError:
                return False
        return True

    def list(self, folder: str) -> Iterator[str]:
        """Give the paths of all files below a folder; of the empty one, all there are."""
        for found in self.scan(folder):
            yield found.path

    def scan(self, folder: str) -> Iterator[BucketFile]:
        """Give all files below a folder, with size and age."""
        import obstore

        with self._naming("list", folder):
            for batch in obstore.list(self._store, folder or None):
                for found in batch:
                    yield BucketFile(found["path"], found["size"], found["last_modified"])

    def put(self, path: str, packed: BucketBody) -> None:
        """Write a file in place of what was there, in parts if it is long."""
        import obstore

        attributes = _attributes(path)
        with self._naming("write", path):
            if packed.fd == -1:
                obstore.put(self._store, path, packed.data, attributes=attributes)
                return
            with os.fdopen(os.dup(packed.fd), "rb") as stream:
                stream.seek(0)
                obstore.put(
                    self._store,
                    path,
                    stream,
                    attributes=attributes,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )

    def replace(self, path: str, data: bytes, tag: str | None) -> bool:
        """Write a small file if it still has a tag, or is still not there for None."""
        import obstore

        mode: Any = "create" if tag is None else {"e_tag": tag}
        errors = obstore.exceptions
        with self._naming("write", path):
            try:
                obstore.put(self._store, path, data, mode=mode, attributes=_attributes(path))
            except (
                FileNotFoundError,
                errors.AlreadyExistsError,
                errors.PreconditionError,
            ):
                return False
        return True

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""
        self.delete_many([path])

    def delete_many(self, paths: Iterable[str]) -> None:
        """Delete files, in their order, as many as fit in one request at a time."""
        import obstore

        todo = list(paths)
        with self._naming("delete from", ""):
            for start in range(0, len(todo), _DELETE_BATCH):
                try:
                    obstore.delete(self._store, todo[start : start + _DELETE_BATCH])
                except FileNotFoundError:
                    # Gone already: some stores say so.
                    continue

    def make_layout(self) -> None:
        """Make nothing: there are no folders."""

    def close(self) -> None:
        """Close nothing: connections end with the process."""

    @contextmanager
    def _naming(self, deed: str, path: str) -> Iterator[None]:
        """Turn what obstore raises into a sentence about a path."""
        import obstore

        try:
            yield
        except (obstore.exceptions.BaseError, OSError) as exc:
            where = f"{self.shown}/{path}" if path else self.shown
            raise BucketError(f"cannot {deed} {where}: {_reason(exc)}", hint=_hint(exc)) from exc


def _reason(exc: Exception) -> str:
    """Return the first line of what obstore says; the rest repeats it as Rust's debug output."""
    return str(exc).strip().partition("\n")[0].strip() or type(exc).__name__


def _hint(exc: Exception) -> str:
    text = str(exc)
    kind = type(exc).__name__
    if kind in {"UnauthenticatedError", "PermissionDeniedError"} or "403" in text or "401" in text:
        return (
            "say who you are with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and check that "
            "this user may list, read, write and delete there"
        )
    if "credential" in text.lower() or "169.254.169.254" in text:
        return "say who you are with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "NoSuchBucket" in text:
        return "make the bucket first"
    return ""


def _attributes(path: str) -> Any:  # noqa: ANN401  # obstore's type is for checkers only
    """Let caches keep what never changes, and ask about what does."""
    is_object = path.startswith("objects/") and not path.endswith(".commitmeta")
    return {
        "Cache-Control": _IMMUTABLE if is_object else _CHANGING,
        "Content-Type": "application/octet-stream",
    }


def open_bucket(address: str, options: BucketOptions = BucketOptions()) -> BucketStore:  # noqa: B008
    """Open ``s3://bucket/prefix``; nothing is sent yet.

    Raises:
        BucketError: The address is none, or obstore is not installed.
    """
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if not address.startswith(SCHEME) or not bucket:
        raise BucketError(f"{address} is no bucket: expected s3://BUCKET/PREFIX")
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError:
        raise BucketError(
            "buckets need the package obstore, which is not installed",
            hint="install it with: pip install 'ostrya[cloud]'",
        ) from None
    config: dict[str, Any] = {"conditional_put": "etag"}
    if options.endpoint_url is not None:
        config["endpoint"] = options.endpoint_url
    for key in ("region", "access_key_id", "secret_access_key"):
        value = getattr(options, key)
        if value is not None:
            config[key] = value
    client: dict[str, Any] = {}
    if (options.endpoint_url or "").startswith("http://"):
        client["allow_http"] = True
    try:
        store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            config=config,  # type: ignore[arg-type]  # keys are checked by obstore
            client_options=client,  # type: ignore[arg-type]  # likewise
            retry_config={"max_retries": options.retries},
        )
    except (BaseError, ValueError, TypeError) as exc:
        raise BucketError(f"cannot use {address}: {_reason(exc)}") from exc
    return BucketStore(store, address)
