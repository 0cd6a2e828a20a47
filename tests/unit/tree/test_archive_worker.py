# SPDX-License-Identifier: Apache-2.0
from ostrya.formats.file_header import FileHeader
from ostrya.tree.archive_worker import ArchiveFiles
from ostrya.tree.mutable_tree import MutableTree

HEADER = FileHeader(0, 0, 0o100644)


def test_a_batch_is_given_when_it_is_large_or_the_last(tx):
    files, place = ArchiveFiles(tx), MutableTree()
    assert files.take_batch(last=True) is None
    files.hand_over(place, "small", "small", HEADER, b"x")
    assert files.take_batch() is None
    files.hand_over(place, "large", "large", HEADER, bytes(2 << 20))
    number, tasks = files.take_batch()
    assert (number, [task[0] for task in tasks]) == (0, ["small", "large"])
    assert files.take_batch(last=True) is None


def test_a_file_is_expected_until_it_is_there(tx):
    files, place = ArchiveFiles(tx), MutableTree()
    files.hand_over(place, "f", "f", HEADER, b"first")
    assert files.expects(place, "f")
    assert not files.expects(MutableTree(), "f")
    assert sum(files.run([files.take_batch(last=True)])) == 1
    assert not files.expects(place, "f")
    assert place.files()["f"] == tx.writer.write_data(HEADER, b"first")


def test_what_was_put_meanwhile_stays(tx):
    files, place = ArchiveFiles(tx), MutableTree()
    files.hand_over(place, "f", "f", HEADER, b"first")
    batch = files.take_batch(last=True)
    second = tx.writer.write_data(HEADER, b"second")
    files.put(place, "f", second)
    assert sum(files.run([batch])) == 1
    assert place.files()["f"] == second
