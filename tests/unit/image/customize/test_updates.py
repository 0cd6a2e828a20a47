# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.updates import remotes_of, set_up_updates, settings_of
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Recipe, RemoteWish, Update

KEY, OTHER = "A" * 43 + "=", "B" * 43 + "="
REMOTE = RemoteWish("vendor", "https://example.com/r", "ed25519", (KEY,))


def test_keys_are_in_the_release_and_the_remote_names_them(places, said, tmp_path):
    more = tmp_path / "keys"
    more.write_text(f"# ours\n{OTHER}\n{KEY}\n")
    recipe = Recipe("r", remotes=(REMOTE._replace(key_files=(str(more),)),))
    set_up_updates(places, recipe, said.append)
    path = "/usr/share/ostrya/keys/vendor.ed25519"
    assert places.read_text(path) == f"{KEY}\n{OTHER}\n"
    (remote,) = remotes_of(recipe)
    assert dict(remote.settings) == {
        "gpg-verify": False,
        "sign-verify": "ed25519",
        "verification-ed25519-file": path,
    }


def test_openpgp_keys_are_trusted_by_all(places, said, tmp_path):
    ring = tmp_path / "ring"
    ring.write_bytes(b"ring")
    remote = REMOTE._replace(verify="gpg", keys=(), key_files=(str(ring),))
    set_up_updates(places, Recipe("r", remotes=(remote,)), said.append)
    assert places.read_text("/usr/share/ostree/trusted.gpg.d/vendor.gpg") == "ring"


def test_verification_can_be_left_out():
    remote = REMOTE._replace(verify="none", keys=(), settings=(("http2", False), ("n", 3)))
    (found,) = remotes_of(Recipe("r", remotes=(remote,)))
    assert found.settings == (("gpg-verify", False), ("http2", False), ("n", "3"))


def test_what_is_no_key(places, said, tmp_path):
    (tmp_path / "keys").write_text("\nnonsense\n")
    remote = REMOTE._replace(key_files=(str(tmp_path / "keys"),))
    with pytest.raises(SourceError, match="keys:2: this is no public ed25519 key"):
        set_up_updates(places, Recipe("r", remotes=(remote,)), said.append)


def test_a_device_looks_for_updates(places, said):
    update = Update("stage", "6h", "30min")
    set_up_updates(places, Recipe("r", update=update), said.append)
    units = "/usr/lib/systemd/system"
    service = places.read_text(f"{units}/ostrya-update.service")
    assert "ExecStart=/usr/bin/ostrya admin upgrade --stage\n" in service
    assert "OnUnitActiveSec=6h\n" in places.read_text(f"{units}/ostrya-update.timer")
    assert places.exists(f"{units}/timers.target.wants/ostrya-update.timer")


def test_settings_of_the_repository():
    update = Update(
        rollback_tries=5,
        rollback_fail_fast=True,
        settings=(("core.min-free-space-percent", 5), ("sysroot.readonly", True)),
    )
    assert settings_of(Recipe("r", update=update)) == (
        ("core", "min-free-space-percent", "5"),
        ("sysroot", "readonly", "true"),
        ("ostrya", "rollback-tries", "5"),
        ("ostrya", "rollback-fail-fast", "true"),
    )
