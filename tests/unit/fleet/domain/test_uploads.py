# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.fleet.domain.uploads import Upload
from ostrya.fleet.errors import Conflict, NotFound


def test_whole_or_not_there(services):
    upload = Upload(services.images, "a/b")
    upload.write(b"12")
    upload.close()
    assert not os.path.exists(upload.path)
    upload = Upload(services.images, "a/b")
    upload.write(b"12")
    upload.write(b"3")
    upload.keep()
    upload.close()
    with open(upload.path, "rb") as stream:
        assert stream.read() == b"123"
    assert os.listdir(os.path.dirname(upload.path)) == ["b"]


def test_what_is_published_stays(services, firmware):
    upload = Upload(services.images, firmware)
    upload.write(b"other")
    with pytest.raises(Conflict):
        upload.keep()
    upload.close()
    with open(services.images.image_path(firmware), "rb") as stream:
        assert stream.read() == b"fw-1" * 100


def test_names_that_lead_elsewhere(services):
    with pytest.raises(NotFound):
        Upload(services.images, "../x")
