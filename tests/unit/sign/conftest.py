# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.gpg_keys import gpg_user


@pytest.fixture(scope="package")
def people():
    """A home of gpg, and the fingerprints of keys in it by what is the matter with them."""
    with gpg_user() as user:
        keys = {
            "good": user.make_key("Good Person (tester) <good@example.org>"),
            "other": user.make_key("Other"),
            "expired": user.make_key("Old <old@example.org>", "1d", at="20200101T000000"),
            "revoked": user.make_key("Gone <gone@example.org>"),
        }
        yield user, keys
