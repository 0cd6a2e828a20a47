# SPDX-License-Identifier: Apache-2.0
# what is under test is what happens to a whole block
from __future__ import annotations

import gzip
import io
import itertools
import os
import stat
import tarfile

import pytest

from ostrya.cli.commit_trees import _parse_filter
from ostrya.cli.errors import UsageError
from ostrya.errors import OstryaError
from ostrya.formats.object_name import ObjectType
from ostrya.repo.errors import LowSpace
from ostrya.repo.reader import load_dirmeta, load_file
from ostrya.repo.transaction import Transaction
from ostrya.tree.archive_import import ArchiveExtent, import_archive
from ostrya.tree.errors import ArchiveError, ParentMissing, TreeConflict
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from support.archives import COMPRESSORS, TRAILER_NEWC, member, newc, tar
from support.small_repos import make_repo, names_of

ROOT = member(".", tarfile.DIRTYPE)


def take(tx, data: bytes, modifier=None, **options) -> MutableTree:
    tree = MutableTree()
    import_archive(tx, io.BytesIO(data), tree, modifier, **options)
    return tree


def flat(tx, tree, prefix: str = "") -> dict[str, bytes]:
    """Every file with its content."""
    found = {}
    for name, checksum in tree.files().items():
        with load_file(tx.repo, checksum) as loaded:
            found[prefix + name] = loaded.read() or loaded.header.symlink_target.encode()
    for name, child in tree.dirs().items():
        found |= flat(tx, child, f"{prefix}{name}/")
    return found


@pytest.mark.parametrize("packer", COMPRESSORS)
def test_files_directories_and_links(tx, packer):
    data = tar(
        ROOT,
        member("d/", tarfile.DIRTYPE, mode=0o750, uid=7, gid=8),
        (member("./d/f", mode=0o4755), b"content"),
        member("/l", tarfile.SYMTYPE, linkname="/etc/passwd"),
    )
    tree = take(tx, COMPRESSORS[packer](data))
    assert flat(tx, tree) == {"d/f": b"content", "l": b"/etc/passwd"}
    dirmeta = load_dirmeta(tx.repo, tree.dirs()["d"].metadata_checksum)
    assert dirmeta[:3] == (7, 8, 0o040750)
    with load_file(tx.repo, tree.dirs()["d"].files()["f"]) as loaded:
        assert loaded.header.mode == 0o104755


class TestHostilePaths:
    @pytest.mark.parametrize("name", ["../x", "a/../../x", "d/..", "./../x"])
    @pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])
    def test_that_lead_out_are_refused(self, tx, name, kind):
        data = tar(ROOT, member("d", tarfile.DIRTYPE), member(name, kind, linkname="x"))
        with pytest.raises(ArchiveError, match=r"\.\."):
            take(tx, data, autocreate_parents=True)

    def test_absolute_ones_are_taken_as_relative(self, tx):
        data = tar(ROOT, (member("//etc//passwd"), b"x"), (member("/../y"), b"y"))
        tree = take(tx, data, autocreate_parents=True)
        assert flat(tx, tree) == {"etc/passwd": b"x", "y": b"y"}

    @pytest.mark.parametrize("target", ["../../etc/passwd", "/etc/passwd", "nothing", "d", ""])
    def test_hard_links_lead_to_files_of_the_archive_only(self, tx, target):
        data = tar(
            ROOT, member("d", tarfile.DIRTYPE), member("h", tarfile.LNKTYPE, linkname=target)
        )
        with pytest.raises(ArchiveError):
            take(tx, data)

    def test_through_a_link_of_the_archive(self, tx):
        data = tar(ROOT, member("l", tarfile.SYMTYPE, linkname="/tmp"), (member("l/f"), b"x"))
        with pytest.raises(OstryaError):
            take(tx, data)
        with pytest.raises(TreeConflict, match="l"):
            take(tx, data, autocreate_parents=True)

    def test_a_name_that_is_not_utf8(self, tx):
        with pytest.raises(ArchiveError):
            take(tx, newc(b".", mode=0o040755) + newc(b"\xff\xfe") + TRAILER_NEWC)

    def test_a_target_that_is_not_utf8(self, tx):
        data = newc(b".", mode=0o040755) + newc(b"link", b"\xff", 0o120777) + TRAILER_NEWC
        with pytest.raises(ArchiveError, match="link"):
            take(tx, data)

    @pytest.mark.parametrize("number", [2**32, 2**40])
    @pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
    def test_owners_that_no_object_can_have(self, tx, number, kind):
        data = tar(ROOT, member("odd", kind, uid=number), kind=tarfile.GNU_FORMAT)
        with pytest.raises(ArchiveError, match="odd"):
            take(tx, data)

    @pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
    def test_devices_and_pipes(self, tx, kind):
        with pytest.raises(ArchiveError, match='Unsupported file type for path "dev"'):
            take(tx, tar(ROOT, member("dev", kind)))

    def test_a_root_that_is_no_directory(self, tx):
        with pytest.raises(ArchiveError, match="must be a directory"):
            take(tx, tar(member(".", tarfile.SYMTYPE, linkname="/etc")))

    def test_a_file_where_a_directory_was(self, tx):
        data = tar(ROOT, member("x", tarfile.DIRTYPE), (member("x"), b""))
        with pytest.raises(TreeConflict, match="x"):
            take(tx, data)


