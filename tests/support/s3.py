# SPDX-License-Identifier: Apache-2.0
"""A real S3 interface on loopback: moto's server, in a process of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from pathlib import Path
from typing import Self
from urllib.parse import quote

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}
BUCKET = "trees"
# moto looks whose it is, and not whether it fits.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=tester/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=00"
)


class S3Server:
    """The server, with one empty bucket."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **CREDENTIALS},
        )  # fmt: skip
        self.port = int(self._process.stdout.readline())
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.request("PUT", f"/{BUCKET}")

    def request(self, method: str, path: str, **headers: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            data = answer.read()
            assert answer.status < 300, f"{method} {path}: {answer.status} {data[:200]!r}"
            return data
        finally:
            connection.close()

    def store(self, prefix: str):
        """Our store for a prefix."""
        from ostrya.repo.stores.bucket import BucketOptions, open_bucket

        return open_bucket(
            f"s3://{BUCKET}/{prefix}",
            BucketOptions(self.endpoint, "us-east-1", "tester", "secret", retries=1),
        )

    def publish(self, prefix: str) -> str:
        """Let everybody read what is below a prefix; its address for that."""
        for path in self.store(prefix).list(""):
            name = quote(f"{prefix}/{path}")
            headers = {"x-amz-acl": "public-read", "Authorization": _SIGNED}
            self.request("PUT", f"/{BUCKET}/{name}?acl", **headers)
        return f"{self.endpoint}/{BUCKET}/{prefix}"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def dump(store, folder: Path) -> Path:
    """Write what a store of files holds into a directory, which then is a repository."""
    for path in store.list(""):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.read(path, 1 << 30)[0])
    for name in ("tmp", "state", "refs/heads", "refs/remotes", "refs/mirrors", "objects"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    import time

    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    time.sleep(3600)
