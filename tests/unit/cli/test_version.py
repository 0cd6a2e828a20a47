# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import yaml

from ostrya import __version__
from ostrya.cli.version import FEATURES, FOLLOWED_VERSION, format_version


def test_under_the_other_name():
    found = yaml.safe_load(format_version(drop_in=True))
    assert found == {"libostree": {"Version": FOLLOWED_VERSION, "Features": list(FEATURES)}}
    assert "  - libarchive\n" in format_version(drop_in=True)


def test_under_our_own():
    found = yaml.safe_load(format_version(drop_in=False))["ostrya"]
    assert found["Version"] == __version__
    assert found["Follows"] == f"libostree {FOLLOWED_VERSION}"