class TestHardLinks:
    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_in_any_order(self, tx, order):
        parts = [
            (member("a"), b"content"),
            member("b", tarfile.LNKTYPE, linkname="a"),
            member("c", tarfile.LNKTYPE, linkname="./b"),
        ]
        tree = take(tx, tar(ROOT, *(parts[at] for at in order)))
        assert flat(tx, tree) == dict.fromkeys("abc", b"content")
        assert len(set(tree.files().values())) == 1

    def test_in_a_circle(self, tx):
        data = tar(
            ROOT,
            member("a", tarfile.LNKTYPE, linkname="b"),
            member("b", tarfile.LNKTYPE, linkname="a"),
        )
        with pytest.raises(ArchiveError, match="but found nothing"):
            take(tx, data)

    def test_to_itself(self, tx):
        with pytest.raises(ArchiveError):
            take(tx, tar(ROOT, member("a", tarfile.LNKTYPE, linkname="a")))

    @pytest.mark.parametrize("last", [0, 1, 2])
    def test_of_cpio_content_comes_with_any_of_them(self, tx, last):
        data = newc(b".", mode=0o040755)
        for number, name in enumerate((b"a", b"b", b"c")):
            content = b"content" if number == last else b""
            data += newc(name, content, inode=9, links=3)
        assert flat(tx, take(tx, data + TRAILER_NEWC)) == dict.fromkeys("abc", b"content")


class TestParents:
    def test_that_are_left_out(self, tx):
        data = tar(ROOT, (member("a/b/f"), b"x"))
        with pytest.raises(ParentMissing, match="a/b") as caught:
            take(tx, data)
        assert "--tar-autocreate-parents" in caught.value.hint

    def test_are_made_with_the_owner_of_what_needs_them(self, tx):
        tree = take(tx, tar((member("a/b/f", uid=5, gid=6), b"x")), autocreate_parents=True)
        for names in ([], ["a"], ["a", "b"]):
            dirmeta = load_dirmeta(tx.repo, tree.walk(names).metadata_checksum)
            assert dirmeta[:3] == (5, 6, 0o040755)

    def test_an_empty_archive_has_no_root_unless_made(self, tx):
        assert take(tx, b"").metadata_checksum is None
        assert take(tx, b"", autocreate_parents=True).metadata_checksum is not None


