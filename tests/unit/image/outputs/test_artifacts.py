# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import jsonschema
import pytest

from ostrya._linux.umask import umask
from ostrya.image.errors import OutputError
from ostrya.image.filesystem import find_program
from ostrya.image.outputs.artifacts import write_outputs
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.files import FileKind, View
from ostrya.pull.pull_local import pull_local
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import iter_objects, load_commit
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import create_repository, open_repository
from ostrya.repo.traverse import reachable_objects
from support.commands import OURS_PATH
from support.image_artifacts import make_artifacts
from support.image_world import carve


def check_schema(value, name):
    folder = Path(__file__).resolve().parents[4] / "docs" / "reference" / "json"
    jsonschema.validate(value, json.loads((folder / f"{name}.json").read_text()))


def test_disks_and_file_systems_are_what_was_built(artifacts, out):
    said = []
    wanted = ["raw", "wic", "ota-ext4", "ota-esp", "raw.xz", "sha256sums"]
    outputs = write_outputs(artifacts, wanted, str(out), "os", tell=said.append)
    assert [one.kind for one in outputs] == wanted
    disk = Path(artifacts.disk).read_bytes()
    assert (out / "os.img").read_bytes() == disk
    assert (out / "os.wic").read_bytes() == disk
    assert lzma.decompress((out / "os.img.xz").read_bytes()) == disk
    assert (out / "os.ota-ext4").read_bytes() == Path(artifacts.root_image).read_bytes()
    plan = artifacts.plan
    assert (out / "os.ota-esp").read_bytes() == disk[plan.offset(0) :][: plan.size(0)]
    subprocess.run(["fsck.vfat", "-n", out / "os.ota-esp"], check=True, capture_output=True)
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=out, check=True, capture_output=True)
    assert said == [
        f"wrote {out}/{name}" for name in map(os.path.basename, (o.path for o in outputs))
    ]
    for one in outputs:
        assert one.size_bytes == os.stat(one.path).st_size
        assert one.sha256 == hashlib.sha256(Path(one.path).read_bytes()).hexdigest()


def test_a_disk_stays_sparse(artifacts, out):
    write_outputs(artifacts, ["raw"], str(out), "os")
    assert os.stat(out / "os.img").st_blocks <= os.stat(artifacts.disk).st_blocks + 128


def test_the_tree_is_that_of_the_release(artifacts, out):
    write_outputs(artifacts, ["ostree.tar.bz2"], str(out), "os")
    with tarfile.open(out / "os.ostree.tar.bz2") as tar:
        assert tar.getmember("usr/bin/setuid").mode == 0o4755
        assert tar.getmember("usr/etc/shadow").gid == 42


def test_a_board_without_that_partition_has_no_such_output(artifacts, out):
    with pytest.raises(OutputError, match="has no partition for its firmware"):
        write_outputs(artifacts._replace(roles=("a", "b")), ["raw", "ota-esp"], str(out), "os")
    assert os.listdir(out) == []


@pytest.mark.parametrize(
    ("wanted", "error"),
    [(["raw", "iso"], OutputError), (["raw", "delta-from=nothing"], OutputError)],
)
def test_what_cannot_be_leaves_nothing(artifacts, out, wanted, error):
    with pytest.raises(error):
        write_outputs(artifacts, wanted, str(out), "os")
    assert os.listdir(out) == []


def unpacked(path, folder, *options):
    folder.mkdir()
    subprocess.run(["tar", "-C", folder, *options, "-xpf", path], check=True)
    return folder


