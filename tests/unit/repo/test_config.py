# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.formats.errors import KeyFileError
from ostrya.formats.keyfile import KeyFile
from ostrya.repo.config import RepoConfig, initial_config, parse_config
from ostrya.repo.errors import RepoConfigError
from ostrya.repo.lock import NO_LOCKING
from ostrya.repo.modes import RepoMode

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "ostree-2022.7"


def parse(core: str = "", rest: str = "") -> RepoConfig:
    return parse_config(KeyFile.parse(f"[core]\nrepo_version=1\n{core}\n{rest}"))


def test_what_holds_where_nothing_is_said():
    config = parse()
    assert config[1:] == (
        RepoMode.BARE, True, False, False, 86400, 300, 6, 3, 0, None, None, None, False, False, False, False, True,
        config.fsverity, ("config", "lan", "mount"), True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("core", "field", "value"),
    [
        ("mode=archive", "mode", RepoMode.ARCHIVE),
        ("mode=archive-z2", "mode", RepoMode.ARCHIVE),
        ("mode=bare-user", "mode", RepoMode.BARE_USER),
        ("mode=bare-user-only", "mode", RepoMode.BARE_USER_ONLY),
        ("mode=bare-split-xattrs", "mode", RepoMode.BARE_SPLIT_XATTRS),
        ("fsync=false", "fsync", False),
        ("indexed-deltas=true", "indexed_deltas", True),
        ("sign-verify-deltas=true", "sign_verify_deltas", True),
        ("per-object-fsync=true", "per_object_fsync", True),
        ("disable-xattrs=true", "disable_xattrs", True),
        ("tmp-expiry-secs=7", "tmp_expiry_s", 7),
        ("lock-timeout-secs=0", "lock_timeout_s", 0),
        ("lock-timeout-secs=-1", "lock_timeout_s", -1),
        ("lock-timeout-secs=-9", "lock_timeout_s", -1),
        ("locking=false", "lock_timeout_s", NO_LOCKING),
        ("locking=false\nlock-timeout-secs=5", "lock_timeout_s", NO_LOCKING),
        ("min-free-space-percent=0", "min_free_percent", 0),
        ("min-free-space-percent=99", "min_free_percent", 99),
        ("min-free-space-size=5MB", "min_free_mb", 5),
        ("min-free-space-size=5GB", "min_free_mb", 5 << 10),
        ("min-free-space-size=5TB", "min_free_mb", 5 << 20),
        ("min-free-space-size=5MB\nmin-free-space-percent=9", "min_free_percent", 0),
        ("min-free-space-size=0MB\nmin-free-space-percent=9", "min_free_percent", 9),
        ("min-free-space-size=0MB", "min_free_percent", 0),
        ("collection-id=org.example.X", "collection_id", "org.example.X"),
        ("collection-id=", "collection_id", None),
        ("parent=/some/where", "parent_path", "/some/where"),
        ("payload-link-threshold=0", "payload_link_threshold_bytes", 0),
        ("payload-link-threshold=-1", "payload_link_threshold_bytes", None),
        ("auto-update-summary=true", "auto_update_summary", True),
        ("commit-update-summary=true", "auto_update_summary", True),
        ("tombstone-commits=true", "tombstone_commits", True),
        ("enable-uncompressed-cache=false", "uncompressed_cache", False),
    ],
)
def test_every_key(core, field, value):
    assert getattr(parse(core), field) == value


@pytest.mark.parametrize(
    ("text", "level"), [("1", 1), ("9", 9), ("0", 1), ("77", 9), ("x", 1), ("²", 1), ("-3", 1)]
)
def test_levels_of_compression(text, level):
    assert parse(rest=f"[archive]\nzlib-level={text}").zlib_level == level


@pytest.mark.parametrize("text", ["", "x", "²", "--5", "5s", "0x10", "9" * 5000, "1_0"])
@pytest.mark.parametrize(
    ("key", "default"), [("tmp-expiry-secs", 86400), ("lock-timeout-secs", 300)]
)
def test_numbers_that_are_none_count_as_not_said(key, default, text):
    config = parse(f"{key}={text}")
    assert default in (config.tmp_expiry_s, config.lock_timeout_s)


@pytest.mark.parametrize(
    ("core", "words"),
    [
        ("mode=future", "Invalid mode 'future' in repository configuration"),
        ("mode=", "Invalid mode '' in repository configuration"),
        ("archive=true", "no longer supported"),
        ("min-free-space-percent=100", "Invalid min-free-space-percent '100'"),
        ("min-free-space-percent=-1", "must be a number"),
        ("min-free-space-percent=²", "must be a number"),
        ("min-free-space-size=5", "should be of the format"),
        ("min-free-space-size=5KB", "should be of the format"),
        ("min-free-space-size=²MB", "should be of the format"),
        ("min-free-space-size=MB", "should be of the format"),
        ("min-free-space-size=-1GB", "should be of the format"),
        ("default-repo-finders=", "Invalid empty default-repo-finders configuration"),
        ("default-repo-finders=;", "Invalid configured repo-finder ''"),
        ("default-repo-finders=zz", "Invalid configured repo-finder 'zz'"),
        ("default-repo-finders=config;lan;zz;", "Invalid configured repo-finder 'zz'"),
        ("default-repo-finders=config; lan", "Invalid configured repo-finder ' lan'"),
        ("default-repo-finders=config\\;lan", "Invalid configured repo-finder 'config;lan'"),
    ],
)
def test_values_that_cannot_be_used(core, words):
    with pytest.raises(RepoConfigError, match=words):
        parse(core)


@pytest.mark.parametrize(
    ("value", "meant"), [("true", True), ("1", True), ("false", False), ("0 ", False)]
)
def test_files_for_remotes(value, meant):
    assert parse(f"add-remotes-config-dir={value}").add_remotes_config_dir is meant
    assert parse().add_remotes_config_dir


@pytest.mark.parametrize("finders", ["config", "lan;config;", "config;lan;mount"])
def test_finders(finders):
    found = parse(f"default-repo-finders={finders}").repo_finders
    assert found == tuple(finders.rstrip(";").split(";"))
    assert parse().repo_finders == ("config", "lan", "mount")


@pytest.mark.parametrize(
    "key",
    ["fsync", "locking", "tombstone-commits", "per-object-fsync", "add-remotes-config-dir"],
)
def test_booleans_that_are_none(key):
    with pytest.raises(KeyFileError, match=key):
        parse(f"{key}=perhaps")


@pytest.mark.parametrize(
    "text", ["", "[core]\n", "[core]\nrepo_version=2\n", "[core]\nmode=bare\n"]
)
def test_versions_that_are_not_ours(text):
    with pytest.raises(RepoConfigError, match="Invalid repository version"):
        parse_config(KeyFile.parse(text))


def test_the_one_that_ostree_wrote():
    config = parse_config(KeyFile.parse((VECTORS / "config").read_text()))
    assert config.mode == RepoMode.ARCHIVE
    assert config.collection_id == "org.example.Vectors"
    assert config.tombstone_commits


@pytest.mark.parametrize("mode", RepoMode)
@pytest.mark.parametrize("collection_id", [None, "org.example.X"])
def test_a_new_one_says_what_it_was_made_with(mode, collection_id):
    config = parse_config(KeyFile.parse(initial_config(mode, collection_id)))
    assert (config.mode, config.collection_id) == (mode, collection_id)
