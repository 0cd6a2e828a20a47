# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.commit_files import commit_reader


def test_files_of_a_commit_are_read_links_followed(repo, releases):
    read = commit_reader(repo, releases[1].checksum)
    assert read("/usr/sbin/init", 100) == b"#!/bin/sh\n# 2\n"
    assert read("/sbin/init", 100) == b"#!/bin/sh\n# 2\n"
    assert read("/usr", 100) is None
    assert read("/nothing", 100) is None
    assert read("/usr/bin/tool/below", 100) is None
    with pytest.raises(DiskError, match="more than 3"):
        read("/usr/bin/tool", 3)
