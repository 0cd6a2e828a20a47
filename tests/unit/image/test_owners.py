# SPDX-License-Identifier: Apache-2.0
import struct

import pytest

from ostrya.formats.file_header import FileHeader
from ostrya.formats.object_name import ObjectType
from ostrya.image.accounts import Accounts
from ostrya.image.decisions import Report
from ostrya.image.errors import ConversionError
from ostrya.image.owners import read_accounts, settle_accounts
from ostrya.image.policies import AccountPolicy
from ostrya.image.tree import TreeEditor
from ostrya.repo.reader import load_dirmeta
from ostrya.tree.mutable_tree import MutableTree

OLD = Accounts({"root": 0, "sshd": 101, "gone": 105}, {"root": 0, "ssl": 110})
ACL = b"system.posix_acl_access"


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)


@pytest.fixture
def editor(tx) -> TreeEditor:
    """The user sshd has another number, and so has the group ssl."""
    tree = TreeEditor(tx, MutableTree())
    tree.write("usr/etc/passwd", b"root:x:0:0::/:/bin/sh\nsshd:x:102:111::/:/bin/sh\n")
    tree.write("usr/etc/group", b"root:x:0:\nssl:x:111:\n")
    tree.make_dir("usr/lib")
    writer = tx.writer
    place = tree.find_dir("usr/lib")
    place.replace_file("f", writer.write_data(FileHeader(102, 111, 0o104755), b"content"))
    place.replace_file("l", writer.write_symlink(FileHeader(102, 0, 0o120777, "f")))
    header = FileHeader(0, 0, 0o100644, "", ((ACL, acl((2, 6, 102), (8, 4, 111), (1, 6, 102))),))
    place.replace_file("acl", writer.write_data(header, b"x"))
    return tree


def test_nothing_before_nothing_to_do(editor):
    report = Report()
    settle_accounts(editor, report, None, AccountPolicy.FAIL)
    settle_accounts(editor, report, read_accounts(editor), AccountPolicy.FAIL)
    assert (report.decisions, report.conflicts) == ([], [])


def test_by_default_it_is_in_the_way(editor):
    report = Report()
    settle_accounts(editor, report, OLD, AccountPolicy.FAIL)
    with pytest.raises(ConversionError) as caught:
        report.check()
    assert caught.value.problems == (
        "user sshd has 102; it had 101",
        "group ssl has 111; it had 110",
    )
    assert "keep-old" in caught.value.hint
    assert [one.sentence for one in report.decisions] == ["user gone is gone"]


def test_it_can_be_accepted(editor):
    report = Report()
    settle_accounts(editor, report, OLD, AccountPolicy.ACCEPT)
    assert report.conflicts == []
    assert "accepted: user sshd has 102; it had 101" in [d.sentence for d in report.decisions]
    assert editor.header("usr/lib/f").uid == 102


def test_or_everything_gets_its_old_numbers(editor):
    report = Report()
    settle_accounts(editor, report, OLD, AccountPolicy.KEEP_OLD)
    assert read_accounts(editor) == ({"root": 0, "sshd": 101}, {"root": 0, "ssl": 110})
    assert editor.read("usr/etc/passwd").endswith(b"sshd:x:101:110::/:/bin/sh\n")
    assert editor.header("usr/lib/f") == (101, 110, 0o104755, "", ())
    assert editor.header("usr/lib/l")[:2] == (101, 0)
    # An entry of the owner has no number of its own.
    assert editor.header("usr/lib/acl").xattrs == (
        (ACL, acl((2, 6, 101), (8, 4, 110), (1, 6, 102))),
    )
    assert editor.read("usr/lib/f") == b"content"
    assert report.decisions[-1].sentence == "changed the owners of 3 files and directories"
    settle_accounts(editor, report, OLD, AccountPolicy.FAIL)
    assert report.conflicts == []


def test_directories_too(editor, tx):
    place = editor.make_dir("var/lib/ssh")
    meta = load_dirmeta(tx.repo, place.metadata_checksum)._replace(uid=102)
    place.set_metadata_checksum(tx.writer.write_metadata(ObjectType.DIR_META, meta.encode()))
    settle_accounts(editor, Report(), OLD, AccountPolicy.KEEP_OLD)
    assert load_dirmeta(tx.repo, place.metadata_checksum).uid == 101


def test_long_lists_are_cut(editor):
    before = Accounts({f"u{at}": 200 + at for at in range(30)}, {})
    lines = "".join(f"u{at}:x:{300 + at}:0::/:/bin/sh\n" for at in range(30))
    editor.write("usr/etc/passwd", lines.encode())
    report = Report()
    settle_accounts(editor, report, before, AccountPolicy.FAIL)
    assert len(report.conflicts) == 21
    assert report.conflicts[-1].sentence == "and 10 more users and groups"
