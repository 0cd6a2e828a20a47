# SPDX-License-Identifier: Apache-2.0
"""From the address of a push to the target there; what only one kind needs is imported for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import PushRefused
from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime

if TYPE_CHECKING:
    from ostrya.pull.push_target import PushTarget

_FILE = "file://"


class TargetOptions(NamedTuple):
    """How targets are reached.

    Attributes:
        endpoint_url: Of a bucket: its server, for others than Amazon's.
        region: Of a bucket.
        credentials: Of HTTP: path of a ``treehub.json``, or of an archive that holds one.
        tls_ca_path: Of HTTPS: a bundle of the authorities to trust.
        ssh_options: Of ssh: words that the ``ssh`` command gets.
        retries: How often a request is tried again.
    """

    endpoint_url: str | None = None
    region: str | None = None
    credentials: str | None = None
    tls_ca_path: str | None = None
    ssh_options: tuple[str, ...] = ()
    retries: int = 5


def open_target(
    address: str,
    options: TargetOptions | None = None,
    *,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> PushTarget:
    """Return the target at an address; nothing is asked of it yet, but for a connection.

    Args:
        address: A path, ``file://…``, ``s3://bucket/prefix``, ``ssh://[user@]host[:port]/path``,
            ``http://…`` or ``https://…``; or a file of credentials that says where to push to.
        options: How to reach it.
        runtime: What a repository in a directory is told of its surroundings.

    Raises:
        PushRefused: It is no address, or credentials that cannot be used.
        FetchError: It cannot be reached.
    """
    options = options or TargetOptions()
    scheme, found, _ = address.partition("://")
    if not found and os.path.isfile(address):
        from ostrya.pull.treehub_credentials import read_server

        # A repository is a directory.
        return open_target(read_server(address), options._replace(credentials=address))
    if not found or address.startswith(_FILE):
        return _directory(address, runtime)
    if scheme == "s3":
        from ostrya.pull.push_bucket import bucket_target
        from ostrya.repo.stores.bucket import BucketOptions

        bucket = BucketOptions(options.endpoint_url, options.region, retries=options.retries)
        return bucket_target(address, bucket)
    if scheme in {"ssh", "sftp"}:
        from ostrya.pull.push_sftp import sftp_target

        return sftp_target(address, options.ssh_options)
    if scheme in {"http", "https"}:
        from ostrya.pull.push_treehub import treehub_target

        return treehub_target(
            address, options.credentials, options.tls_ca_path, retries=options.retries
        )
    raise PushRefused(
        f"cannot push to {address}: {scheme} is not known",
        hint="expected a path, or an address that begins with s3://, ssh://, http:// or https://",
    )


def _directory(address: str, runtime: Runtime) -> PushTarget:
    from urllib.parse import unquote

    from ostrya.pull.push_directory import DirectoryTarget

    if address.startswith(_FILE):
        address = unquote(address.removeprefix(_FILE))
    if not address:
        raise PushRefused("the path of the target is empty")
    return DirectoryTarget(address, runtime)
