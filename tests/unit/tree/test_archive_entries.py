# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import stat
import struct
import tarfile
from contextlib import suppress

import pytest

from ostrya.tree import archive_entries
from ostrya.tree.archive_entries import read_archive
from ostrya.tree.errors import ArchiveError
from support.archives import COMPRESSORS, TRAILER_NEWC, TRAILER_ODC, member, newc, odc, tar
from support.memory import memory_growth

CPIO = {"newc": (newc, TRAILER_NEWC), "odc": (odc, TRAILER_ODC)}


def read(data: bytes) -> list[tuple]:
    """All entries, each with its content."""
    return [(entry, b"".join(entry.chunks())) for entry in read_archive(io.BytesIO(data))]


def one(data: bytes):
    ((entry, content),) = read(data)
    return entry, content


class TestTar:
    @pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
    def test_kinds_of_entries(self, kind):
        data = tar(
            member("d", tarfile.DIRTYPE, mode=0o2755, uid=1, gid=2),
            (member("d/f", mode=0o4711, uid=3, gid=4), b"content"),
            member("d/s", tarfile.SYMTYPE, linkname="../x"),
            member("d/h", tarfile.LNKTYPE, linkname="d/f"),
            member("p", tarfile.FIFOTYPE),
            member("c", tarfile.CHRTYPE, devmajor=1, devminor=3),
            member("b", tarfile.BLKTYPE),
            kind=kind,
        )
        entries = [entry for entry, _ in read(data)]
        assert [stat.S_IFMT(entry.mode) for entry in entries] == [
            stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK, stat.S_IFREG,
            stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK,
        ]  # fmt: skip
        assert (entries[0].uid, entries[0].gid, entries[0].mode) == (1, 2, 0o042755)
        assert (entries[1].uid, entries[1].mode, entries[1].size) == (3, 0o104711, 7)
        assert entries[2].symlink_target == "../x"
        assert entries[3].hardlink == "d/f"
        assert [content for _, content in read(data)][1] == b"content"

    @pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    def test_long_names_and_targets(self, kind):
        name, target = "n" * 200 + "/é" * 100, "t" * 3000
        data = tar(member(name, tarfile.SYMTYPE, linkname=target), kind=kind)
        entry, _ = one(data)
        assert (entry.path, entry.symlink_target) == (name, target)

    @pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    @pytest.mark.parametrize("number", [0, 0o7777777, 0o10000000, 2**31, 2**32 - 1])
    def test_numeric_ids(self, kind, number):
        entry, _ = one(tar(member("f", uid=number, gid=number), kind=kind))
        assert (entry.uid, entry.gid) == (number, number)

    def test_xattrs_of_both_spellings(self):
        headers = {
            "SCHILY.xattr.user.plain": "value",
            "LIBARCHIVE.xattr.user.coded%20name": "AP8=",
        }
        entry, _ = one(tar(member("f", pax_headers=headers)))
        assert entry.xattrs == ((b"user.coded name", b"\0\xff"), (b"user.plain", b"value"))

    def test_the_label_that_tar_writes(self):
        label = "system_u:object_r:bin_t:s0"
        entry, _ = one(tar(member("f", pax_headers={"RHT.security.selinux": label})))
        assert entry.xattrs == ((b"security.selinux", label.encode()),)

    def test_global_headers_do_not_apply(self):
        """As for libarchive."""
        headers = {"uid": "77", "path": "other", "SCHILY.xattr.user.x": "v"}
        head = tarfile.TarInfo.create_pax_global_header(headers)
        entry, content = one(head + tar((member("f", uid=5), b"x")))
        assert (entry.path, entry.uid, entry.xattrs, content) == ("f", 5, (), b"x")
        assert read(head + bytes(1024)) == []

    @pytest.mark.parametrize(
        "headers",
        [
            {"LIBARCHIVE.xattr.user.x": "no base64 at all!é"},
            {"LIBARCHIVE.xattr.user.x": "A"},
            {"SCHILY.xattr.": "empty name"},
            {"size": "-5"},
            {"size": "nonsense"},
            {"uid": "1e400"},
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.size": "x"},
            {"GNU.sparse.map": "a,b"},
            {"GNU.sparse.size": "-7", "GNU.sparse.map": "0,1"},
        ],
        ids=str,
    )
    def test_odd_extended_headers(self, headers):
        with suppress(ArchiveError):
            read(tar((member("f", pax_headers=headers), b"content")))

    def test_names_that_are_not_utf8_reach_who_decides(self):
        data = bytearray(tar(member("fxx"), kind=tarfile.USTAR_FORMAT))
        data[1] = 0xFF
        header = bytes(data[:148]) + b" " * 8 + bytes(data[156:512])
        data[148:156] = b"%06o\0 " % sum(header)
        entry, _ = one(bytes(data))
        assert entry.path == "f\udcffx"

    def test_sparse_files_are_filled_with_zeros(self):
        """GNU's format 1.0, in a PAX archive: a map, then what is not zero."""
        content = b"1\n100\n4\n".ljust(512, b"\0") + b"data"
        headers = {
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse",
            "GNU.sparse.realsize": "104",
        }  # fmt: skip
        entry, found = one(tar((member("x", pax_headers=headers), content)))
        assert (entry.path, entry.size, found) == ("sparse", 104, bytes(100) + b"data")

    def test_a_hard_link_that_states_a_size_has_no_content(self):
        data = bytearray(tar(member("h", tarfile.LNKTYPE, linkname="f"), member("next")))
        data[124:136] = b"%011o\0" % 7
        header = bytes(data[:148]) + b" " * 8 + bytes(data[156:512])
        data[148:156] = b"%06o\0 " % sum(header)
        entries = [(entry.path, entry.size, content) for entry, content in read(bytes(data))]
        assert entries == [("h", 0, b""), ("next", 0, b"")]

    def test_an_unknown_type_is_a_regular_file(self):
        data = tar((member("q", b"Q"), b"z" * 600), (member("next"), b"n"))
        entries = [(entry.path, entry.mode, content) for entry, content in read(data)]
        assert entries == [("q", 0o100644, b"z" * 600), ("next", 0o100644, b"n")]

    def test_a_damaged_header_is_not_the_end(self):
        data = bytearray(tar((member("a"), b"x"), (member("b"), b"y"), kind=tarfile.USTAR_FORMAT))
        data[1024 + 148] ^= 1
        with pytest.raises(ArchiveError, match="Damaged"):
            read(bytes(data))

    @pytest.mark.parametrize("size", [1, 100, 511])
    def test_a_header_cut_short_is_not_the_end(self, size):
        data = tar((member("a"), b"x"), (member("b"), b"y"), kind=tarfile.USTAR_FORMAT)
        with pytest.raises(ArchiveError, match="Damaged"):
            read(data[: 1024 + size])

    @pytest.mark.parametrize("end", [b"", bytes(512), bytes(512) + b"garbage" * 200])
    def test_no_byte_or_one_block_of_zeros_is_the_end(self, end):
        """As for libarchive: a second block is not asked for."""
        data = tar((member("a"), b"x"), kind=tarfile.USTAR_FORMAT)[:1024]
        assert [content for _, content in read(data + end)] == [b"x"]

    def test_content_need_not_be_asked_for(self):
        data = tar((member("a"), b"x" * 5000), (member("b"), b"y"))
        names = [entry.path for entry in read_archive(io.BytesIO(data))]
        assert names == ["a", "b"]

    def test_empty_ones(self):
        assert read(b"") == []
        assert read(bytes(10240)) == []

    def test_entries_are_not_kept(self):
        """A long archive costs no more memory than a short one."""
        data = tar(*(member(f"f{number}") for number in range(300)), kind=tarfile.USTAR_FORMAT)
        most = 0
        real = archive_entries._tar_entry

        def count(archive, found):
            nonlocal most
            most = max(most, len(archive.members))
            return real(archive, found)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(archive_entries, "_tar_entry", count)
            assert len(read(data)) == 300
        assert most <= 1


