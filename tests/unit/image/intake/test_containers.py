# SPDX-License-Identifier: Apache-2.0
import gzip
import json

import pytest

from ostrya.errors import OstryaError
from ostrya.image.errors import SourceError
from ostrya.image.intake.containers import take_docker_archive, take_oci
from ostrya.image.intake.rules import DEFAULT_LIMITS, Keeping
from ostrya.image.source_kinds import DockerArchiveSource, OciSource
from ostrya.image.tree import TreeEditor
from ostrya.progress import NULL_PROGRESS
from support.archives import COMPRESSORS, member, tar
from support.oci_images import INDEX, LAYER, MANIFEST, Layout, sha256, write_docker_archive

LOWER = tar((member("usr/a"), b"lower"), (member("usr/b"), b"b"))
UPPER = tar((member("usr/a"), b"upper"), (member("usr/.wh.b"), b""))


def oci(tx, path, name="", platform=""):
    source = OciSource(path, name, platform)
    return take_oci(tx, source, Keeping(), DEFAULT_LIMITS, NULL_PROGRESS)


def docker(tx, path, name="", platform=""):
    source = DockerArchiveSource(path, name, platform)
    return take_docker_archive(tx, source, Keeping(), DEFAULT_LIMITS, NULL_PROGRESS)


def content(tx, image) -> dict[str, bytes]:
    tree = TreeEditor(tx, image.root)
    return {path: tree.read(path) for path in tree.files_below("")}


@pytest.mark.parametrize("kind", ["folder", "tar", "tar.gz", "plain layers"])
def test_an_oci_image(tx, tmp_path, kind):
    layout = Layout()
    manifest = layout.image(LOWER, UPPER, labels={"a": "b"}, packed=kind != "plain layers")
    if kind.startswith("tar"):
        pack = gzip.compress if kind == "tar.gz" else COMPRESSORS["plain"]
        path = layout.write_tar(tmp_path / "image", manifest, pack=pack)
    else:
        path = layout.write(tmp_path / "image", manifest)
    image = oci(tx, path)
    assert content(tx, image) == {"usr/a": b"upper"}
    assert (str(image.digest), image.labels, image.layers) == (
        manifest["digest"],
        (("a", "b"),),
        2,
    )


@pytest.mark.parametrize("packer", ["plain", "gzip", "zstd"])
def test_what_docker_saved(tx, tmp_path, packer):
    path = write_docker_archive(tmp_path / "x", LOWER, UPPER, pack=COMPRESSORS[packer])
    image = docker(tx, path)
    assert content(tx, image) == {"usr/a": b"upper"}
    assert image.labels == (("from", "docker"),)


def test_an_index_within_an_index_and_platforms(tx, tmp_path):
    layout = Layout()
    images = [
        layout.image(tar((member(arch), b"")), architecture=arch, platform=platform)
        for arch, platform in (
            ("amd64", {"os": "linux", "architecture": "amd64"}),
            ("arm64", {"os": "linux", "architecture": "arm64", "variant": "v8"}),
        )
    ]
    note = {"vnd.docker.reference.type": "attestation-manifest"}
    images.append(layout.document({}, MANIFEST, annotations=note))
    inner = layout.document({"manifests": images}, INDEX)
    path = layout.write(tmp_path / "image", inner)
    assert list(content(tx, oci(tx, path, platform="arm64"))) == ["arm64"]
    with pytest.raises(SourceError, match="there are 2 images"):
        oci(tx, path)


def test_an_image_for_something_else(tx, tmp_path):
    layout = Layout()
    path = layout.write(tmp_path / "image", layout.image(LOWER, architecture="s390x"))
    with pytest.raises(SourceError, match="is for linux/s390x, not for amd64"):
        oci(tx, path, platform="amd64")
    with pytest.raises(SourceError, match="is for linux/amd64, not for arm64"):
        docker(tx, write_docker_archive(tmp_path / "x", LOWER), platform="arm64")


