# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from ostrya.boot.initramfs.build import build_initramfs
from ostrya.boot.initramfs.compress import Compression
from ostrya.errors import OstryaError
from ostrya.formats.commit import KEY_BOOTABLE, KEY_LINUX, KEY_REF_BINDING, KEY_VERSION
from ostrya.formats.object_name import ObjectType
from ostrya.image.convert import ConvertOptions
from ostrya.image.errors import ConversionError, SourceError
from ostrya.image.policies import AccountPolicy
from ostrya.image.release import ReleaseOptions, commit_release
from ostrya.image.source_kinds import OciSource
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import require_rev, resolve_rev
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions
from support.archives import member, tar
from support.image_world import KVER, ROOTFS, Member, write_tar
from support.oci_images import Layout, write_docker_archive
from support.small_repos import names_of


def test_a_release_says_what_it_is(repo, releases):
    first, second = (load_commit(repo, release.checksum) for release in releases)
    assert require_rev(repo, "os/stable") == releases[1].checksum
    assert second.parent == releases[0].checksum
    assert (first.timestamp, first.metadata.lookup(KEY_VERSION, "s")) == (1700000000, "1")
    assert first.metadata.lookup(KEY_LINUX, "s") == KVER
    assert first.metadata.lookup(KEY_BOOTABLE, "b") is True
    assert first.metadata.lookup(KEY_REF_BINDING, "as") == ("os/stable",)


def test_the_same_again_is_the_same_release(repo, releases, tmp_path):
    again = commit_release(repo, str(tmp_path / "two.tar"), ReleaseOptions("os/stable", 1, "2"))
    assert (again.checksum, again.is_new) == (releases[1].checksum, False)
    other = commit_release(repo, str(tmp_path / "two.tar"), ReleaseOptions("os/stable", 1, "3"))
    assert other.is_new


def test_the_ramdisk_is_that_of_the_tree(repo, releases, tmp_path):
    checkout_commit(
        repo, releases[0].checksum, str(tmp_path / "out"), options=CheckoutOptions(user_mode=True)
    )
    built = (tmp_path / f"out/usr/lib/modules/{KVER}/initramfs.img").read_bytes()
    assert built == build_initramfs(str(tmp_path / "out")).data


def test_what_cannot_be_a_release_leaves_no_ref(repo, tmp_path):
    path = write_tar(tmp_path / "x.tar", {"usr/file": Member(b"x")})
    with pytest.raises(SourceError):
        commit_release(repo, str(path), ReleaseOptions("os/stable", 1))
    assert resolve_rev(repo, "os/stable", allow_noent=True) is None


def test_a_release_says_which_image_it_was_made_of(repo, tmp_path):
    data = write_tar(tmp_path / "layer.tar", ROOTFS).read_bytes()
    layout = Layout()
    manifest = layout.image(data, labels={"vendor": "us"})
    source = OciSource(layout.write(tmp_path / "image", manifest))
    release = commit_release(repo, source, ReleaseOptions("os/stable", 1700000000))
    metadata = load_commit(repo, release.checksum).metadata
    assert metadata.lookup("ostrya.source", "s") == f"oci:{manifest['digest']}"
    assert dict(metadata.lookup("ostrya.labels", "a{ss}")) == {"vendor": "us"}


def test_users_keep_their_numbers_from_release_to_release(repo, tmp_path):
    def rootfs(number: int) -> str:
        line = f"web:x:{number}:{number}::/:/bin/false\n".encode()
        changed = {
            **ROOTFS,
            "etc/passwd": Member(line),
            "etc/group": Member(f"web:x:{number}:\n".encode()),
            "var/web": Member(b"x", uid=number, gid=number),
        }
        return str(write_tar(tmp_path / f"{number}.tar", changed))

    options = ReleaseOptions("os/stable", 1700000000)
    first = commit_release(repo, rootfs(101), options)
    with pytest.raises(ConversionError, match="user web has 102; it had 101"):
        commit_release(repo, rootfs(102), options)
    assert require_rev(repo, "os/stable") == first.checksum
    policies = ConvertOptions(accounts=AccountPolicy.KEEP_OLD)
    again = commit_release(repo, rootfs(102), options._replace(convert=policies))
    # All is as it was, so there is nothing new.
    assert (again.checksum, again.is_new) == (first.checksum, False)
    assert "accounts.kept" in {one.code for one in again.report}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: write_tar(path, {"../x": Member()}), "x.tar: "),
        (lambda path: write_tar(path, {"readme": Member(b"x")}), "it has no /usr"),
        (lambda path: path.write_bytes(b"\x1f\x8b\x08" + bytes(50)), "x.tar: "),
        (lambda path: path.write_bytes(b"no archive"), "x.tar: "),
        (lambda path: write_docker_archive(path, tar((member("f"), b""))), "it has no /usr"),
    ],
    ids=["paths", "no rootfs", "damaged", "no archive", "image without a system"],
)
def test_what_cannot_be_a_release_leaves_nothing(repo, tmp_path, make, words):
    make(tmp_path / "x.tar")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OstryaError, match=re.escape(words)) as caught:
        commit_release(repo, str(tmp_path / "x.tar"), ReleaseOptions("os/stable", 1))
    assert "\n" not in caught.value.message
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert resolve_rev(repo, "os/stable", allow_noent=True) is None
    assert names_of(repo, ObjectType.COMMIT) == set()


def test_a_ramdisk_without_compression(repo, rootfs, tmp_path):
    options = ReleaseOptions("os/stable", 1, compression=Compression.NONE)
    release = commit_release(repo, rootfs, options)
    out = str(tmp_path / "out")
    checkout_commit(repo, release.checksum, out, options=CheckoutOptions(user_mode=True))
    ramdisk = tmp_path / f"out/usr/lib/modules/{KVER}/initramfs.img"
    assert ramdisk.read_bytes()[:6] == b"070701"
