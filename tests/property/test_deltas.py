# SPDX-License-Identifier: Apache-2.0
"""For any two trees and all options: applying what was generated gives the second tree."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostrya.delta.bsdiff import make_patch
from ostrya.delta.bsdiff_plain import make_plain_patch
from ostrya.delta.bspatch import patched_chunks
from ostrya.delta.byte_source import MemorySource
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.offline import apply_offline
from ostrya.delta.plan import DeltaLimits, Shipping
from ostrya.errors import OstryaError
from ostrya.formats.delta_name import DeltaName
from ostrya.formats.delta_superblock import DeltaByteOrder
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.sign.dummy import DummySigner, DummyVerifier
from support.small_repos import commit_tree, make_repo, names_of

names = st.sampled_from(["a", "b.so.1", "b.so.2", "c", "d.gz"])
pieces = st.binary(max_size=60) | st.sampled_from([b"word " * 50, b"line\n" * 90, bytes(700)])
contents = st.lists(pieces, max_size=5).map(b"".join)
trees = st.dictionaries(st.tuples(names, names), contents, max_size=6)
limits = st.builds(
    DeltaLimits,
    max_chunk=st.sampled_from([100, 1000, 32_000_000]),
    max_patch=st.sampled_from([0, 800, 128_000_000]),
    min_fallback=st.sampled_from([None, 0, 200]),
    patches=st.booleans(),
    apply_memory=st.sampled_from([None, 1 << 20]),
    same_path_only=st.booleans(),
)
memories = st.sampled_from([None, 1 << 20, 100 << 20])


def write_tree(top: Path, tree: dict) -> None:
    for (folder, name), content in tree.items():
        (top / folder).mkdir(parents=True, exist_ok=True)
        (top / folder / name).write_bytes(content)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    old_tree=trees,
    new_tree=trees,
    chosen=limits,
    memory=memories,
    inline=st.booleans(),
    order=st.sampled_from(list(DeltaByteOrder)[:2]),
    signed=st.booleans(),
)
def test_generate_and_apply(old_tree, new_tree, chosen, memory, inline, order, signed):
    signers = [DummySigner(b"key")] if signed else []
    verifier = DummyVerifier([b"key"]) if signed else None
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        top = Path(folder)
        for name, tree in (("old", old_tree), ("new", new_tree)):
            (top / name).mkdir()
            write_tree(top / name, tree)
        with make_repo(top / "source") as source:
            old = commit_tree(source, top / "old")
            new = commit_tree(source, top / "new")
            options = GenerateOptions(chosen, 1, memory, inline=inline, byte_order=order)
            made = []
            for origin, to in ((None, old), (old, new)):
                (top / str(len(made))).mkdir()
                target = f"{top}/{len(made)}/superblock"
                filled = GenerateOptions(**_fields(options), filename=target)
                name = DeltaName(to, origin)
                delta = generate_delta(source, name, filled, now=1, signers=signers)
                made.append((target, delta))
            with make_repo(top / "client", RepoMode.BARE_USER) as client:
                for target, delta in made:
                    if any(file.shipping == Shipping.FALLBACK for file in delta.files):
                        # Complete only with what is fetched besides; nothing of it is applied.
                        with (
                            pytest.raises(OstryaError, match="fallback"),
                            Transaction(client) as tx,
                        ):
                            apply_offline(tx, _given(target, inline), verifier)
                        return
                    with Transaction(client) as tx:
                        apply_offline(tx, _given(target, inline), verifier)
                        tx.commit()
                assert names_of(client) == names_of(source)


def _given(target: str, inline: bool) -> str:
    return target if inline else str(Path(target).parent)


def _fields(options: GenerateOptions) -> dict:
    wanted = ("limits", "jobs", "memory", "inline", "byte_order")
    return {name: getattr(options, name) for name in wanted}


@settings(max_examples=200, deadline=None)
@given(contents, contents, contents)
def test_patches(same, old_rest, new_rest):
    for old, new in ((same + old_rest, new_rest + same), (old_rest + same, same + new_rest)):
        for made in (
            make_patch(old, new).data,
            make_plain_patch(memoryview(old), memoryview(new))[0],
        ):
            given_patch = MemorySource(made)
            chunks = patched_chunks(MemorySource(old), given_patch, 0, len(made), len(new))
            assert b"".join(chunks) == new
