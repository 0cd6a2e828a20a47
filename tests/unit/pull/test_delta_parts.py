# SPDX-License-Identifier: Apache-2.0
"""Parts fetched and applied by threads: all of them, or the first error."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ostrya.delta.errors import PartMismatch
from ostrya.delta.part_sink import PartSink
from ostrya.errors import FetchError
from ostrya.formats.delta_name import DeltaName, delta_dir, part_path
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.vardict import Variant
from ostrya.progress import Finished
from ostrya.pull.delta_parts import PartFetcher
from ostrya.pull.errors import DeltaPartNotServed
from ostrya.pull.places import RemotePlaces
from ostrya.repo.reader import has_object
from ostrya.repo.transaction import Transaction
from support.deltas import PartBuilder, simple_commit, superblock_of
from support.remote_repos import BASE, FolderFetcher
from support.small_repos import make_repo, open_fds

COMMIT, TO = simple_commit()
PLACES = RemotePlaces((BASE,), (BASE,))


class Events(list):
    def send(self, event):
        self.append(event)


@pytest.fixture
def tx(tmp_path):
    before = open_fds()
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        yield tx
    assert open_fds() == before
    assert threading.active_count() == 1


@pytest.fixture
def delta(tmp_path):
    """Six parts, the last two of them inline: their superblock, and what they make."""
    name = DeltaName(TO, None)
    folder = tmp_path / "served" / delta_dir(name)
    folder.mkdir(parents=True)
    headers, made, inline = [], [], []
    for index in range(6):
        builder = PartBuilder()
        made.append(builder.splice(b"%d" % index * 300_000))
        data = builder.file(xz=index % 2 == 0)
        headers.append(builder.header(data))
        if index < 4:
            (folder / str(index)).write_bytes(data)
        else:
            inline.append((part_path(name, index), Variant("(yay)", (data[0], data[1:]))))
    return superblock_of(name, COMMIT, tuple(headers), metadata=tuple(inline)), made


def run(tx, block, fetcher, indexes=range(6), jobs=2):
    events = Events()
    with PartSink(tx, block, jobs=jobs) as sink:
        PartFetcher(tx, block, fetcher, PLACES, events).run(list(indexes), sink)
    assert isinstance(events[-1], Finished)
    assert events[-1].done == sum(block.parts[index].size for index in indexes)
    return sink.applied


@pytest.mark.parametrize("spools", [True, False])
@pytest.mark.parametrize("jobs", [1, 9])
def test_all(tx, delta, tmp_path, spools, jobs):
    block, made = delta
    fetcher = FolderFetcher(str(tmp_path / "served"))
    fetcher.spools = spools
    assert run(tx, block, fetcher, jobs=jobs) == 6
    assert all(has_object(tx.repo, name) for name in made)
    assert len(fetcher.asked) == 4


def test_some(tx, delta, tmp_path):
    block, made = delta
    assert run(tx, block, FolderFetcher(str(tmp_path / "served")), [1, 4]) == 2
    assert [has_object(tx.repo, name) for name in made] == [False, True, False, False, True, False]
    assert run(tx, block, FolderFetcher(str(tmp_path / "served")), []) == 0


def test_one_is_missing(tx, delta, tmp_path):
    block, _ = delta
    Path(tmp_path / "served" / part_path(block.name, 2)).unlink()
    with pytest.raises(DeltaPartNotServed, match=r"HTTP 404 for http://remote.test/repo/deltas/"):
        run(tx, block, FolderFetcher(str(tmp_path / "served")))


def test_one_is_another(tx, delta, tmp_path):
    block, _ = delta
    Path(tmp_path / "served" / part_path(block.name, 2)).write_bytes(b"x123")
    with pytest.raises(
        PartMismatch, match=r"While fetching http://remote.test/.*Checksum mismatch"
    ):
        run(tx, block, FolderFetcher(str(tmp_path / "served")))


def test_one_is_damaged_inline(tx, delta, tmp_path):
    block, _ = delta
    entries = tuple(
        (key, Variant("(yay)", (120, b"nothing")) if value.type == "(yay)" else value)
        for key, value in block.metadata
    )
    block = block._replace(metadata=type(block.metadata)(entries))
    with pytest.raises(DeltaFormatError, match=r"Executing delta part [45]: Invalid delta part"):
        run(tx, block, FolderFetcher(str(tmp_path / "served")))


def test_the_network_fails(tx, delta, tmp_path):
    block, _ = delta
    fetcher = FolderFetcher(str(tmp_path / "served"))
    fetcher.lie = lambda _path, _data: FetchError("no")
    with pytest.raises(FetchError, match="no"):
        run(tx, block, fetcher)
