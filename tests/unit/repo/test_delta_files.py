# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from ostrya.formats.delta_name import DeltaName, delta_dir
from ostrya.repo.delta_files import delete_delta, list_deltas

A, B = "a" * 64, "0f" * 32


def make(repo, path: str, *, whole: bool = True) -> None:
    folder = Path(repo.path) / path
    folder.mkdir(parents=True)
    if whole:
        (folder / "superblock").touch()


def test_there_and_back(repo):
    names = [DeltaName(A, None), DeltaName(A, B), DeltaName(B, A)]
    for name in names:
        make(repo, delta_dir(name))
    assert list_deltas(repo) == sorted(names, key=str)
    assert str(DeltaName(A, B)) == f"{B}-{A}"
    delete_delta(repo, names[0])
    assert names[0] not in list_deltas(repo)
    assert names[1] in list_deltas(repo)
    delete_delta(repo, names[0])


def test_what_is_none_is_passed_over(repo):
    assert list_deltas(repo) == []
    make(repo, "deltas/xx/short")
    make(repo, "deltas/xx/" + "!" * 41)
    make(repo, delta_dir(DeltaName(A, None)), whole=False)
    (Path(repo.path) / "deltas/file").touch()
    assert list_deltas(repo) == []
