# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest


def checksum_of(run, sample, path):
    return run.ok(sample.option, "ls", "-C", "-d", "main", path).out.split()[4]


def test_commit(run, sample):
    found = run.ok(sample.option, "show", "main").lines
    assert found[0] == f"commit {sample.second}"
    assert run.ok(sample.option, "show", sample.second).lines == found


def test_regular_file(run, sample):
    checksum = checksum_of(run, sample, "/file")
    assert run.ok(sample.option, "show", checksum).out == (
        f"Object: {checksum}\nType: file\nFile Type: regular\nSize: 8\n"
        "Mode: 0100644\nUid: 0\nGid: 0\nExtended Attributes: { @a(ayay) [] }\n"
    )


def test_symbolic_link(run, sample):
    checksum = checksum_of(run, sample, "/link")
    assert "File Type: symlink\nTarget: dir/inner\n" in run.ok(sample.option, "show", checksum).out


def test_directory_objects(run, sample):
    line = run.ok(sample.option, "ls", "-Cd", "main", "/dir").out.split()
    tree, meta = line[4], line[5]
    assert run.ok(sample.option, "show", tree).out == f"dirtree {tree}\n"
    assert run.ok(sample.option, "show", meta).out == f"dirmeta {meta}\n"
    raw = run.ok(sample.option, "show", "--raw", meta).lines
    assert raw[1] == "(uint32 0, uint32 0, uint32 16877, @a(ayay) [])"


@pytest.mark.parametrize(
    ("given", "swapped", "plain"),
    [
        ("'text'", "'text'", "'text'"),
        ("uint64 42", "uint64 3026418949592973312", "uint64 42"),
        ("true", "true", "true"),
        ("[byte 1, 255]", "[byte 0x01, 0xff]", "[byte 0x01, 0xff]"),
    ],
)
def test_metadata_values(run, sample, tree, given, swapped, plain):
    run.ok(sample.option, "commit", "-b", "m", f"--add-metadata=key={given}", tree)
    show = (sample.option, "show", "--print-metadata-key=key", "m")
    assert run.ok(*show).out == f"{swapped}\n"
    assert run.ok(*show, "-B").out == f"{plain}\n"
    assert run.ok(*show, "--json").json()["value"] == plain


def test_metadata_in_hexadecimal(run, sample, tree):
    run.ok(sample.option, "commit", "-b", "m", "--add-metadata=key=[byte 1, 255]", tree)
    show = (sample.option, "show", "--print-hex", "--print-metadata-key=key", "m")
    assert run.ok(*show).out == "01ff\n"


def test_metadata_keys(run, sample, tree):
    found = run.ok(sample.option, "show", "--list-metadata-keys", "main^")
    assert found.lines == ["ostree.ref-binding", "version"]
    message = run.fails(sample.option, "show", "--print-metadata-key=nope", "main")
    assert message == "No such metadata key 'nope'"


def test_detached_metadata(run, sample, tree):
    run.ok(sample.option, "commit", "-b", "d", "--add-detached-metadata-string=sig=x", tree)
    assert run.ok(sample.option, "show", "--print-detached-metadata-key=sig", "d").out == "'x'\n"
    assert run.ok(sample.option, "show", "--list-detached-metadata-keys", "d").out == "sig\n"
    message = run.fails(sample.option, "show", "--list-detached-metadata-keys", "main")
    assert message == f"No detached metadata for commit {sample.second}"


def test_sizes(run, sample, tree):
    assert "ostree.sizes" in run.fails(sample.option, "show", "--print-sizes", "main")
    run.ok(sample.option, "commit", "-b", "s", "--generate-sizes", tree)
    found = run.ok(sample.option, "show", "--print-sizes", "s").lines
    assert found[0].startswith("Compressed size (needed/total): 0 bytes/")
    assert found[2].startswith("Number of objects (needed/total): 0/")
    as_json = run.ok(sample.option, "show", "--json", "--print-sizes", "s").json()
    assert as_json["needed"]["objects"] == 0
    assert found[2].endswith(f"/{as_json['total']['objects']}")


