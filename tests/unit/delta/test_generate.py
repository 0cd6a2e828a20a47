# SPDX-License-Identifier: Apache-2.0
"""Deltas made and applied: what comes out is the commit, whatever the options."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ostrya.delta.bsdiff import is_compiled
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.offline import apply_offline
from ostrya.delta.plan import DeltaLimits, Shipping
from ostrya.formats.delta_name import DeltaName, delta_dir
from ostrya.formats.delta_superblock import (
    KEY_APPLY_MEMORY,
    DeltaByteOrder,
    Superblock,
    decode_superblock,
)
from ostrya.formats.gvariant.byteorder import swap_u64
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.detached import read_detached, write_detached
from ostrya.repo.fsck import fsck
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.sign.dummy import DummySigner, DummyVerifier
from support.small_repos import commit_tree, make_repo, names_of

NOW = 1_700_000_000


def program(rng: random.Random, size: int) -> bytes:
    """Bytes that compress a little, as programs do."""
    return bytes(rng.choices(range(64), k=size))


@pytest.fixture
def releases(tmp_path):
    """A repository, and two commits of a tree with all that happens to files."""
    rng = random.Random(11)
    top = tmp_path / "tree"
    (top / "usr/lib").mkdir(parents=True)
    (top / "usr/bin").mkdir()
    old_library = program(rng, 200_000)
    moved = program(rng, 50_000)
    (top / "usr/lib/libx.so.1.2").write_bytes(old_library)
    (top / "usr/bin/tool").write_bytes(program(rng, 80_000))
    (top / "usr/bin/secret").write_bytes(program(rng, 9_000))
    (top / "usr/bin/secret").chmod(0o700)
    (top / "usr/moved-from").write_bytes(moved)
    (top / "usr/stays").write_bytes(b"stays")
    (top / "usr/empty").touch()
    with make_repo(tmp_path / "releases") as repo:
        old = commit_tree(repo, top)
        (top / "usr/lib/libx.so.1.2").unlink()
        library = bytearray(old_library)
        library[100_000:100_000] = b"inserted" * 3
        for at in range(150_000, 160_000, 50):
            library[at] ^= 1
        (top / "usr/lib/libx.so.1.3").write_bytes(library)
        (top / "usr/lib/libx.so").symlink_to("libx.so.1.3")
        (top / "usr/bin/tool").write_bytes(program(rng, 70_000))
        secret = (top / "usr/bin/secret").read_bytes()
        (top / "usr/bin/secret").write_bytes(secret + b"more")
        (top / "usr/moved-from").unlink()
        (top / "usr/called-otherwise").write_bytes(moved[:25_000] + b"new" + moved[25_000:])
        (top / "usr/link").symlink_to("stays")
        yield repo, old, commit_tree(repo, top, parent=old)


def generate(repo, to, origin, **options):
    return generate_delta(repo, DeltaName(to, origin), GenerateOptions(**options), now=NOW)


def folder_of(repo, to, origin) -> str:
    return f"{repo.path}/{delta_dir(DeltaName(to, origin))}"


def block_of(path: str) -> Superblock:
    with open(f"{path}/superblock", "rb") as stream:
        return decode_superblock(stream.read())[0]


def apply(repo, path, verifier=None) -> None:
    with Transaction(repo) as tx:
        apply_offline(tx, str(path), verifier)
        tx.commit()


def brought(tmp_path, source, paths, mode=RepoMode.BARE_USER) -> set:
    """The objects of a new repository that deltas were applied to."""
    with make_repo(tmp_path / "client", mode) as client:
        for path in paths:
            apply(client, path)
        assert fsck(client, jobs=1).partial == 0
        return names_of(client)


@pytest.mark.parametrize("jobs", [1, 2])
def test_from_nothing_and_onwards(releases, tmp_path, jobs):
    repo, old, new = releases
    first = generate(repo, old, None, jobs=jobs)
    second = generate(repo, new, old, jobs=jobs)
    assert {file.shipping for file in first.files} == {Shipping.WHOLE}
    kinds = {file.path: file.shipping for file in second.files}
    assert kinds["usr/lib/libx.so.1.3"] is Shipping.PATCH
    assert kinds["usr/called-otherwise"] is Shipping.PATCH
    assert kinds["usr/bin/tool"] is Shipping.WHOLE
    # Its old content may be out of reach of who applies it.
    assert kinds["usr/bin/secret"] is Shipping.WHOLE
    assert second.size < first.size / 2
    assert second.new_links == 2
    paths = [folder_of(repo, old, None), folder_of(repo, new, old)]
    assert brought(tmp_path, repo, paths) == names_of(repo)


@pytest.mark.parametrize(
    "options",
    [
        {"limits": DeltaLimits(patches=False)},
        {"limits": DeltaLimits(max_chunk=60_000)},
        {"limits": DeltaLimits(max_patch=100_000)},
        {"limits": DeltaLimits(apply_memory=1 << 20)},
        {"limits": DeltaLimits(apply_memory=400_000)},
        {"memory": 1 << 20},
        {"byte_order": DeltaByteOrder.BIG},
        {"inline": True},
    ],
)
def test_options(releases, tmp_path, options):
    repo, old, new = releases
    generate(repo, old, None)
    made = generate(repo, new, old, jobs=1, **options)
    paths = [folder_of(repo, old, None), folder_of(repo, new, old)]
    assert brought(tmp_path, repo, paths) == names_of(repo)
    ceiling = made.apply_memory
    assert block_of(paths[1]).metadata.lookup(KEY_APPLY_MEMORY, "t") == swap_u64(ceiling)
    limits = options.get("limits", DeltaLimits())
    if limits.apply_memory is not None:
        assert ceiling <= limits.apply_memory
    if not limits.patches:
        assert made.count(Shipping.PATCH) == 0
        assert made.count(Shipping.RANGES) == 2


def test_large_files_without_a_partner_fall_out_if_told(releases):
    repo, _, new = releases
    made = generate(repo, new, None, limits=DeltaLimits(min_fallback=150_000), jobs=1)
    [file] = [file for file in made.files if file.shipping is Shipping.FALLBACK]
    assert file.path == "usr/lib/libx.so.1.3"
    [fallback] = block_of(folder_of(repo, new, None)).fallbacks
    assert fallback.name.checksum == file.checksum
    assert fallback.unpacked_size == file.size


def test_nothing_falls_out_if_told(releases, monkeypatch):
    """A delta to be carried has to be whole."""
    monkeypatch.setattr("ostrya.delta.plan._LARGEST_OBJECT", 100_000)
    repo, _, new = releases
    for bound, left_out in ((None, 1), (0, 0)):
        limits = DeltaLimits(max_chunk=60_000, min_fallback=bound)
        made = generate(repo, new, None, limits=limits, jobs=1)
        assert made.count(Shipping.FALLBACK) == left_out


def test_files_larger_than_any_part_fall_out(releases):
    repo, _, new = releases
    made = generate(repo, new, None, limits=DeltaLimits(apply_memory=400_000), jobs=1)
    assert made.count(Shipping.FALLBACK) == 1


@pytest.mark.parametrize("partner", [True, False])
def test_a_ceiling_is_kept_whatever_the_content_is(tmp_path, partner):
    """Patches may be longer than the files they make; many small files have large tables."""
    rng = random.Random(8)
    top = tmp_path / "tree"
    top.mkdir()
    old_data = rng.randbytes(300_000)
    places = [rng.randrange(299_000) for _ in range(13_000)]
    woven = b"".join(rng.randbytes(12) + old_data[at : at + 20] for at in places)
    # With nothing in common, and larger than any part, it is left out.
    with make_repo(tmp_path / "repo") as repo:
        (top / "woven").write_bytes(old_data)
        (top / "alien").write_bytes(rng.randbytes(700_000))
        old = commit_tree(repo, top)
        (top / "woven").write_bytes(woven)
        (top / "alien").write_bytes(rng.randbytes(700_000))
        for number in range(3000):
            (top / f"{number}").write_bytes(b"%d" % number)
        limits = DeltaLimits(apply_memory=1 << 20, patches=partner)
        made = generate(repo, commit_tree(repo, top), old, limits=limits, jobs=1)
    assert made.apply_memory <= 1 << 20
    assert made.count(Shipping.FALLBACK) == 1


# Contents of 36 MB: a patch, or ranges, or what to look for by content.
_BIG_FILES = """
import os, random, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[5])
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.plan import DeltaLimits
from ostrya.formats.delta_name import DeltaName
from support.small_repos import commit_tree, make_repo

