# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import ImageRejected, MetadataInvalid
from ostrya.uptane.image_check import ImageCheck
from ostrya.uptane.metadata.hashes import digests

DATA = b"some content"
BOTH = digests(DATA, ("sha256", "sha512"))


def check(data, length=12, hashes=BOTH):
    found = ImageCheck("firmware", length, hashes)
    for at in range(0, len(data), 5):
        found.update(data[at : at + 5])
    found.finish()


def test_the_right_bytes():
    check(DATA)
    check(b"", 0, digests(b""))


def test_more_is_noticed_before_the_end():
    found = ImageCheck("firmware", 3, BOTH)
    with pytest.raises(ImageRejected, match="more than the 3 bytes"):
        found.update(b"1234")


def test_less():
    with pytest.raises(ImageRejected, match="has 11 bytes, not 12"):
        check(DATA[:-1])


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_every_digest_has_to_be_right(algorithm):
    wrong = {**BOTH, algorithm: digests(b"x", (algorithm,))[algorithm]}
    with pytest.raises(ImageRejected, match=f"another {algorithm}"):
        check(DATA, hashes=wrong)


def test_one_has_to_be_known():
    with pytest.raises(MetadataInvalid):
        ImageCheck("firmware", 1, {"md5": "x"})
