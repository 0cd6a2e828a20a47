# SPDX-License-Identifier: Apache-2.0
"""Labels of a checkout, on machines with SELinux and without."""

from __future__ import annotations

import stat

import pytest

from ostrya.tree import selinux_labels
from ostrya.tree.selinux_labels import with_label

OTHER = (b"user.key", b"value")
COMMITTED = (b"security.selinux", b"committed\0")
POLICY = (b"security.selinux", b"policy")


@pytest.fixture(params=[True, False], ids=["selinux", "no selinux"])
def enabled(request, monkeypatch):
    monkeypatch.setattr(selinux_labels, "host_has_selinux", lambda: request.param)
    return request.param


@pytest.mark.parametrize("kind", [stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR])
def test_committed_labels_give_way_only_to_a_policy_that_rules(enabled, kind):
    found = with_label((COMMITTED, OTHER), "policy", kind | 0o755)
    assert found == ((POLICY, OTHER) if enabled else (COMMITTED, OTHER))


def test_files_without_label_get_one(enabled):
    assert with_label((OTHER,), "policy", stat.S_IFREG) == (POLICY, OTHER)


def test_links_without_label_get_one_where_it_matters(enabled):
    assert with_label((), "policy", stat.S_IFLNK) == ((POLICY,) if enabled else ())