@pytest.mark.parametrize("kind", CPIO)
class TestCpio:
    def test_kinds_of_entries(self, kind):
        make, trailer = CPIO[kind]
        data = make(b"d", mode=0o040755, uid=1, gid=2)
        data += make(b"d/f", b"content", 0o104711) + make(b"l", b"target", 0o120777) + trailer
        (folder, _), (file, content), (link, _) = read(data)
        assert (folder.path, folder.mode, folder.uid, folder.gid) == ("d", 0o040755, 1, 2)
        assert (file.path, file.mode, file.size, content) == ("d/f", 0o104711, 7, b"content")
        assert (link.mode, link.symlink_target) == (0o120777, "target")

    @pytest.mark.parametrize("size", range(9))
    def test_padding(self, kind, size):
        make, trailer = CPIO[kind]
        data = b"".join(make(b"n" * length, b"c" * size) for length in range(1, 9)) + trailer
        assert [(len(e.path), len(c)) for e, c in read(data)] == [(n, size) for n in range(1, 9)]

    def test_hard_links_are_names_of_one_inode(self, kind):
        make, trailer = CPIO[kind]
        data = make(b"a", inode=7, links=3) + make(b"b", inode=7, links=3)
        data += make(b"c", b"content", inode=7, links=3) + make(b"other", inode=8) + trailer
        assert [entry.hardlink for entry, _ in read(data)] == [None, "a", "a", None]

    def test_every_truncation(self, kind):
        make, trailer = CPIO[kind]
        data = make(b"name", b"content") + make(b"l", b"target", 0o120777) + trailer
        for end in range(1, len(data)):
            with pytest.raises(ArchiveError):
                read(data[:end])

    @pytest.mark.parametrize("byte", [b"-", b"+", b" ", b"_", b"x", b"z", b"\xff", b"\0"])
    def test_numbers_hold_digits_only(self, kind, byte):
        make, trailer = CPIO[kind]
        whole = make(b"name", b"content") + trailer
        # The time of an old one is not looked at.
        for at in (*range(6, 48), *range(59, 76)):
            with pytest.raises(ArchiveError):
                read(whole[:at] + byte + whole[at + 1 :])

    def test_a_name_without_end(self, kind):
        make, _ = CPIO[kind]
        with pytest.raises(ArchiveError):
            read(make(b"n" * 100_000))

    def test_a_target_without_end(self, kind):
        make, trailer = CPIO[kind]
        with pytest.raises(ArchiveError):
            read(make(b"l", b"t" * 100_000, 0o120777) + trailer)


