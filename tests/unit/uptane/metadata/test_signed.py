# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.errors import MetadataInvalid, MetadataTooLarge, ThresholdNotMet
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.signed import (
    RoleKeys,
    add_signatures,
    parse_envelope,
    read_role_keys,
    require_threshold,
    sign,
    signers,
)  # fmt: skip
from support.uptane_world import key, rsa_key

SIGNED = {"b": 1, "a": "é"}
KEYS = {"1": key(1).key, "2": key(2).key, "3": rsa_key().key, "1 again": key(1).key}
BOTH = pytest.mark.parametrize("dialect", list(Dialect), ids=lambda d: d.value)


@BOTH
def test_signed_written_read_and_verified(dialect):
    envelope = sign(SIGNED, dialect, [("1", key(1)), ("3", rsa_key())])
    again = parse_envelope(envelope.to_bytes(), dialect, 1 << 20, "it")
    assert again == envelope
    assert len(signers(again, KEYS, RoleKeys(("1", "3"), 2))) == 2
    require_threshold(again, KEYS, RoleKeys(("1", "3"), 2), "it", "root")


def test_one_key_under_two_ids_counts_once():
    envelope = sign(SIGNED, Dialect.UPTANE, [("1", key(1)), ("1 again", key(1))])
    with pytest.raises(
        ThresholdNotMet, match="it is signed by 1 of the keys of root, 2 have to"
    ) as found:
        require_threshold(envelope, KEYS, RoleKeys(("1", "1 again"), 2), "it", "root")
    assert (found.value.valid, found.value.threshold, found.value.role) == (1, 2, "root")


def test_keys_of_other_roles_and_unknown_ones_count_for_nothing():
    envelope = sign(SIGNED, Dialect.UPTANE, [("1", key(1)), ("9", key(9))])
    assert signers(envelope, KEYS, RoleKeys(("2",), 1)) == set()
    assert signers(envelope, KEYS, RoleKeys(("9",), 1)) == set()


def test_a_changed_field_breaks_the_signature_even_if_it_is_not_known():
    envelope = sign(SIGNED, Dialect.UPTANE, [("1", key(1))])
    changed = envelope._replace(signed={**SIGNED, "new": 1})
    assert signers(changed, KEYS, RoleKeys(("1",), 1)) == set()


def test_a_signature_is_replaced():
    first = sign(SIGNED, Dialect.UPTANE, [("1", key(2))])
    second = add_signatures(first, [("1", key(1)), ("2", key(2))])
    assert [one.key_id for one in second.signatures] == ["1", "2"]
    assert len(signers(second, KEYS, RoleKeys(("1", "2"), 2))) == 2


def document(**changes):
    value = json.loads(sign(SIGNED, Dialect.UPTANE, [("1", key(1))]).to_bytes())
    value["signatures"][0].update(changes)
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (document(method="rot13"), "'rot13', which is not known"),
        (document(sig="!"), "not encoded"),
        (document(sig="A" * 9000), "longer than"),
        (document(keyid="A" * 900), "longer than"),
        (
            {**document(), "signatures": document()["signatures"] * 2},
            "two signatures by one key id",
        ),
        ({**document(), "signatures": document()["signatures"] * 2000}, "more than 1000"),
        ({"signed": {}}, "has no 'signatures'"),
        ({"signatures": []}, "has no 'signed'"),
        ({"signatures": [], "signed": []}, "no object"),
        ([], "no object"),
    ],
)
def test_no_envelope(value, why):
    with pytest.raises(MetadataInvalid, match=why):
        parse_envelope(json.dumps(value).encode(), Dialect.UPTANE, 1 << 20, "it")


def test_too_large():
    with pytest.raises(MetadataTooLarge):
        parse_envelope(json.dumps(document()).encode(), Dialect.UPTANE, 10, "it")


def test_python_tuf_leaves_empty_signatures():
    data = json.dumps({"signatures": [{"keyid": "1", "sig": ""}], "signed": SIGNED}).encode()
    envelope = parse_envelope(data, Dialect.TUF, 1 << 20, "it")
    assert signers(envelope, KEYS, RoleKeys(("1",), 1)) == set()


@BOTH
def test_unknown_fields_are_kept(dialect):
    sig = {"keyid": "1", "sig": "", "method": "ed25519", "x": 1}
    data = json.dumps({"signatures": [sig], "signed": SIGNED, "y": 2}).encode()
    again = json.loads(parse_envelope(data, dialect, 1 << 20, "it").to_bytes())
    assert again == {"signatures": [sig], "signed": SIGNED, "y": 2}


@pytest.mark.parametrize(
    "value",
    [
        {"keyids": ["1"], "threshold": 0},
        {"keyids": ["1"], "threshold": 1001},
        {"keyids": ["1", "1"], "threshold": 1},
        {"keyids": "1", "threshold": 1},
    ],
)
def test_no_role_keys(value):
    with pytest.raises(MetadataInvalid):
        read_role_keys(Fields(value, "it"))


def test_role_keys():
    value = {"keyids": ["1"], "threshold": 1, "x": 2}
    assert read_role_keys(Fields(value, "it")).to_json() == value
