# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.intake.oci_documents import (
    Digest,
    parse_config,
    parse_digest,
    parse_docker_manifest,
    parse_index,
    parse_layout,
    parse_manifest,
)

HEX = "ab" * 32
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def encode(value) -> bytes:
    return json.dumps(value).encode()


def descriptor(**more):
    return {"mediaType": LAYER, "digest": f"sha256:{HEX}", "size": 3, **more}


def test_an_index():
    found = parse_index(
        encode(
            {
                "manifests": [
                    descriptor(platform={"os": "linux", "architecture": "arm", "variant": "v7"}),
                    descriptor(annotations={"org.opencontainers.image.ref.name": "stable"}),
                    descriptor(annotations={"vnd.docker.reference.type": "attestation-manifest"}),
                ]
            }
        ),
        "index",
    )
    assert [one.platform for one in found] == ["linux/arm/v7", "", ""]
    assert [one.name for one in found] == ["", "stable", ""]
    assert [one.is_image for one in found] == [True, True, False]
    assert found[0].digest == Digest("sha256", HEX)


@pytest.mark.parametrize(
    "media_type",
    [
        LAYER,
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ],
)
def test_a_manifest(media_type):
    manifest = {"config": descriptor(), "layers": [descriptor(mediaType=media_type)]}
    assert len(parse_manifest(encode(manifest), "m").layers) == 1


@pytest.mark.parametrize(
    "media_type", ["", "application/wasm", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"]
)
def test_layers_that_are_no_tar_are_refused(media_type):
    manifest = {"config": descriptor(), "layers": [descriptor(mediaType=media_type)]}
    with pytest.raises(SourceError, match="layer 1 is no tar"):
        parse_manifest(encode(manifest), "m")


def test_a_configuration():
    config = parse_config(
        encode(
            {
                "os": "linux",
                "architecture": "arm64",
                "config": {"Labels": {"b": "2", "a": "x\ny"}},
                "rootfs": {"diff_ids": [f"sha256:{HEX}"]},
            }
        ),
        "config",
    )
    assert config.platform == "linux/arm64"
    assert config.labels == (("a", "x\ny"), ("b", "2"))
    assert config.diff_ids == (Digest("sha256", HEX),)
    assert parse_config(b'{"config": {"Labels": null}}', "config") == ("", (), ())


def test_what_docker_save_says():
    (image,) = parse_docker_manifest(
        encode([{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar"]}])
    )
    assert image == ("c.json", (), ("a/layer.tar",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b"1" * 10_000,
        b'{"manifests": 3}',
        b'{"manifests": [3]}',
        b'{"manifests": [{}]}',
        encode({"manifests": [descriptor(size=-1)]}),
        encode({"manifests": [descriptor(size=True)]}),
        encode({"manifests": [descriptor(digest="sha256:../../etc/passwd")]}),
        encode({"manifests": [descriptor(digest="md5:" + "0" * 32)]}),
        encode({"manifests": [descriptor(platform=3)]}),
        encode({"manifests": [descriptor(annotations={"a": 3})]}),
        encode({"manifests": [descriptor(annotations={"a": "\ud800"})]}),
        b" " * (5 << 20),
    ],
)
def test_an_index_that_is_none(data):
    with pytest.raises(SourceError, match=r"^index"):
        parse_index(data, "index")


@pytest.mark.parametrize(
    "data",
    [b"{}", b'[{"Config": 3}]', b'[{"Config": "x", "Layers": [3]}]', b'[{"Config":"\\u0000"}]'],
)
def test_what_docker_never_saved(data):
    with pytest.raises(SourceError, match=r"^manifest\.json"):
        parse_docker_manifest(data)


def test_layouts_of_other_versions_are_refused():
    parse_layout(b'{"imageLayoutVersion": "1.0.0"}')
    for data in (b'{"imageLayoutVersion": "2.0.0"}', b"{}"):
        with pytest.raises(SourceError, match="version"):
            parse_layout(data)


def test_digests():
    assert parse_digest("sha512:" + "0" * 128, "x").algorithm == "sha512"
    for text in ("sha256:" + "A" * 64, "sha256:", "sha512:" + "0" * 64, 3, None):
        with pytest.raises(SourceError):
            parse_digest(text, "x")
