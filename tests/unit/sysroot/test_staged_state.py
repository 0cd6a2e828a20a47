# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.sysroot.errors import StagedInvalid
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.staged_state import DeploymentNote, StagedState

NAME = DeploymentName(Checksum("5c" * 32), 3)
TARGET = DeploymentNote("os", NAME, "3f" * 32)
MERGE = DeploymentNote("os", DeploymentName(Checksum("7a" * 32), 0), "4f" * 32)
FULL = StagedState(
    TARGET,
    MERGE,
    ("root=x", "quiet"),
    ("9c" * 32,),
    (("x-key", "value"),),
    locked=True,
    others=VarDict.of({"later": Variant("u", 7)}),
)


@pytest.mark.parametrize("state", [FULL, StagedState(TARGET), StagedState(None)])
def test_there_and_back(state):
    assert StagedState.decode(state.encode()) == state


def test_no_arguments_are_not_those_of_the_one_before():
    assert StagedState.decode(StagedState(TARGET, kargs=()).encode()).kargs == ()
    assert StagedState.decode(StagedState(TARGET).encode()).kargs is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\1\2\3", "is damaged"),
        (encode_variant("a{sv}", VarDict.of({"target": Variant("a{sv}", VarDict())})), "name"),
        (
            encode_variant(
                "a{sv}",
                VarDict.of(
                    {
                        "target": Variant(
                            "a{sv}",
                            VarDict.of(
                                {
                                    "name": Variant("s", "../../etc"),
                                    "osname": Variant("s", "os"),
                                    "bootcsum": Variant("s", "3f"),
                                }
                            ),
                        )
                    }
                ),
            ),
            "Invalid deployment name",
        ),
    ],
)
def test_what_is_refused(data, sentence):
    with pytest.raises(StagedInvalid, match=sentence):
        StagedState.decode(data)
