# SPDX-License-Identifier: Apache-2.0
"""The JSON of container images: index, manifest, configuration, and what docker save writes."""

from __future__ import annotations

from ostrya.image.errors import SourceError
from ostrya.image.intake.oci_documents import (
    parse_config,
    parse_docker_manifest,
    parse_index,
    parse_layout,
    parse_manifest,
)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Read as one of them, which the first byte says; what is read can be used as a path."""
    kind, rest = data[:1], data[1:]
    try:
        if kind == b"i":
            found = parse_index(rest, "index")
            for one in found:
                assert one.size >= 0
                assert set(one.digest.value) <= set("0123456789abcdef")
                str(one).encode()
            return found
        if kind == b"m":
            manifest = parse_manifest(rest, "manifest")
            assert all("/" not in str(one.digest) for one in manifest.layers)
            return manifest
        if kind == b"c":
            config = parse_config(rest, "config")
            for name, text in config.labels:
                assert b"\0" not in name.encode() + text.encode()
            return config
        if kind == b"l":
            parse_layout(rest)
            return "layout"
        images = parse_docker_manifest(rest)
        for image in images:
            assert "\0" not in "".join((image.config, *image.names, *image.layers))
    except SourceError as exc:
        return exc.__cause__ or exc
    return images
