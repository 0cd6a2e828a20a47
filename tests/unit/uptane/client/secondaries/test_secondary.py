# SPDX-License-Identifier: Apache-2.0
"""The protocol itself; its ends have tests of their own."""

from __future__ import annotations

from ostrya.uptane.client.secondaries.secondary import Secondary


def test_what_a_primary_may_ask():
    asked = {name for name in vars(Secondary) if not name.startswith("_")}
    assert asked == {
        "public_key", "report", "put_metadata", "send_image", "install", "finish",
    }  # fmt: skip
