# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from ostrya.cli.preflight_text import preflight_lines, print_preflight
from ostrya.formats.checksum import Checksum
from ostrya.sysroot.etc_ahead import EtcStep
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.preflight import Need, Preflight

COMMIT = Checksum("5c" * 32)
NB = "\N{NO-BREAK SPACE}"
QUIET = Preflight(
    stateroot="os", checksum=COMMIT, version=None, is_new=True, end_of_life=None,
    fetch_files=0, fetch_bytes=0, by_delta=False, repo=Need(0, 5_000_000), boot=None,
    etc=(), kargs_added=(), kargs_removed=(), going=(),
)  # fmt: skip


def test_next_to_nothing():
    assert preflight_lines(QUIET) == [
        f"os {COMMIT}", "  to fetch: nothing", f"  repository: 0 bytes of 5.0{NB}MB",
    ]  # fmt: skip


def test_all_there_is_to_say():
    found = QUIET._replace(
        version="2",
        is_new=False,
        end_of_life="no more",
        fetch_files=3,
        fetch_bytes=2000,
        boot=Need(None, 4000, 2000),
        etc=(EtcStep("x", "conflict", "why"), EtcStep("y", "kept", ""), EtcStep("z", "kept", "")),
        kargs_added=("a=b",),
        kargs_removed=("c",),
        going=(DeploymentName(COMMIT, 1),),
    )
    assert preflight_lines(found) == [
        f"os {COMMIT}, version 2",
        "  the commit that is deployed already: it is deployed once more",
        "  end of life: no more",
        f"  to fetch: 2.0{NB}kB, 3 files",
        f"  repository: 0 bytes of 5.0{NB}MB",
        f"  /boot: an unknown size of 4.0{NB}kB, 2.0{NB}kB more later",
        "  /etc: 1 conflict, 2 kept",
        "  kernel arguments: +a=b -c",
        f"  goes: {COMMIT}.1",
        "  in the way: /etc/x: why",
    ]


def test_an_upgrade_to_the_same_commit_changes_nothing(capsys):
    found = QUIET._replace(
        is_new=False,
        boot=Need(2_000, 1_000),
        etc=(EtcStep("x", "conflict", "why"),),
        kargs_added=("a=b",),
        going=(DeploymentName(COMMIT, 1),),
    )
    assert print_preflight(found, prints_json=False) == 1
    capsys.readouterr()
    assert print_preflight(found, prints_json=False, is_upgrade=True) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"os {COMMIT}",
        "  No update available.",
        "  to fetch: nothing",
        f"  repository: 0 bytes of 5.0{NB}MB",
    ]
    print_preflight(found, prints_json=True, is_upgrade=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["is_new"], shown["going"], shown["obstacles"]) == (False, [], [])


def test_what_goes_first():
    need = Need(2_000, 1_000, 5_000, frees_first=True)
    assert preflight_lines(QUIET._replace(boot=need))[-1] == (
        f"  /boot: 2.0{NB}kB of 1.0{NB}kB, 5.0{NB}kB more once what goes is gone, which is before"
    )


def test_what_is_to_fetch():
    def fetch(**values) -> str:
        return preflight_lines(QUIET._replace(fetch_files=3, **values))[1]

    assert fetch(fetch_bytes=None) == "  to fetch: 3 files, of a size that nobody says"
    one = preflight_lines(QUIET._replace(fetch_files=1, fetch_bytes=5))
    assert one[1] == "  to fetch: 5 bytes, 1 file"
    assert fetch(fetch_bytes=5, by_delta=True) == "  to fetch: 5 bytes, by a static delta"


def test_the_exit_status(capfd):
    assert print_preflight(QUIET, prints_json=False) == 0
    assert print_preflight(QUIET._replace(repo=Need(2, 1)), prints_json=True) == 1
    text = capfd.readouterr().out.partition("{")[2]
    assert json.loads("{" + text)["repo"]["fits"] is False
