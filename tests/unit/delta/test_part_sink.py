# SPDX-License-Identifier: Apache-2.0
"""Threads that apply parts; with parts that were fetched, see ``pull``."""

from __future__ import annotations

import threading

import pytest

from ostrya.delta.byte_source import MemorySource
from ostrya.delta.part_reader import Payload
from ostrya.delta.part_sink import MAX_WAITING, PartJob, PartSink
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.errors import DeltaFormatError
from ostrya.repo.reader import has_object
from support.deltas import PartBuilder, simple_commit, superblock_of

COMMIT, TO = simple_commit()
BLOCK = superblock_of(DeltaName(TO, None), COMMIT, ())


@pytest.fixture(params=[1, 2])
def sink(request, tx):
    before = threading.active_count()
    with PartSink(tx, BLOCK, jobs=request.param) as sink:
        yield sink
    assert threading.active_count() == before


def job(content: bytes) -> tuple[PartJob, object]:
    builder = PartBuilder()
    name = builder.splice(content)
    payload = builder.payload()
    opened = lambda: Payload(MemorySource(payload))  # noqa: E731
    return PartJob(builder.header(payload), opened, "part"), name


def test_all(tx, sink):
    made = []
    for index in range(MAX_WAITING):
        assert not sink.is_full
        one, name = job(b"%d" % index * 100)
        sink.put(one)
        made.append(name)
    while sink.under_way:
        sink.collect(wait=True)
    assert sink.applied == MAX_WAITING
    assert all(has_object(tx.repo, name) for name in made)
    sink.collect(wait=True)


def test_the_first_error_wins(tx, sink):
    opened = []

    def fail():
        opened.append(1)
        raise DeltaFormatError("damaged")

    good, _ = job(b"good")
    for _ in range(MAX_WAITING):
        sink.put(good._replace(open=fail))
    assert sink.is_full
    with pytest.raises(DeltaFormatError, match="part: damaged"):
        sink.collect(wait=True)
    assert opened