@pytest.mark.timeout(30)
class TestHostile:
    def test_a_size_larger_than_the_archive(self):
        info = member("x")
        info.size = 1 << 40
        with pytest.raises(ArchiveError):
            read(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))

    def test_a_bomb_is_read_in_pieces(self, tmp_path):
        data = tar((member("zeros"), bytes(200 << 20)), kind=tarfile.GNU_FORMAT)
        path = tmp_path / "bomb.tar.gz"
        path.write_bytes(COMPRESSORS["gzip"](data))
        printed, grown = memory_growth(
            "import sys; from ostrya.tree.archive_entries import read_archive",
            """
            for entry in read_archive(open(sys.argv[1], 'rb')):
                print(sum(map(len, entry.chunks())))
            """,
            path,
        )
        assert printed == [str(200 << 20)]
        assert grown < 100 << 10

    def test_what_is_no_archive(self):
        for data in (b"x", b"hello " * 100, bytes(range(256)) * 4, b"PK\3\4" + bytes(600)):
            with pytest.raises(ArchiveError):
                read(data)

    @pytest.mark.parametrize("packer", COMPRESSORS)
    def test_every_tar_cut_short(self, packer):
        data = COMPRESSORS[packer](tar((member("a"), b"x" * 700), (member("b"), b"y" * 700)))
        step = 1 if packer != "plain" else 37
        for end in range(1, len(data), step):
            try:
                found = read(data[:end])
            except ArchiveError:
                continue
            # A tar archive may end between two entries.
            assert all(len(content) == entry.size for entry, content in found)

    def test_headers_with_any_byte_changed(self):
        whole = tar((member("a", uid=5), b"content"), kind=tarfile.USTAR_FORMAT)
        for at in range(512):
            for value in (0, 0x20, 0x39, 0x80, 0xFF):
                data = bytearray(whole)
                data[at] = value
                header = bytes(data[:148]) + b" " * 8 + bytes(data[156:512])
                data[148:156] = b"%06o\0 " % sum(header)
                with suppress(ArchiveError):
                    read(bytes(data))


def test_struct_of_a_header():
    """What the tests above patch: where a tar header keeps its size and its sum."""
    data = tar((member("f"), b"1234567"), kind=tarfile.USTAR_FORMAT)
    assert int(data[124:135], 8) == 7
    assert struct.unpack_from("8s", data, 148)[0].endswith((b"\0 ", b" "))