class TestWrong:
    def test_a_layer_that_was_changed(self, tx, tmp_path):
        layout = Layout()
        path = layout.write(tmp_path / "image", layout.image(LOWER, packed=False))
        blob = tmp_path / f"image/blobs/sha256/{sha256(LOWER)[7:]}"
        blob.write_bytes(LOWER.replace(b"lower", b"evil!"))
        with pytest.raises(SourceError, match="layer 1: it hashes to sha256:") as caught:
            oci(tx, path)
        assert caught.value.hint

    def test_a_layer_that_is_damaged_is_said_to_be_another(self, tx, tmp_path):
        layout = Layout()
        manifest = layout.image(LOWER)
        path = layout.write(tmp_path / "image", manifest)
        blob = max((tmp_path / "image/blobs/sha256").iterdir(), key=lambda one: one.stat().st_size)
        data = bytearray(gzip.compress(LOWER, mtime=0))
        data[30] ^= 0xFF
        named = tmp_path / f"image/blobs/sha256/{sha256(gzip.compress(LOWER, mtime=0))[7:]}"
        assert named.exists(), blob
        named.write_bytes(data)
        with pytest.raises(SourceError, match="it hashes to"):
            oci(tx, path)

    def test_a_layer_that_is_cut_short(self, tx, tmp_path):
        layout = Layout()
        path = layout.write(tmp_path / "image", layout.image(LOWER, packed=False))
        (tmp_path / f"image/blobs/sha256/{sha256(LOWER)[7:]}").write_bytes(LOWER[:1024])
        with pytest.raises(SourceError, match="it has 1024 bytes, not"):
            oci(tx, path)

    def test_a_layer_that_inflates_to_something_else(self, tx, tmp_path):
        layout = Layout()
        image = layout.image(LOWER, diff_ids=[sha256(UPPER)])
        with pytest.raises(SourceError, match="layer 1: it hashes to"):
            oci(tx, layout.write(tmp_path / "image", image))
        with pytest.raises(SourceError, match="layer 1: it hashes to"):
            docker(tx, write_docker_archive(tmp_path / "x", LOWER, diff_ids=[sha256(UPPER)]))

    def test_layers_and_digests_of_different_number(self, tx, tmp_path):
        layout = Layout()
        image = layout.image(LOWER, diff_ids=[sha256(LOWER)] * 2)
        with pytest.raises(SourceError, match="1 layers, and the configuration speaks of 2"):
            oci(tx, layout.write(tmp_path / "image", image))

    def test_a_manifest_that_was_changed(self, tx, tmp_path):
        layout = Layout()
        manifest = layout.image(LOWER)
        path = layout.write(tmp_path / "image", manifest)
        blob = tmp_path / f"image/blobs/sha256/{str(manifest['digest'])[7:]}"
        blob.write_bytes(blob.read_bytes()[:-1] + b" ")
        with pytest.raises(SourceError, match="it hashes to"):
            oci(tx, path)

    def test_an_index_that_refers_to_itself(self, tx, tmp_path, monkeypatch):
        """Nobody can make one whose digest is right; so it is made to be."""
        monkeypatch.setattr("ostrya.image.intake.containers._check", lambda *_: None)
        layout = Layout()
        digest = "sha256:" + "0" * 64
        inner = {"mediaType": INDEX, "digest": digest, "size": 0}
        for _ in range(3):
            inner["size"] = len(json.dumps({"manifests": [inner]}))
        layout.files[f"blobs/sha256/{digest[7:]}"] = json.dumps({"manifests": [inner]}).encode()
        with pytest.raises(SourceError, match="refers to itself"):
            oci(tx, layout.write(tmp_path / "image", inner))

    def test_indexes_within_indexes_without_end(self, tx, tmp_path):
        layout = Layout()
        inner = layout.image(LOWER)
        for _ in range(12):
            inner = layout.document({"manifests": [inner]}, INDEX)
        with pytest.raises(SourceError, match="refers to itself, or too far"):
            oci(tx, layout.write(tmp_path / "image", inner))

    @pytest.mark.parametrize("lost", ["oci-layout", "index.json", "blob"])
    def test_what_is_not_whole(self, tx, tmp_path, lost):
        layout = Layout()
        path = layout.write(tmp_path / "image", layout.image(LOWER, packed=False))
        name = f"blobs/sha256/{sha256(LOWER)[7:]}" if lost == "blob" else lost
        (tmp_path / "image" / name).unlink()
        with pytest.raises(SourceError, match=r"is not there|there is no "):
            oci(tx, path)

    def test_a_bomb(self, tx, tmp_path):
        layout = Layout()
        path = layout.write(tmp_path / "image", layout.image(tar((member("f"), bytes(1 << 20)))))
        limits = DEFAULT_LIMITS._replace(size_bytes=1000)
        with pytest.raises(OstryaError, match="1,000 bytes"):
            take_oci(tx, OciSource(path), Keeping(), limits, NULL_PROGRESS)

    def test_no_image_at_all(self, tx, tmp_path):
        with pytest.raises(SourceError, match="there is no image"):
            oci(tx, str(tmp_path / "nothing"))
        (tmp_path / "x").write_bytes(tar((member("x"), b"")))
        with pytest.raises(SourceError, match=r"there is no manifest\.json in it"):
            docker(tx, str(tmp_path / "x"))

    def test_a_layer_of_no_known_kind(self, tx, tmp_path):
        layout = Layout()
        manifest = {
            "config": layout.document({}, "x"),
            "layers": [layout.blob(b"weights", LAYER.replace("tar", "model"))],
        }
        with pytest.raises(SourceError, match="layer 1 is no tar"):
            oci(tx, layout.write(tmp_path / "image", layout.document(manifest, MANIFEST)))


def test_layers_in_an_archive_of_docker_may_be_compressed(tx, tmp_path):
    packed = [gzip.compress(LOWER, mtime=0), COMPRESSORS["zstd"](UPPER)]
    path = write_docker_archive(
        tmp_path / "x", *packed, diff_ids=[sha256(LOWER), sha256(UPPER)], pack=gzip.compress
    )
    assert content(tx, docker(tx, path)) == {"usr/a": b"upper"}


def test_a_last_block_may_be_short_where_a_digest_says_that_it_is_whole(tx, tmp_path):
    short = tar((member("usr/a"), b"content"))[: 512 + 7]
    layout = Layout()
    assert content(tx, oci(tx, layout.write(tmp_path / "image", layout.image(short)))) == {
        "usr/a": b"content"
    }
