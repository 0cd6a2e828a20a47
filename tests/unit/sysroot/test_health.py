# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ostrya._linux import process
from ostrya.errors import SysrootError
from ostrya.sysroot import health
from ostrya.sysroot.health import (
    HealthSettings,
    describe,
    find_checks,
    is_healthy,
    read_settings,
    run_checks,
    run_hooks,
)

QUIET = HealthSettings(deadline_s=5, disk=False)


def program(root, path, text="exit 0", mode=0o755):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(mode)


def results(root, settings=QUIET, answers=lambda _address, _deadline: ""):
    return list(run_checks(find_checks(str(root), settings, answers)))


def test_settings(tmp_path):
    assert read_settings(str(tmp_path)) == HealthSettings()
    (tmp_path / "etc/ostrya").mkdir(parents=True)
    (tmp_path / "etc/ostrya/health.conf").write_text(
        "[health]\ndeadline=9\nunits=false\nignored-units=a.service;b.service;\ndisk=false\n"
        "address=h:1\n"
    )
    wanted = HealthSettings(9, False, ("a.service", "b.service"), False, "h:1")
    assert read_settings(str(tmp_path)) == wanted


@pytest.mark.parametrize("text", ["[health]\ndeadline=0\n", "[health]\nunits=perhaps\n", "x"])
def test_settings_that_are_wrong(tmp_path, text):
    (tmp_path / "etc/ostrya").mkdir(parents=True)
    (tmp_path / "etc/ostrya/health.conf").write_text(text)
    with pytest.raises(SysrootError, match=r"health\.conf"):
        read_settings(str(tmp_path))


def test_programs_of_all_places_in_their_order(tmp_path):
    for path in (
        "etc/ostrya/health/required.d/20-b",
        "usr/lib/ostrya/health/required.d/10-a",
        "etc/greenboot/check/required.d/30-c.sh",
        "usr/lib/greenboot/check/wanted.d/40-d.sh",
    ):
        program(tmp_path, path)
    program(tmp_path, "usr/lib/ostrya/health/required.d/20-b", "exit 1")
    program(tmp_path, "etc/ostrya/health/required.d/.hidden", "exit 1")
    (tmp_path / "etc/ostrya/health/required.d/dir").mkdir()
    found = results(tmp_path)
    assert [(one.name, one.required, one.problem) for one in found] == [
        ("required.d/10-a", True, ""),
        ("required.d/20-b", True, ""),
        ("required.d/30-c.sh", True, ""),
        ("wanted.d/40-d.sh", False, ""),
    ]


def test_what_fails_and_what_that_means(tmp_path):
    program(tmp_path, "etc/ostrya/health/wanted.d/w", "echo meh >&2; exit 3")
    found = results(tmp_path)
    assert (found[0].problem, is_healthy(found)) == ("exit status 3: meh", True)
    program(tmp_path, "etc/ostrya/health/required.d/r", "echo out; exit 4")
    program(tmp_path, "etc/ostrya/health/required.d/s", mode=0o644)
    found = results(tmp_path)
    assert not is_healthy(found)
    assert describe(found) == (
        "required.d/r: exit status 4: out; required.d/s: it cannot be run: its mode lacks x"
    )


def test_what_they_say_is_one_line(tmp_path):
    program(tmp_path, "etc/ostrya/health/required.d/r", "printf 'a\\nb\\033[2J'; exit 1")
    assert results(tmp_path)[0].problem == "exit status 1: a b [2J"


def test_a_deadline(tmp_path):
    program(tmp_path, "etc/ostrya/health/required.d/r", "exec sleep 60")
    found = results(tmp_path, QUIET._replace(deadline_s=1))
    assert "required.d/r" in describe(found)
    assert found[0].seconds < 30


def test_a_deadline_ends_what_a_program_has_called(tmp_path):
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! >{child}; wait"
    program(tmp_path, "etc/ostrya/health/required.d/r", script)
    found = results(tmp_path, QUIET._replace(deadline_s=1))
    assert "no end after 1 s" in describe(found)
    stat = f"/proc/{child.read_text().strip()}/stat"
    assert not os.path.exists(stat) or Path(stat).read_text().split(")")[1].split()[0] == "Z"


def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path):
    script = "sleep 60 & echo last words >&2; exit 1"
    program(tmp_path, "etc/ostrya/health/required.d/r", script)
    assert describe(results(tmp_path)) == "required.d/r: exit status 1: last words"


def test_a_program_that_says_nothing_more_has_its_deadline_too(tmp_path):
    program(tmp_path, "etc/ostrya/health/required.d/r", "exec >&- 2>&-; sleep 60")
    found = results(tmp_path, QUIET._replace(deadline_s=1))
    assert "no end after 1 s" in describe(found)
    assert found[0].seconds < 30


def test_of_a_talker_only_the_end_is_kept(tmp_path):
    script = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1"
    program(tmp_path, "etc/ostrya/health/required.d/r", script)
    said = describe(results(tmp_path))
    assert said.endswith("xthe end")
    assert len(said) < 500


def test_what_nobody_can_stop_has_a_deadline_too(tmp_path):
    over = threading.Event()
    settings = QUIET._replace(address="h:1", deadline_s=1)
    try:
        found = results(tmp_path, settings, lambda _address, _deadline: str(over.wait(60)))
    finally:
        over.set()
    assert describe(found) == "answer of h:1: no end after 1 s"


def test_the_disk(tmp_path, monkeypatch):
    (tmp_path / "var").mkdir()
    settings = HealthSettings()
    assert is_healthy(results(tmp_path, settings))
    assert not list((tmp_path / "var").iterdir())
    monkeypatch.setattr(health.os, "pread", lambda *_arguments: b"else")
    assert "reads as something else" in describe(results(tmp_path, settings))
    (tmp_path / "var").rmdir()
    assert "writable disk: No such file" in describe(results(tmp_path, settings))


def test_an_address(tmp_path):
    settings = QUIET._replace(address="h:1")
    assert is_healthy(results(tmp_path, settings))
    found = results(tmp_path, settings, lambda address, deadline: f"{address} {deadline}")
    assert describe(found) == "answer of h:1: h:1 5"


@pytest.mark.parametrize(
    ("said", "ignored", "problem"),
    [
        (process.Completed(0, b"", b""), (), ""),
        (process.Completed(0, b"a.service loaded failed failed A\nb.service x\n", b""), (),
         "a.service, b.service"),
        (process.Completed(0, b"a.service loaded failed failed A\n", b""), ("a.service",), ""),
        (process.Completed(1, b"", b"no bus\n"), (), "systemctl cannot tell: no bus"),
    ],
)  # fmt: skip
def test_units(tmp_path, monkeypatch, said, ignored, problem):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    monkeypatch.setattr(health, "run_to_end", lambda _argv, **_options: said)
    found = results(tmp_path, QUIET._replace(ignored_units=ignored))
    assert [(one.name, one.problem) for one in found] == [("failed units", problem)]


@pytest.mark.parametrize("healthy", [True, False])
def test_hooks(tmp_path, healthy):
    program(tmp_path, "etc/greenboot/green.d/g", f"touch {tmp_path}/green")
    program(tmp_path, "etc/ostrya/health/red.d/r", f"touch {tmp_path}/red; exit 1")
    done = run_hooks(str(tmp_path), QUIET, healthy=healthy)
    assert os.path.exists(tmp_path / "green") == healthy
    assert os.path.exists(tmp_path / "red") != healthy
    assert [bool(one.problem) for one in done] == [not healthy]
