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


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize("xattrs", [(OTHER,), (COMMITTED, OTHER)])
def test_files_get_the_label_of_the_policy(xattrs):
    assert with_label(xattrs, "policy", stat.S_IFREG | 0o644) == (POLICY, OTHER)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR])
def test_links_and_directories_get_it_where_it_matters(enabled, kind):
    mode = kind | 0o755
    assert with_label((COMMITTED,), "policy", mode) == ((POLICY,) if enabled else (COMMITTED,))
    assert with_label((), "policy", mode) == ((POLICY,) if enabled else ())
