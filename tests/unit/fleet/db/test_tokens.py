# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.db import tokens


def test_tokens_are_withdrawn_by_name(change, look):
    for at, name in enumerate(("a", "a", "b")):
        change(tokens.add_token, tokens.Token(str(at), name, "push", at))
    assert change(tokens.revoke_tokens, "a", 9) == 2
    assert look(tokens.find_token, "0").revoked == 9
    assert look(tokens.find_token, "2").revoked is None
    assert look(tokens.find_token, "3") is None
    assert [one.digest for one in look(tokens.list_tokens)] == ["0", "1", "2"]