def test_bmaptool_is_content_with_the_map(artifacts, out):
    write_outputs(artifacts, ["wic", "wic.bmap"], str(out), "os")
    target = out / "target"
    target.write_bytes(b"garbage!" * (os.stat(out / "os.wic").st_size // 8))
    if shutil.which("bmaptool") is None:
        pytest.skip("bmaptool is not installed")
    subprocess.run(
        ["bmaptool", "copy", "--bmap", out / "os.wic.bmap", out / "os.wic", target],
        check=True, capture_output=True,
    )  # fmt: skip
    with DiskImage(str(target)) as disk:
        assert disk.table.faults == ()
        parts = [one.partition for one in disk.volumes]
    for part, argv in zip(parts, (["fsck.vfat", "-n"], ["e2fsck", "-fn"]), strict=True):
        file = carve(target, out / "part", part.offset, part.size_bytes)
        subprocess.run([find_program(argv[0]), *argv[1:], file], check=True, capture_output=True)


def test_qemu_img_is_content_with_the_qcow2(artifacts, out):
    write_outputs(artifacts, ["qcow2"], str(out), "os")
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is not installed")
    subprocess.run(["qemu-img", "check", out / "os.qcow2"], check=True, capture_output=True)
    subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", artifacts.disk, out / "os.qcow2"],
        check=True, capture_output=True,
    )  # fmt: skip


def test_the_repository_is_one(artifacts, out):
    write_outputs(artifacts, ["ostreecommit.tar.xz"], str(out), "os")
    folder = unpacked(out / "os.ostreecommit.tar.xz", out / "repo")
    with open_repository(str(folder)) as repo:
        assert require_rev(repo, artifacts.ref) == artifacts.commit
        assert repo.mode is RepoMode.ARCHIVE
        assert set(iter_objects(repo)) == set(reachable_objects(repo, [artifacts.commit]))
    if shutil.which("ostree"):
        subprocess.run(["ostree", "fsck", f"--repo={folder}"], check=True, capture_output=True)


def test_the_archive_and_the_file_system_have_the_same_files(artifacts, out):
    """With ids, modes, attributes, hard links and content."""
    write_outputs(artifacts, ["ota.tar"], str(out), "os")
    found, links = {}, {}
    with tarfile.open(out / "os.ota.tar") as tar:
        for one in tar.getmembers():
            if one.islnk():
                links.setdefault(one.linkname, {one.linkname}).add(one.name)
                continue
            stream = tar.extractfile(one) if one.isreg() else None
            xattrs = {
                key.removeprefix("SCHILY.xattr."): value
                for key, value in one.pax_headers.items()
                if key.startswith("SCHILY.xattr.")
            }
            content = one.linkname if stream is None else hashlib.sha256(stream.read()).hexdigest()
            # Modes of links are nobody's.
            mode = 0o777 if one.issym() else one.mode
            found[one.name] = (mode, one.uid, one.gid, content, xattrs)
    for first, names in links.items():
        found |= dict.fromkeys(names, found[first])
    there, inodes = {}, {}
    with DiskImage(artifacts.root_image) as disk:
        files = disk.volumes[0].files
        view = View(files)
        stack = [("", view.find("/"))]
        while stack:
            path, place = stack.pop()
            one = place.entry
            content = ""
            if one.is_dir:
                stack += [(f"{path}/{child.entry.name}", child) for child in view.entries(place)]
            elif one.kind is FileKind.LINK:
                content = files.target(one)
            else:
                content = hashlib.sha256(b"".join(files.chunks(one))).hexdigest()
                inodes.setdefault(one.handle, set()).add(f".{path}")
            xattrs = {key.decode(): value.decode() for key, value in files.xattrs(one)}
            there[f".{path}"] = (one.mode, one.uid, one.gid, content, xattrs)
    del there["./lost+found"]
    assert found == there
    assert {frozenset(names) for names in links.values()} == {
        frozenset(names) for names in inodes.values() if len(names) > 1
    }
    assert len(links) > 10


def test_a_btrfs_has_owners_and_links(artifacts, out):
    write_outputs(artifacts, ["ota-btrfs"], str(out), "os")
    path = out / "os.ota-btrfs"
    assert path.stat().st_size >= os.stat(artifacts.root_image).st_size
    if shutil.which("btrfs") is None:
        pytest.skip("btrfs-progs are not installed")
    subprocess.run(["btrfs", "check", "--check-data-csum", path], check=True, capture_output=True)
    argv = ["btrfs", "inspect-internal", "dump-tree", "-t", "5", path]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "name: security.capability" in text
    assert "uid 7 gid 8" in text


def test_a_delta_leads_to_the_release(artifacts, releases, out):
    old = releases[0].checksum
    write_outputs(artifacts, [f"delta-from={old}"], str(out), "os")
    (path,) = out.iterdir()
    assert path.name == f"os.from-{old[:12]}.delta"
    with create_repository(str(out / "repo"), RepoMode.ARCHIVE) as repo:
        pull_local(repo, artifacts.repo, [old])
        subprocess.run(
            [OURS_PATH, f"--repo={out}/repo", "static-delta", "apply-offline", path], check=True
        )
        assert load_commit(repo, artifacts.commit).parent == old
        assert reachable_objects(repo, [artifacts.commit])


def test_the_manifest_says_what_was_built(artifacts, out):
    wanted = ["manifest", "raw", "ota-esp"]
    outputs = write_outputs(artifacts, wanted, str(out), "os")
    found = json.loads((out / "os.manifest.json").read_text())
    check_schema(found, "image-manifest")
    assert found["board"]["name"] == "qemu-x86_64"
    assert found["release"]["commit"] == artifacts.commit
    assert [one["role"] for one in found["disk"]["partitions"]] == ["boot", "root"]
    assert [one["sha256"] for one in found["outputs"]] == [one.sha256 for one in outputs[:2]]
    assert found["decisions"] == list(artifacts.decisions)


def test_a_table_of_the_old_kind_is_told_as_it_is(repo, releases, out, tmp_path):
    artifacts = make_artifacts(repo, [releases[1].checksum], tmp_path / "build", table="mbr")
    write_outputs(artifacts, ["raw", "raw.bmap", "manifest"], str(out), "os")
    said = json.loads((out / "os.manifest.json").read_text())["disk"]
    check_schema(json.loads((out / "os.manifest.json").read_text()), "image-manifest")
    with DiskImage(str(out / "os.img")) as disk:
        assert (said["table"], said["guid"]) == (disk.table.kind, disk.table.guid)
        assert [
            (one["number"], one["type"], one["guid"], one["offset"], one["size_bytes"])
            for one in said["partitions"]
        ] == [
            (one.number, one.type, one.guid, one.offset, one.size_bytes)
            for one in disk.table.partitions
        ]  # fmt: skip
        assert [one.kind for one in disk.volumes] == ["fat16", "ext4"]


def test_the_bill_names_the_release(artifacts, out):
    write_outputs(artifacts, ["spdx"], str(out), "os")
    found = json.loads((out / "os.spdx.json").read_text())
    image = found["packages"][0]
    assert image["checksums"][0]["checksumValue"] == artifacts.commit
    assert image["versionInfo"] == "2"


def test_two_runs_give_the_same_bytes(artifacts, out):
    wanted = [
        "raw.zst", "qcow2", "ota-btrfs", "wic.bmap", "ota.tar.gz", "ostree.tar.xz", "ostreecommit.tar",
        "spdx", "manifest", "sha256sums", f"delta-from={artifacts.commit}",
    ]  # fmt: skip
    (out / "a").mkdir()
    (out / "b").mkdir()
    with umask(0o077):
        first = write_outputs(artifacts, wanted, str(out / "a"), "os")
    second = write_outputs(artifacts, wanted, str(out / "b"), "os")
    assert [one.sha256 for one in first] == [one.sha256 for one in second]
    assert os.listdir(artifacts.scratch) == []
