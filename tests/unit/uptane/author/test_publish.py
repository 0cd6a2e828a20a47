# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta

import pytest

from ostrya.uptane.author import publish as module
from ostrya.uptane.author.images import About, add_file
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.roles import RolePlan, rotate
from ostrya.uptane.author.workplace import open_workplace
from ostrya.uptane.errors import AuthoringError, MetadataExpired
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import NOW

ABOUT = About(("board",))


@pytest.mark.parametrize("dialect", list(Dialect), ids=lambda d: d.value)
def test_a_device_follows_what_is_published(make, device, fw, dialect):
    work = make(dialect=dialect)
    client = device(work)
    client.refresh()
    add_file(work, "a/firmware", fw, ABOUT, NOW)
    result = publish(work, NOW)
    assert result.files[-1] == "timestamp.json"
    assert client.find("a/firmware").length == 8
    assert work.staged_roles() == ()


def test_keys_that_lie_on_two_media(make, tmp_path, fw):
    """Each is put in, one after the other, and signs."""
    media = [str(tmp_path / name) for name in ("one", "two")]
    plan = RolePlan(2, 2, tuple(media))
    work = make(plans={"root": plan, "targets": plan}, sign=False)
    assert {one.role for one in publish(work, NOW).missing} == {"root", "targets"}
    first = publish(open_workplace(work.folder, media[:1]), NOW)
    assert [(one.signed_by, one.threshold, len(one.key_ids)) for one in first.missing] == [
        (1, 2, 1)
    ] * 2
    assert work.root_version() == 0
    # The first medium is out again.
    assert publish(open_workplace(work.folder, media[1:]), NOW).missing == ()
    assert work.root_version() == 1


def test_nothing_staged_keeps_it_fresh(work, device):
    client = device(work)
    client.refresh()
    later = NOW + timedelta(days=8)
    with pytest.raises(MetadataExpired):
        client.refresh(later)
    assert publish(work, later).files == ("snapshot.json", "timestamp.json")
    assert client.refresh(later).timestamp.header.version == 2


def test_a_new_root_needs_old_and_new_keys(make, device, tmp_path):
    work = make(plans={"root": RolePlan(1, 1, (str(tmp_path / "safe"),))}, sign=False)
    whole = open_workplace(work.folder, [str(tmp_path / "safe")])
    publish(whole, NOW)
    client = device(work)
    client.refresh()
    rotate(whole, "root", "ed25519", RolePlan(1, 1, (str(tmp_path / "new"),)), NOW)
    missing = publish(whole, NOW).missing
    assert [one.role for one in missing] == ["root"]
    both = open_workplace(work.folder, [str(tmp_path / "safe"), str(tmp_path / "new")])
    assert publish(both, NOW).files[:2] == ("2.root.json", "root.json")
    assert client.refresh().root.header.version == 2


def test_keys_of_timestamp_that_are_not_here(work):
    for path in module.os.scandir(work.path("keys")):
        if path.name.startswith("timestamp"):
            module.os.unlink(path)
    missing = publish(open_workplace(work.folder), NOW).missing
    assert [(one.role, one.threshold) for one in missing] == [("timestamp", 1)]


def test_something_staged_for_nobody(work):
    work.stage("nobody", work.published("targets"))
    with pytest.raises(AuthoringError, match="nobody, which Targets do not trust"):
        publish(work, NOW)


def test_killed_at_every_write(make, device, fw, monkeypatch):
    """The next attempt goes on, and a device never sees less than before."""
    work = make()
    client = device(work)
    client.refresh()
    add_file(work, "firmware", fw, ABOUT, NOW)
    real = type(work).write_published
    for at in range(3):
        count = iter(range(9))

        def cut(self, name, data, count=count, at=at):
            if next(count) == at:
                raise KeyboardInterrupt
            real(self, name, data)

        monkeypatch.setattr(type(work), "write_published", cut)
        with pytest.raises(KeyboardInterrupt):
            publish(work, NOW)
        monkeypatch.setattr(type(work), "write_published", real)
        assert work.staged_roles() == ("targets",)
    publish(work, NOW)
    assert client.find("firmware").length == 8
