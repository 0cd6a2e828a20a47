# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.errors import SignatureError
from ostrya.sign import errors


def test_one_family():
    assert issubclass(errors.KeyRevoked, SignatureError)
    assert errors.BadSignature("no").exit_code == 30