top, limit, options = Path(sys.argv[1]), int(sys.argv[2]), eval(sys.argv[3])
def writable():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) << 10
(top / "tree").mkdir()
def write(name, seed):
    with open(top / "tree" / name, "wb") as file:
        for block in range(36):
            rng = random.Random(f"{seed}{block}" if block % 6 == 0 else block)
            file.write(b"\\0".join(rng.randbytes(99) for _ in range(10_000)))
with make_repo(top / "repo") as repo:
    write("one", 1)
    old = commit_tree(repo, top / "tree")
    (top / "tree/one").unlink()
    write(sys.argv[4], 2)
    new = commit_tree(repo, top / "tree")
    resource.setrlimit(resource.RLIMIT_DATA, (writable() + limit, -1))
    made = generate_delta(
        repo, DeltaName(new, old), GenerateOptions(jobs=1, memory=32 << 20, **options), now=0
    )
print(made.files[0].shipping)
"""


@pytest.mark.parametrize(
    ("name", "limits", "how"),
    [
        ("one", "{}", "patch"),
        ("one", "{'limits': DeltaLimits(patches=False)}", "ranges"),
        ("other", "{}", "patch"),
    ],
)
def test_large_files_within_little_memory(tmp_path, name, limits, how):
    """The kernel refuses more than was allowed; files that are mapped do not count."""
    if not is_compiled():
        pytest.skip("the search in Python keeps patches in memory")
    tests = str(Path(__file__).resolve().parents[2])
    argv = [sys.executable, "-c", _BIG_FILES, str(tmp_path), str(30 << 20), limits, name, tests]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == how


def test_signed(releases, tmp_path):
    repo, old, _ = releases
    name = DeltaName(old, None)
    generate_delta(repo, name, GenerateOptions(), now=NOW, signers=[DummySigner(b"dummysign")])
    with make_repo(tmp_path / "client", RepoMode.BARE_USER) as client:
        apply(client, folder_of(repo, old, None), DummyVerifier([b"dummysign"]))


def test_elsewhere_with_detached_metadata(releases, tmp_path):
    repo, old, _ = releases
    detached = VarDict((("k", Variant("s", "v")),))
    write_detached(repo, old, detached)
    target = tmp_path / "out"
    target.mkdir()
    made = generate(repo, old, None, inline=True, filename=str(target / "one-file"))
    assert os.listdir(target) == ["one-file"]
    assert made.size == (target / "one-file").stat().st_size
    with make_repo(tmp_path / "client", RepoMode.BARE_USER) as client:
        apply(client, target / "one-file")
        assert read_detached(client, old) == detached


def test_metadata_of_the_author_comes_first(releases):
    repo, old, _ = releases
    generate(repo, old, None, metadata=VarDict((("author", Variant("s", "me")),)))
    assert block_of(folder_of(repo, old, None)).metadata[0][0] == "author"


def test_parts_of_an_earlier_delta_go(releases):
    repo, old, _ = releases
    generate(repo, old, None, limits=DeltaLimits(max_chunk=30_000))
    folder = folder_of(repo, old, None)
    assert len(os.listdir(folder)) > 2
    generate(repo, old, None, inline=True)
    assert os.listdir(folder) == ["superblock"]


def test_the_same_commit_takes_one_empty_part(releases):
    repo, old, _ = releases
    made = generate(repo, old, old)
    [part] = made.parts
    assert part.objects == 0
    assert part.unpacked_size == 0


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress(releases, jobs):
    repo, old, new = releases
    events = []

    class Sink:
        send = staticmethod(events.append)

    options = GenerateOptions(DeltaLimits(max_chunk=100_000), jobs=jobs)
    generate_delta(repo, DeltaName(new, old), options, now=NOW, progress=Sink())
    first, *between, last = events
    done = [event.done for event in between]
    assert done == sorted(done)
    assert len(done) > (3 if jobs == 1 else 0)
    assert {event.total for event in between} == {first.total}
    assert done[-1] == last.done == first.total > 200_000


def test_failure_leaves_the_earlier_delta(releases, monkeypatch):
    repo, old, _ = releases
    generate(repo, old, None)
    folder = folder_of(repo, old, None)
    before = {name: (os.stat(f"{folder}/{name}").st_ino) for name in os.listdir(folder)}

    def fail(*_args, **_options):
        raise OSError("no")

    monkeypatch.setattr("ostrya.delta.generate.read_detached", fail)
    with pytest.raises(OSError, match="no"):
        generate(repo, old, None, jobs=1)
    assert before == {name: (os.stat(f"{folder}/{name}").st_ino) for name in os.listdir(folder)}


def test_cut_off_in_between_there_is_no_delta(releases, monkeypatch):
    """Rather than one that names parts of another."""
    repo, old, _ = releases
    generate(repo, old, None)
    folder = folder_of(repo, old, None)
    seen = []

    def fail(*_args, **_options):
        seen.extend(os.listdir(folder))
        raise KeyboardInterrupt

    monkeypatch.setattr("ostrya.delta.generate.replace_file", fail)
    with pytest.raises(KeyboardInterrupt):
        generate(repo, old, None, jobs=1, limits=DeltaLimits(max_chunk=30_000))
    assert "superblock" not in seen
    assert "0" in seen
    monkeypatch.undo()
    generate(repo, old, None)
    assert block_of(folder).parts


@pytest.mark.parametrize("mode", [RepoMode.BARE_USER, RepoMode.ARCHIVE])
def test_repositories_of_other_modes(releases, tmp_path, mode):
    repo, old, new = releases
    generate(repo, old, None)
    generate(repo, new, old)
    with make_repo(tmp_path / "client", mode) as client:
        apply(client, folder_of(repo, old, None))
        apply(client, folder_of(repo, new, old))
        made = generate(client, new, old, jobs=1)
        assert made.count(Shipping.PATCH) == 2
