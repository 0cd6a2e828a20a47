# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

from ostrya.cli.progress_plain import PlainProgress
from ostrya.progress import Advanced, Finished, Started, Unit


def test_beginning_and_end():
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.send(Started("read", 5000, Unit.BYTES))
    progress.send(Started("count", None, Unit.ITEMS))
    progress.send(Advanced("read", 100))
    progress.send(Finished("count", 7))
    progress.send(Finished("read", 5000))
    assert stream.getvalue() == "read ...\ncount ...\ncount: done (7)\nread: done (5.0\xa0kB)\n"
