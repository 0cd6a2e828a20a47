# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.grubenv import decode_grubenv, encode_grubenv
from ostrya.boot.trial import End, Record
from ostrya.boot.trial_store import ClassicEnvironment, GrubFile, Stored, UBootFiles
from ostrya.boot.uboot_env import decode_environment, encode_environment

ONE = Record("a" * 12 + ".0-0000", 2)
TWO = Record("b" * 12 + ".0-0000", 0, End.OK, ONE.identity)


@pytest.fixture(params=[UBootFiles, GrubFile])
def store(request, tmp_path):
    fd = open_dir(str(tmp_path))
    yield request.param(fd)
    os.close(fd)


def test_there_and_back(store):
    for record in (ONE, TWO, Record()):
        store.write(record)
        assert store.read() == Stored(record)


def test_nothing_there(store):
    found = store.read()
    assert found.record == Record()
    assert all("not there" in line for line in found.damage)
    assert found.damage


def test_what_is_written_stays_where_it_lies(store, tmp_path):
    store.write(ONE)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = [(path, path.stat().st_ino, path.stat().st_size) for path in files]
    store.write(TWO)
    assert [(path, path.stat().st_ino, path.stat().st_size) for path in files] == before


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("damage", [b"", b"\0" * 512, b"x" * 5000], ids=["empty", "zero", "long"])
def test_one_copy_is_enough(tmp_path, at, damage):
    fd = open_dir(str(tmp_path))
    store = UBootFiles(fd)
    store.write(ONE)
    (tmp_path / f"ostrya{at}.env").write_bytes(damage)
    found = store.read()
    assert found.record == ONE
    assert len(found.damage) == 1
    store.write(TWO)
    assert store.read() == Stored(TWO)
    os.close(fd)


def test_copies_that_differ(tmp_path):
    fd = open_dir(str(tmp_path))
    store = UBootFiles(fd)
    store.write(ONE)
    old = (tmp_path / "ostrya1.env").read_bytes()
    store.write(TWO)
    (tmp_path / "ostrya1.env").write_bytes(old)
    assert store.read().record == TWO
    assert "differs" in store.read().damage[0]
    os.close(fd)


def test_an_environment_of_somebody_elses(tmp_path):
    fd = open_dir(str(tmp_path))
    for at in (0, 1):
        (tmp_path / f"ostrya{at}.env").write_bytes(encode_environment({"a": "b"}, 512))
    found = UBootFiles(fd).read()
    assert found.record == Record()
    assert "another format" in found.damage[0]
    os.close(fd)


def test_grubs_other_variables_stay(tmp_path):
    (tmp_path / "ostrya").mkdir()
    path = tmp_path / "ostrya/grubenv"
    path.write_bytes(encode_grubenv({"next_entry": "1", "ostrya_try": "y"}))
    fd = open_dir(str(tmp_path))
    assert "says" in GrubFile(fd).read().damage[0]
    GrubFile(fd).write(ONE)
    assert decode_grubenv(path.read_bytes())["next_entry"] == "1"
    os.close(fd)


def classic(tmp_path, *copies, redundant=True):
    (tmp_path / "env").write_bytes(b"".join(copies))
    size = len(copies[0])
    lines = [f"{tmp_path}/env {size * at:#x} {size:#x}\n" for at in range(len(copies))]
    (tmp_path / "fw_env.config").write_text("".join(lines))
    return ClassicEnvironment(str(tmp_path / "fw_env.config"), ONE.identity)


@pytest.mark.parametrize(
    ("variables", "record"),
    [
        ({}, Record(ONE.identity, 0, End.OK)),
        ({"upgrade_available": "1", "bootcount": "2"}, Record(ONE.identity, 2)),
        ({"upgrade_available": "1", "bootcount": "77"}, Record(ONE.identity, 9)),
        ({"upgrade_available": "1", "bootcount": "?"}, Record(ONE.identity, 0)),
        ({"upgrade_available": "1", "bootcount": "²"}, Record(ONE.identity, 0)),
        ({"upgrade_available": "1", "bootcount": "9" * 5000}, Record(ONE.identity, 9)),
        ({"rollback": "1"}, Record(ONE.identity, 0, End.TRIES)),
    ],
)
def test_u_boots_own_variables(tmp_path, variables, record):
    store = classic(tmp_path, encode_environment(variables, 8192))
    assert store.read() == Stored(record)


@pytest.mark.parametrize("count", [1, 2])
def test_they_are_written_where_the_old_copy_is(tmp_path, count):
    flags = [None] if count == 1 else [5, 4]
    copies = [encode_environment({"keep": "me"}, 256, flags=one) for one in flags]
    store = classic(tmp_path, *copies)
    store.write(Record(ONE.identity))
    data = (tmp_path / "env").read_bytes()
    written = data[:256] if count == 1 else data[256:]
    if count == 2:
        assert data[:256] == copies[0]
    found = decode_environment(written, redundant=count == 2)
    assert found.variables == {
        "keep": "me", "bootcount": "0", "upgrade_available": "1", "rollback": "0",
    }  # fmt: skip
    assert found.flags == (None if count == 1 else 6)
    store.write(Record(ONE.identity, 0, End.TRIES))
    assert store.read().record.end is End.TRIES
    store.write(Record(ONE.identity, 0, End.OK))
    assert store.read().record == Record(ONE.identity, 0, End.OK)


def test_no_copy_is_valid(tmp_path):
    found = classic(tmp_path, b"x" * 256, b"y" * 256).read()
    assert found.record == Record()
    assert "checksum" in found.damage[0]
