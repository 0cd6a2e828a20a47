# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata import custom
from ostrya.uptane.metadata.targets import Image
from support.uptane_world import make_world


def of(length=1, **values):
    return Image(length, {"sha256": "0" * 64}, values or None)


def test_what_a_director_says():
    told = of(
        ecuIdentifiers={"e": {"hardwareId": "h", "x": 1}}, releaseCounter=4, uri="https://a/b"
    )
    assert custom.ecus_of(told, "it") == {"e": "h"}
    assert custom.release_counter_of(told, "it") == 4
    assert custom.uri_of(told) == "https://a/b"
    targets = make_world().director.targets()
    assert (custom.correlation_id_of(targets), custom.vehicle_id_of(targets)) == (
        "urn:update:1",
        "vehicle-1",
    )


def test_what_is_not_said():
    nothing = of()
    assert custom.ecus_of(nothing, "it") == {}
    assert custom.hardware_ids_of(nothing, "it") == ()
    assert custom.release_counter_of(nothing, "it") is None
    assert custom.uri_of(nothing) == ""
    # What servers once wrote for nothing.
    assert custom.uri_of(of(uri="https://example.com/")) == ""


@pytest.mark.parametrize(
    ("image", "ostree"),
    [
        (of(0), True), (of(1), False), (of(0, targetFormat="BINARY"), False), (of(1, targetFormat="OSTREE"), True),
        (of(0, targetFormat=None), True), (of(0, targetFormat=""), True),
    ],
)  # fmt: skip
def test_commits(image, ostree):
    assert custom.is_ostree(image) is ostree


def test_refused():
    for values in (
        {"ecuIdentifiers": []},
        {"ecuIdentifiers": {"e": {}}},
        {"ecuIdentifiers": {"": {"hardwareId": "h"}}},
    ):
        with pytest.raises(MetadataInvalid):
            custom.ecus_of(of(**values), "it")
    with pytest.raises(MetadataInvalid):
        custom.hardware_ids_of(of(hardwareIds="h"), "it")
    with pytest.raises(MetadataInvalid):
        custom.release_counter_of(of(releaseCounter="4"), "it")
