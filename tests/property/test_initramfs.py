# SPDX-License-Identifier: Apache-2.0
"""Ramdisks: archives that cpio takes apart again, closures of modules."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs import cpio
from ostrya.boot.initramfs.modules import close_modules, format_dep, parse_index

NAMES = st.text(alphabet="abcé-_.Ω", min_size=1, max_size=6).filter(lambda n: n not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
ENTRIES = st.one_of(
    st.builds(cpio.file, PATHS, st.binary(max_size=40), st.sampled_from([0o644, 0o755, 0o600])),
    st.builds(cpio.directory, PATHS),
    st.builds(cpio.link, PATHS, NAMES),
)


def parse(data: bytes) -> list[tuple[str, int, bytes]]:
    """Read an archive, by the book."""
    found, at = [], 0
    while True:
        numbers = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at : at + 6] == b"070701"
        name = data[at + 110 : at + 109 + numbers[11]].decode()
        at += (110 + numbers[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(data)
            return found
        found.append((name, numbers[1], data[at : at + numbers[6]]))
        at += (numbers[6] + 3) // 4 * 4
        assert numbers[0] == len(found)
        assert numbers[2:4] == [0, 0]
        assert numbers[5] == 0


@given(st.lists(ENTRIES, max_size=12, unique_by=lambda entry: entry.path))
def test_archives_say_what_was_put_in(entries):
    try:
        arranged = cpio.arrange(entries)
    except InitramfsError:
        return
    data = b"".join(cpio.encode_cpio(entries))
    found = parse(data)
    assert [name for name, _, _ in found] == sorted((name for name, _, _ in found), key=str.encode)
    assert {(e.path, e.mode, e.data) for e in entries} <= set(found)
    assert found == [(e.path, e.mode, e.data) for e in arranged]
    assert data == b"".join(cpio.encode_cpio(reversed(entries)))


@settings(max_examples=15, deadline=None)
@given(st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry.path))
def test_two_programs_unpack_them(entries):
    try:
        data = b"".join(cpio.encode_cpio(entries))
    except InitramfsError:
        return
    for argv in (["cpio", "-idm", "--quiet"], ["bsdtar", "-xf", "-"]):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "LC_ALL": "C.UTF-8"}
            subprocess.run(
                argv, input=data, cwd=folder, check=True, env=environment, capture_output=True
            )
            for entry in entries:
                path = Path(folder) / entry.path
                assert stat.S_IFMT(path.lstat().st_mode) == stat.S_IFMT(entry.mode)
                if stat.S_ISREG(entry.mode):
                    assert path.read_bytes() == entry.data
                elif stat.S_ISLNK(entry.mode):
                    assert os.readlink(path) == entry.data.decode()


@given(st.data())
def test_a_closure_has_everything_once_and_in_order(data):
    count = data.draw(st.integers(1, 12))
    names = [f"m{i}" for i in range(count)]
    # depmod lists all that a module needs, what is needed first at the end.
    needs: dict[str, list[str]] = {}
    for i, name in enumerate(names):
        direct = data.draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        reach: list[str] = []
        for one in direct:
            reach += [one, *needs[one]]
        needs[name] = sorted(set(reach), key=names.index, reverse=True)
    index = parse_index(
        "".join(f"{n}.ko: {' '.join(f'{m}.ko' for m in needs[n])}\n" for n in names)
    )
    wanted = data.draw(st.lists(st.sampled_from(names), min_size=1))
    order = close_modules(index, wanted)
    assert len(order) == len(set(order))
    assert set(order) == set(wanted).union(*(needs[name] for name in wanted))
    for name in order:
        assert all(order.index(one) < order.index(name) for one in needs[name])
    again = parse_index(format_dep(index, order))
    assert {name: set(again.needs[name]) for name in order} == {
        name: set(needs[name]) for name in order
    }
