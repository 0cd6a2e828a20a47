# SPDX-License-Identifier: Apache-2.0
"""What the tests' servers hold."""

from __future__ import annotations

CONTENT = {
    "/small": b"hello\n",
    "/empty": b"",
    "/big": bytes(range(256)) * 4096 * 5,
    **{f"/objects/{number}": b"%d\n" % number * 100 for number in range(200)},
}
