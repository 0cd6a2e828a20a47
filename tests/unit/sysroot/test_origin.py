# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.sysroot.errors import OriginInvalid
from ostrya.sysroot.origin import Origin

COMMIT = Checksum("5c" * 32)
TEXT = f"""\
[origin]
refspec=vendor:os/stable
override-commit={COMMIT}
unlocked=hotfix

[packages]
requested=vim;

[libostree-transient]
pinned=true
"""


def test_what_is_read_is_written():
    origin = Origin.parse(TEXT)
    assert origin.to_text() == TEXT
    assert origin.refspec == "vendor:os/stable"
    assert origin.override_commit == COMMIT
    assert origin.unlocked == "hotfix"
    assert origin.pinned


def test_what_is_not_said():
    origin = Origin.parse("")
    assert (origin.refspec, origin.override_commit, origin.unlocked) == (None, None, None)
    assert not origin.pinned
    assert not Origin.parse("[libostree-transient]\npinned=false\n").pinned


def test_changes():
    origin = Origin.following("os")
    assert origin.to_text() == "[origin]\nrefspec=os\n"
    assert origin.with_refspec("other:os").refspec == "other:os"
    assert origin.refspec == "os"
    assert origin.with_override(COMMIT).override_commit == COMMIT
    assert origin.with_override(COMMIT).with_override(None) == origin
    assert origin.with_unlocked("hotfix").unlocked == "hotfix"
    assert origin.with_unlocked(None) == origin
    pinned = origin.with_pinned(pinned=True)
    assert pinned.pinned
    assert pinned != origin
    assert not pinned.with_pinned(pinned=False).pinned


def test_what_the_next_deployment_takes_over():
    text = Origin.parse(TEXT).for_next().to_text()
    assert "requested=vim;" in text
    assert "refspec=vendor:os/stable" in text
    for word in ("override", "unlocked", "transient", "pinned"):
        assert word not in text


def test_damage():
    with pytest.raises(OriginInvalid):
        Origin.parse("damaged")
    with pytest.raises(OriginInvalid, match="override-commit"):
        assert Origin.parse("[origin]\noverride-commit=x\n").override_commit
    # Better kept for too long than lost.
    assert Origin.parse("[libostree-transient]\npinned=perhaps\n").pinned