class TestModifier:
    def test_owners_modes_and_skips(self, tx):
        data = tar(
            ROOT, (member("f", uid=9), b"x"), (member("out"), b"y"), member("d", tarfile.DIRTYPE)
        )
        modifier = CommitModifier(
            owner_uid=1, owner_gid=2, skip_paths={"/out"}, mode_overrides={"/f": 0o600}
        )
        tree = take(tx, data, modifier)
        assert list(tree.files()) == ["f"]
        with load_file(tx.repo, tree.files()["f"]) as loaded:
            assert loaded.header[:3] == (1, 2, stat.S_IFREG | 0o600)

    def test_renaming(self, tx):
        data = tar(ROOT, member("etc", tarfile.DIRTYPE), (member("etc/f"), b"x"))
        tree = take(
            tx,
            data,
            autocreate_parents=True,
            rename=lambda path: f"usr/{path}" if path.startswith("etc") else path,
        )
        assert flat(tx, tree) == {"usr/etc/f": b"x"}

    def test_names_are_renamed_as_the_archive_spells_them(self, tx):
        """A directory of a tar has a slash at its end; what leads to the root is gone."""
        data = tar(
            member("./", tarfile.DIRTYPE),
            member("./d/", tarfile.DIRTYPE, mode=0o750),
            (member("/./d//f"), b"x"),
            (member("/../g"), b""),
            (member("f", tarfile.LNKTYPE, linkname="./d//f"), b""),
        )
        seen = []

        def rename(path: str) -> str:
            seen.append(path)
            return path.removeprefix("d/")

        tree = take(tx, data, rename=rename)
        assert seen == ["", "d/", "d//f", "g", "f", "d//f"]
        assert flat(tx, tree) == {"f": b"x", "g": b""}
        assert load_dirmeta(tx.repo, tree.metadata_checksum).mode == 0o040750

    def test_names_of_cpio_have_no_slash_to_be_renamed_by(self, tx):
        data = newc(b".", mode=0o040755) + newc(b"d", mode=0o040755) + TRAILER_NEWC
        seen = []
        take(tx, data, rename=lambda path: seen.append(path) or path)
        assert seen == ["", "d"]

    def test_nothing_left_of_a_name(self, tx):
        with pytest.raises(ArchiveError, match="root of an archive must be a directory"):
            take(tx, tar(ROOT, (member("f"), b"")), rename=lambda _path: "")

    def test_renaming_may_not_lead_out(self, tx):
        with pytest.raises(ArchiveError):
            take(tx, tar(ROOT, (member("f"), b"")), rename=lambda _path: "../f")


def test_large_files_are_spooled(tx, monkeypatch):
    monkeypatch.setattr("ostrya.repo.writer.WHOLE_BYTES", 1000)
    content = os.urandom(5000)
    tree = take(tx, tar(ROOT, (member("large"), content)))
    assert flat(tx, tree) == {"large": content}


def test_no_room_for_a_file_is_told_before_it_is_read(tmp_path):
    with make_repo(tmp_path / "r", min_free_space_size="1000TB") as repo:
        with pytest.raises(LowSpace, match="min-free-space-size"), Transaction(repo) as tx:
            take(tx, tar(ROOT, (member("f"), b"x" * 1000)))
        assert names_of(repo, ObjectType.FILE) == set()
        assert os.listdir(repo.tmp_fd) == ["cache"]


class TestPathnameFilter:
    """What GRegex makes of the same option."""

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        ("option", "path"),
        [
            ("[[:lower:]],X", "X"),
            ("[^[:upper:][:digit:]],X", "X"),
            (r"b,<\0>", "<b>"),
            (r"(?<n>b),\g<n>z", "bz"),
            (r"(?<=x)b|b,z", "z"),
            (r"(?<n>b)\k<n>|b,z", "z"),
            (r"b,z\3", "z"),
            (r"b,z\g<k>", "z"),
            (r"(x)|b,z\1", "z"),
            (r"b,\x41\x{42}", "AB"),
            (r"b\z,z", "z"),
            (r"b\Z,z", "z"),
            (r"b,\\", "\\"),
            (r"(b),\1\1", "bb"),
        ],
    )
    def test_what_is_understood(self, option, path):
        assert _parse_filter(option)("b") == path

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "option",
        [r"b,\q", r"b,\u\0", "b,\\", r"b,\g<", r"b,\012", "[[:none:]],x", r"\Qb\E,x", "(?u)b,x",
         "[[b],x", "(,x"],
    )  # fmt: skip
    def test_what_is_refused(self, option):
        with pytest.raises(UsageError, match="--tar-pathname-filter: "):
            _parse_filter(option)


