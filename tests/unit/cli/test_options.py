# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.options import Kind, boolean, flag, number, optional_text, text, texts


def test_kinds():
    declared = [flag("a", "h"), text("b", "B", "h"), optional_text("o", "O", "h")]
    declared += [texts("c", "C", "h"), number("d", "D", "h"), boolean("e", "E", "h")]
    assert [option.kind for option in declared] == list(Kind)
    assert {option.help for option in declared} == {"h"}
    assert [option.metavar for option in declared] == ["", "B", "O", "C", "D", "E"]
    assert [option.value for option in declared] == ["", "=B", "[=O]", "=C", "=D", "=E"]
