# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.sysroot.deployment import Deployment
from ostrya.sysroot.errors import DeploymentNotFound, NotBooted
from ostrya.sysroot.loading import Loaded
from ostrya.sysroot.order import (
    Retain,
    merge_deployment,
    neighbours,
    require_booted,
    require_merge_deployment,
    require_stateroot,
    with_new_deployment,
)
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.paths import DeploymentName


def make(letter: str, stateroot: str = "os", **values) -> Deployment:
    return Deployment(stateroot, DeploymentName(letter * 64, 0), letter * 64, **values)


NEW = make("9")
A, B, C = make("a"), make("b", booted=True), make("c")
PINNED = make("d", origin=Origin.empty().with_pinned(pinned=True))
OTHER = make("e", "other")


def loaded(*deployments: Deployment) -> Loaded:
    return Loaded(0, 0, deployments)


def names(deployments) -> str:
    return "".join(one.checksum[0] for one in deployments)


@pytest.mark.parametrize(
    ("before", "merge", "retain", "after"),
    [
        ([], None, Retain(), "9"),
        ([], None, Retain(not_as_default=True), "9"),
        # Nothing runs: what was merged from stays.
        ([A, C], A, Retain(), "9a"),
        ([A, C], None, Retain(), "9"),
        ([A, C], None, Retain(rollback=True), "9ac"),
        ([A, C], A, Retain(not_as_default=True), "a9"),
        # One runs: it stays, and what is around it as it is asked for.
        ([A, B, C], B, Retain(), "9b"),
        ([A, B, C], B, Retain(pending=True), "9ab"),
        ([A, B, C], B, Retain(rollback=True), "9bc"),
        ([A, B, C], B, Retain(all=True), "9abc"),
        ([A, B, C], B, Retain(not_as_default=True), "b9"),
        ([A, B, C], B, Retain(all=True, not_as_default=True), "ab9c"),
        ([A, B, C], A, Retain(), "9ab"),
        # What is pinned, or another system's.
        ([PINNED, B, OTHER, C], B, Retain(), "9dbe"),
    ],
)
def test_what_stays(before, merge, retain, after):
    assert names(with_new_deployment(before, NEW, merge, retain)) == after


def test_around_the_running_one():
    found = neighbours(loaded(make("1", "other"), A, make("2"), B, OTHER, C, PINNED), "os")
    assert (found.pending, found.rollback) == (A, C)
    assert neighbours(loaded(B), "os") == (None, None)
    # Without a running one all are to come.
    assert neighbours(loaded(A, C), "os") == (A, None)


def test_what_is_merged_from():
    assert merge_deployment(loaded(A, B), "os") is B
    assert merge_deployment(loaded(A, C), "os") is A
    assert merge_deployment(loaded(OTHER, B, A), "other") is OTHER
    assert merge_deployment(loaded(), "os") is None
    assert require_merge_deployment(loaded(A, B), None) is B
    with pytest.raises(DeploymentNotFound, match="No deployment for OS 'x'"):
        require_merge_deployment(loaded(A), "x")


def test_which_system_is_meant():
    assert require_stateroot(loaded(A), "named") == "named"
    assert require_stateroot(loaded(A, B), None) == "os"
    with pytest.raises(NotBooted, match="no --os= argument given"):
        require_stateroot(loaded(A), None)
    assert require_booted(loaded(A, B)) is B
    with pytest.raises(NotBooted):
        require_booted(loaded(A))


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b"])
def test_names_that_no_system_has(name):
    with pytest.raises(SysrootError, match="Invalid stateroot name"):
        require_stateroot(Loaded(0, 0, ()), name)