def test_a_file_as_a_variant(run, sample, tmp_path):
    (tmp_path / "v").write_bytes(b"\0\0\0\x07")
    show = (sample.option, "show", "--print-variant-type=u", tmp_path / "v")
    assert run.ok(*show).out == "uint32 7\n"


@pytest.mark.parametrize("what", ["main", "file", "link", "dir"])
def test_json(run, sample, schema, what):
    name = what if what == "main" else checksum_of(run, sample, f"/{what}")
    found = run.ok(sample.option, "show", "--json", name).json()
    schema(found, "show")
    assert sample.second in json.dumps(found) or name in json.dumps(found)


def test_a_file_as_a_variant_as_json(run, sample, tmp_path, schema):
    (tmp_path / "v").write_bytes(b"\0\0\0\x07")
    show = (sample.option, "show", "--print-variant-type=u", "--json", tmp_path / "v")
    found = run.ok(*show).json()
    schema(found, "show")
    assert found == {"file": str(tmp_path / "v"), "type": "u", "raw": "uint32 7"}


def test_related_commits(run, sample, schema, monkeypatch):
    from ostrya.cli.commands import show

    command = (sample.option, "show", "--print-related", "main")
    assert run.ok(*command).out == ""
    assert run.ok(*command, "--json").json() == {"related": []}
    commit = show.reader.load_commit
    monkeypatch.setattr(
        show.reader,
        "load_commit",
        lambda *given: commit(*given)._replace(related=(("kin", sample.first),)),
    )
    assert run.ok(*command).lines == [f"kin {sample.first}"]
    found = run.ok(*command, "--json").json()
    schema(found, "show")
    assert found == {"related": [{"name": "kin", "commit": sample.first}]}


def test_errors(run, sample):
    assert run.fails(sample.option, "show") == "An object argument is required"
    assert "0" * 64 in run.fails(sample.option, "show", "0" * 64)


SHOWING = [
    [], ["--raw"], ["--no-byteswap"], ["--json"], ["--print-metadata-key=version"],
    ["--print-metadata-key=version", "--json"], ["--list-metadata-keys"], ["--print-related"],
    ["--print-sizes"],
]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"no commit"])
@pytest.mark.parametrize("extra", SHOWING)
def test_a_damaged_commit_is_named(run, sample, extra, content):
    name = sample.second
    (sample.path / "objects" / name[:2] / f"{name[2:]}.commit").write_bytes(content)
    found = run(sample.option, "show", *extra, "main")
    assert (found.status, found.out) == (10, "")
    assert found.error.startswith(f"{name}.commit: ")


@pytest.mark.parametrize("kind", ["dirtree", "dirmeta"])
@pytest.mark.parametrize("extra", [[], ["--raw"], ["--no-byteswap"], ["--json"]])
def test_a_damaged_tree_is_named(run, sample, extra, kind):
    path = next(iter(sorted(sample.path.rglob(f"objects/*/*.{kind}"))))
    path.write_bytes(b"bad")
    found = run(sample.option, "show", *extra, path.parent.name + path.stem)
    assert (found.status, found.out) == (10, "")
    assert found.error.startswith(f"{path.parent.name}{path.name}: ")


@pytest.mark.parametrize(
    "extra", [["--list-detached-metadata-keys"], ["--print-detached-metadata-key=x"], ["--json"]]
)
def test_damaged_detached_metadata_is_named(run, sample, extra):
    name = sample.second
    (sample.path / "objects" / name[:2] / f"{name[2:]}.commitmeta").write_bytes(b"bad")
    found = run(sample.option, "show", *extra, "main")
    assert (found.status, found.out) == (10, "")
    assert found.error.startswith(f"{name}.commitmeta: ")
