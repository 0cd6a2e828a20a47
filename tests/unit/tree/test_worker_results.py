# SPDX-License-Identifier: Apache-2.0
from ostrya.formats.file_header import FileHeader
from ostrya.tree.worker_results import gather, take_told

HEADER = FileHeader(0, 0, 0o100644)


def test_counts_and_sizes_cross_over_once(tx):
    tx.want_sizes()
    worker = tx.new_writer()
    checksum = worker.write_data(HEADER, b"content")
    told = take_told(worker)
    assert take_told(worker) == ((0,) * 6, [])
    gather(tx, told)
    assert (tx.counts.content_total, tx.counts.content_bytes_written) == (1, 7)
    assert tx.sizes[checksum].unpacked == 7


def test_nobody_measures_unless_asked(tx):
    worker = tx.new_writer()
    worker.write_data(HEADER, b"content")
    counts, sizes = take_told(worker)
    assert sizes is None
    gather(tx, (counts, sizes))
    assert tx.counts.content_written == 1
