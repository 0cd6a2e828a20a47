# SPDX-License-Identifier: Apache-2.0
"""Container images made by hand: OCI layouts and what ``docker save`` writes."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.archives import member, tar

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
GZIP = f"{LAYER}+gzip"


def sha256(data: bytes) -> str:
    """A digest as images write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Layout:
    """An image layout that is being written, as files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.manifests: list[dict[str, object]] = []

    def blob(self, data: bytes, media_type: str, **more: object) -> dict[str, object]:
        """Put a blob in, and describe it."""
        digest = sha256(data)
        self.files[f"blobs/sha256/{digest[7:]}"] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def document(self, value: object, media_type: str, **more: object) -> dict[str, object]:
        """Put JSON in, and describe it."""
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def image(
        self,
        *layers: bytes,
        labels: Mapping[str, str] | None = None,
        architecture: str = "amd64",
        diff_ids: Sequence[str] | None = None,
        packed: bool = True,
        **more: object,
    ) -> dict[str, object]:
        """Put an image in, of plain tars, and describe its manifest."""
        config = {
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": dict(labels or {})},
            "rootfs": {
                "type": "layers",
                "diff_ids": [sha256(one) for one in layers] if diff_ids is None else diff_ids,
            },
        }
        blobs = [
            self.blob(gzip.compress(one, mtime=0), GZIP) if packed else self.blob(one, LAYER)
            for one in layers
        ]
        manifest = {"config": self.document(config, CONFIG), "layers": blobs}
        return self.document(manifest, MANIFEST, **more)

    def write(self, folder: Path, *manifests: dict[str, object]) -> str:
        """Write it into a directory; return the path."""
        self.files["index.json"] = json.dumps({"manifests": manifests}).encode()
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return str(folder)

    def write_tar(self, path: Path, *manifests: dict[str, object], pack=lambda data: data) -> str:
        """Write it into a tar; return the path."""
        self.files["index.json"] = json.dumps({"manifests": manifests}).encode()
        members = [(member(name), data) for name, data in sorted(self.files.items())]
        path.write_bytes(pack(tar(*members)))
        return str(path)


def write_docker_archive(
    path: Path,
    *layers: bytes,
    names: Sequence[str] = ("test:latest",),
    pack=lambda data: data,
    diff_ids: Sequence[str] | None = None,
) -> str:
    """Write an image as ``docker save`` does; return the path."""
    config = json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Labels": {"from": "docker"}},
            "rootfs": {
                "diff_ids": [sha256(one) for one in layers] if diff_ids is None else diff_ids
            },
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    paths = [f"{hashlib.sha256(one).hexdigest()}/layer.tar" for one in layers]
    manifest = [{"Config": config_name, "RepoTags": list(names), "Layers": paths}]
    members = [
        *((member(name), data) for name, data in dict(zip(paths, layers, strict=True)).items()),
        (member(config_name), config),
        (member("manifest.json"), json.dumps(manifest).encode()),
    ]
    path.write_bytes(pack(tar(*members)))
    return str(path)
