# SPDX-License-Identifier: Apache-2.0
from ostrya.image.recipe.keys import KEYS
from ostrya.image.recipe.schema import Kind


def walk(keys, path=()):
    for key in keys:
        yield (*path, key.name), key
        yield from walk(key.keys, (*path, key.name))


def test_every_key_is_described_and_is_there_once():
    paths = [path for path, _ in walk(KEYS)]
    assert len(paths) == len(set(paths))
    for path, key in walk(KEYS):
        assert key.doc or key.kind is Kind.TABLE, path
        assert key.doc.endswith(".") or not key.doc, path


def test_outputs_are_known():
    outputs = next(key for key in KEYS if key.name == "outputs")
    assert not any(map(outputs.check, ("raw", "wic.xz", "delta-from=os/stable")))
    assert "known are raw" in outputs.check("floppy")
