# SPDX-License-Identifier: Apache-2.0
"""Values of all formats, made up by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ostrya.formats.commit import Commit, SizeEntry
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.types import Type, parse_type
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectType
from ostrya.formats.summary import Summary, SummaryRef
from ostrya.formats.xattrs import canonical_xattrs

_RANGES = {
    "y": (0, 2**8 - 1), "n": (-(2**15), 2**15 - 1), "q": (0, 2**16 - 1),
    "i": (-(2**31), 2**31 - 1), "h": (-(2**31), 2**31 - 1), "u": (0, 2**32 - 1),
    "x": (-(2**63), 2**63 - 1), "t": (0, 2**64 - 1),
}  # fmt: skip

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
# Text as GVariant can hold it: UTF-8 without NUL.
# What one version of Unicode leaves free, a later one, GLib's, may have given away; but for those
# that stay free for good.
texts = st.text(
    st.characters(blacklist_categories=["Cs", "Cn"], blacklist_characters="\0")
    | st.sampled_from("\ufdd0\uffff\U0010ffff")
)
checksums = st.binary(min_size=32, max_size=32).map(bytes.hex)


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    basic = st.sampled_from(list("ybnqiuxthdsog"))
    return st.one_of(
        inner.map("a{}".format),
        inner.map("m{}".format),
        st.lists(inner, max_size=4).map(lambda types: f"({''.join(types)})"),
        st.tuples(basic, inner).map(lambda pair: f"a{{{pair[0]}{pair[1]}}}"),
    )


types = st.recursive(st.sampled_from([*"ybnqiuxthdsogv", "ay", "a{sv}"]), _extend, max_leaves=6)


def values(kind: Type, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a type."""
    if kind.kind in _RANGES:
        return st.integers(*_RANGES[kind.kind])
    if kind.kind in "({":
        return st.tuples(*(values(child, depth) for child in kind.children))
    if kind.kind == "m":
        inner = values(kind.children[0], depth)
        if kind.children[0].kind == "m":
            inner = inner.map(lambda value: (value,))
        return st.none() | inner
    if kind.kind == "a":
        return arrays(kind, depth)
    if kind.kind == "v":
        return variants if depth < 2 else st.just(Variant("s", "deep"))
    return {
        "b": st.booleans(),
        "d": st.floats(allow_nan=False),
        "s": texts,
        "o": st.sampled_from(["/", "/a", "/org/example/_1"]),
        "g": st.sampled_from(["", "s", "a{sv}(ii)"]),
    }[kind.kind]


def arrays(kind: Type, depth: int) -> st.SearchStrategy[Any]:
    """Values of an array type."""
    if kind.text == "ay":
        return st.binary(max_size=300)
    items = st.lists(values(kind.children[0], depth), max_size=5)
    return items.map(VarDict if kind.text == "a{sv}" else tuple)


typed_values = types.flatmap(
    lambda text: values(parse_type(text), 1).map(lambda value: Variant(text, value))
)
variants = st.deferred(lambda: typed_values)
vardicts = st.lists(st.tuples(texts, variants), max_size=5).map(VarDict)
# Commits refuse the empty key.
metadata = st.lists(st.tuples(texts.filter(bool), variants), max_size=5).map(VarDict)

xattr_names = st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name)
xattrs = st.dictionaries(xattr_names, st.binary(max_size=400), max_size=6).map(
    lambda pairs: canonical_xattrs(pairs.items())
)
permissions = st.integers(0, 0o7777)
dirmetas = st.builds(DirMeta, u32, u32, permissions.map(lambda p: 0o40000 | p), xattrs)
targets = texts.filter(bool) | st.integers(1, 70_000).map(lambda n: "t" * n)
file_headers = st.one_of(
    st.builds(FileHeader, u32, u32, permissions.map(lambda p: 0o100000 | p), st.just(""), xattrs),
    st.builds(FileHeader, u32, u32, permissions.map(lambda p: 0o120000 | p), targets, xattrs),
)

names = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1),
    st.integers(1, 260).map(lambda n: "n" * n),
).filter(lambda name: name not in (".", ".."))


@st.composite
def dirtrees(draw: st.DrawFn) -> DirTree:
    """Directories, now and then one with many entries."""
    found = sorted(draw(st.sets(names, max_size=12)))
    found += [f"\U0010ffff{n:05d}" for n in range(draw(st.sampled_from([0, 0, 0, 7, 60, 2000])))]
    kinds = draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    one, two = draw(checksums), draw(checksums)
    return DirTree(
        tuple((n, one) for n, is_file in zip(found, kinds, strict=True) if is_file),
        tuple((n, one, two) for n, is_file in zip(found, kinds, strict=True) if not is_file),
    )


commits = st.builds(
    Commit,
    metadata,
    st.none() | checksums,
    st.lists(st.tuples(texts, checksums), max_size=3).map(tuple),
    texts,
    texts,
    i64,
    checksums,
    checksums,
)
size_entries = st.builds(SizeEntry, checksums, st.sampled_from(ObjectType), u64, u64)
summary_refs = st.builds(SummaryRef, texts, u64, checksums, vardicts)
summaries = st.builds(Summary, st.lists(summary_refs, max_size=4).map(tuple), vardicts)