class TestLimits:
    LIMITS = ArchiveExtent(size_bytes=100_000, entries=10)

    def test_within_them(self, tx):
        data = gzip.compress(tar(ROOT, (member("f"), b"x" * 1000)))
        assert flat(tx, take(tx, data, limits=self.LIMITS)) == {"f": b"x" * 1000}

    def test_a_file_that_inflates_to_too_much(self, tx):
        data = gzip.compress(tar(ROOT, (member("f"), bytes(1 << 20))))
        with pytest.raises(ArchiveError, match="more than 100,000 bytes") as caught:
            take(tx, data, limits=self.LIMITS)
        assert caught.value.hint

    def test_zeros_that_are_no_files(self, tx):
        data = gzip.compress(tar(ROOT, member("f", tarfile.CHRTYPE)) + bytes(1 << 20) + b"x")
        with pytest.raises(ArchiveError, match="larger than 1,000 bytes when it is inflated"):
            take(
                tx,
                data,
                CommitModifier(skip_paths={"/f"}),
                limits=ArchiveExtent(1_000, 10),
            )

    def test_too_many_entries_of_one_name(self, tx):
        data = tar(ROOT, *[(member("f"), b"%d" % at) for at in range(20)])
        with pytest.raises(ArchiveError, match="more than 10 entries"):
            take(tx, data, limits=self.LIMITS)


class TestLayer:
    """What an archive lies upon."""

    def test_left_out_directories_have_no_metadata(self, tx):
        tree = take(tx, tar((member("a/b/f"), b"x")), below=lambda _path: None)
        assert tree.walk(["a", "b"]).metadata_checksum is None
        assert flat(tx, tree) == {"a/b/f": b"x"}

    def test_a_hard_link_may_lead_below(self, tx):
        under = take(tx, tar(ROOT, (member("old"), b"below")))
        data = tar(ROOT, member("new", tarfile.LNKTYPE, linkname="./old"))
        tree = take(tx, data, below=lambda path: under.files().get(path))
        assert flat(tx, tree) == {"new": b"below"}
        with pytest.raises(ArchiveError, match="but found nothing"):
            take(tx, data, below=lambda _path: None)


class TestManyFiles:
    """More than one batch, so that workers are at work."""

    NAMES = tuple(f"{at:04}" for at in range(500))

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_all_are_where_they_belong(self, tx, jobs):
        files = [(member(name), name.encode() * 500) for name in self.NAMES]
        tree = take(tx, tar(ROOT, *files), jobs=jobs)
        assert flat(tx, tree) == {name: name.encode() * 500 for name in self.NAMES}
        assert tx.counts.content_written == 500

    def test_the_last_of_one_name_stays(self, tx):
        files = [(member("f"), name.encode() * 3000) for name in self.NAMES]
        assert flat(tx, take(tx, tar(ROOT, *files), jobs=2)) == {"f": b"0499" * 3000}

    def test_a_large_one_takes_the_place_of_one_under_way(self, tx, monkeypatch):
        monkeypatch.setattr("ostrya.tree.archive_import.HANDED_OVER_BYTES", 1000)
        files = [(member(name), b"y") for name in self.NAMES]
        data = tar(ROOT, *files, (member("0499"), b"large" * 1000))
        assert flat(tx, take(tx, data, jobs=2))["0499"] == b"large" * 1000

    def test_what_one_cannot_store_is_named(self, tx):
        data = newc(b".", mode=0o040755)
        data += b"".join(newc(name.encode(), b"x", inode=9) for name in self.NAMES)
        data += newc(b"link", b"\xff", 0o120777) + TRAILER_NEWC
        with pytest.raises(ArchiveError, match="link"):
            take(tx, data, jobs=2)

    def test_a_chain_of_hard_links_is_followed_once(self, tx):
        links = [
            member(name, tarfile.LNKTYPE, linkname=f"{int(name) + 1:04}") for name in self.NAMES
        ]
        tree = take(tx, tar(ROOT, *links, (member("0500"), b"end")))
        assert flat(tx, tree) == dict.fromkeys([*self.NAMES, "0500"], b"end")


def test_sizes_of_what_workers_stored_are_known(tx):
    tx.want_sizes()
    take(tx, tar(ROOT, *[(member(f"{at}"), b"%d" % at) for at in range(300)]), jobs=2)
    assert sum(entry.unpacked == len(b"299") for entry in tx.sizes.values()) >= 200
