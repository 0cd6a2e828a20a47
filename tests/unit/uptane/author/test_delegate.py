# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.author import delegate
from ostrya.uptane.author.delegate import Trust
from ostrya.uptane.author.images import About, add_file
from ostrya.uptane.author.keyring import write_key
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.workplace import open_workplace
from ostrya.uptane.errors import AuthoringError, MetadataInvalid, TargetNotFound
from ostrya.uptane.metadata.signed import add_signatures
from support.uptane_world import NOW, key

TRUST = Trust(("sup/*",))


@pytest.fixture
def supplier(tmp_path):
    write_key(str(tmp_path / "sup"), "supplier", key(50))
    return str(tmp_path / "sup")


def trusted(work, supplier):
    delegate.add(work, "supplier", [f"{supplier}/supplier.pub"], TRUST, NOW)
    whole = open_workplace(work.folder, [supplier])
    assert publish(whole, NOW).missing == ()
    return whole


def test_a_supplier(work, supplier, device, fw):
    client = device(work)
    whole = trusted(work, supplier)
    add_file(whole, "sup/fw", fw, About(("board",), role="supplier"), NOW)
    # The owner of the repository cannot publish it alone.
    assert [one.role for one in publish(open_workplace(work.folder), NOW).missing] == ["supplier"]
    publish(whole, NOW)
    assert client.find("sup/fw").length == 8
    with pytest.raises(AuthoringError, match="supplier is not trusted with other"):
        add_file(whole, "other", fw, About(("board",), role="supplier"), NOW)


def test_what_a_supplier_signed_elsewhere(work, supplier, device, fw, make):
    whole = trusted(work, supplier)
    add_file(whole, "sup/fw", fw, About(("board",), role="supplier"), NOW)
    # Signed, but not published: the supplier has not the keys of snapshot and timestamp.
    publish(open_workplace(work.folder), NOW)
    signed = whole.staged("supplier")
    whole.unstage("supplier")
    data = add_signatures(
        signed, [(whole.newest_targets().delegations.roles[0].members[0][1].key_ids[0], key(50))]
    )
    delegate.take_in(work, "supplier", data.to_bytes())
    assert publish(work, NOW).missing == ()
    assert device(work).find("sup/fw")
    with pytest.raises(AuthoringError, match="has version 2, and 2 is published"):
        delegate.take_in(work, "supplier", data.to_bytes())
    with pytest.raises(AuthoringError, match="nobody is not trusted"):
        delegate.take_in(work, "nobody", data.to_bytes())


def test_taken_back(work, supplier, device, fw):
    client = device(work)
    whole = trusted(work, supplier)
    add_file(whole, "sup/fw", fw, About(("board",), role="supplier"), NOW)
    publish(whole, NOW)
    client.find("sup/fw")
    delegate.remove(whole, "supplier", NOW)
    publish(whole, NOW)
    # The snapshot still lists its file, or this client would refuse it.
    with pytest.raises(TargetNotFound):
        client.find("sup/fw")
    assert delegate.roles(whole) == ()
    with pytest.raises(AuthoringError, match="is not trusted"):
        delegate.remove(whole, "supplier", NOW)
    # And again, with its Targets of then.
    delegate.add(whole, "supplier", [f"{supplier}/supplier.pub"], TRUST, NOW)
    publish(whole, NOW)
    assert client.find("sup/fw")


@pytest.mark.parametrize(
    ("name", "keys", "trust", "error"),
    [
        ("targets", 1, TRUST, MetadataInvalid), ("x", 0, TRUST, AuthoringError),
        ("x", 1, Trust(("*",), 2), AuthoringError), ("x", 1, Trust(()), AuthoringError),
        ("x", 1, Trust(("*a" * 20,)), MetadataInvalid),
    ],
)  # fmt: skip
def test_refused(work, supplier, name, keys, trust, error):
    with pytest.raises(error):
        delegate.add(work, name, [f"{supplier}/supplier.pub"] * keys, trust, NOW)
    assert work.staged_roles() == ()


def test_twice(work, supplier):
    trusted(work, supplier)
    with pytest.raises(AuthoringError, match="supplier is trusted already"):
        delegate.add(work, "supplier", [f"{supplier}/supplier.pub"], TRUST, NOW)
