# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

import pytest

from ostrya.errors import RepoError
from ostrya.formats.dirmeta import DirMeta
from ostrya.repo.modes import RepoMode
from ostrya.repo.transaction import Transaction
from ostrya.tree.modifier import CommitModifier, FileInfo
from ostrya.tree.rules import CommitRules
from support.small_repos import make_repo

INFO = FileInfo(5, 6, stat.S_IFREG | 0o4777)
XATTRS = ((b"security.selinux", b"old\0"), (b"user.x", b"1"))


@pytest.fixture
def make_rules(tmp_path):
    opened = []

    def make(mode=RepoMode.ARCHIVE, core=None, **options) -> CommitRules:
        repo = make_repo(tmp_path / f"repo{len(opened)}", mode, **(core or {}))
        tx = Transaction(repo)
        opened.append((repo, tx))
        tx.__enter__()
        return CommitRules(tx, CommitModifier(**options))

    yield make
    for repo, tx in opened:
        tx.__exit__(None, None, None)
        repo.close()


def test_nothing_asked_nothing_changed(make_rules):
    rules = make_rules()
    assert rules.info("/f", INFO) == INFO
    assert rules.xattrs("/f", INFO, XATTRS) == XATTRS


@pytest.mark.parametrize(
    ("mode", "core", "options"),
    [
        (RepoMode.BARE_USER_ONLY, {}, {}),
        (RepoMode.ARCHIVE, {"disable_xattrs": "true"}, {}),
        (RepoMode.ARCHIVE, {}, {"skip_xattrs": True}),
        (RepoMode.ARCHIVE, {}, {"canonical_permissions": True}),
    ],
)
def test_without_xattrs(make_rules, mode, core, options):
    assert make_rules(mode, core, **options).xattrs("/f", INFO, XATTRS) == ()


def test_user_only_takes_what_it_can_hold(make_rules):
    assert make_rules(RepoMode.BARE_USER_ONLY).info("/f", INFO) == (0, 0, stat.S_IFREG | 0o755)


class TestLabels:
    def test_replace_what_was_there(self, make_rules):
        rules = make_rules(label_for=lambda path, mode: f"{path} {mode:o}")
        assert rules.xattrs("/f", INFO, XATTRS) == (
            (b"security.selinux", b"/f 104777\0"),
            (b"user.x", b"1"),
        )

    def test_none_keeps_it_or_is_an_error(self, make_rules):
        assert make_rules(label_for=lambda _p, _m: None).xattrs("/f", INFO, XATTRS) == XATTRS
        rules = make_rules(label_for=lambda _p, _m: None, error_on_unlabeled=True)
        with pytest.raises(RepoError, match="Failed to look up SELinux label for '/f'"):
            rules.xattrs("/f", INFO, XATTRS)

    @pytest.mark.parametrize(
        ("path", "wanted"),
        [("/usr/etc", "/etc"), ("/usr/etc/f", "/etc/f"), ("/usr/etcetera", "/usr/etcetera")],
    )
    def test_of_usr_etc(self, make_rules, path, wanted):
        rules = make_rules(label_for=lambda path, _mode: path, label_usr_etc_as_etc=True)
        assert rules.xattrs(path, INFO, ()) == ((b"security.selinux", wanted.encode() + b"\0"),)


def test_xattrs_by_path(make_rules):
    decided = {"/a": ((b"user.y", b"2"),), "/b": ()}
    rules = make_rules(xattrs_for=lambda path, _info: decided.get(path))
    for path, wanted in (*decided.items(), ("/c", XATTRS)):
        assert rules.xattrs(path, INFO, XATTRS) == wanted


def test_a_dirmeta_is_written_once_and_counted_each_time(make_rules):
    rules = make_rules()
    dirmeta = DirMeta(0, 0, 0o040755)
    assert rules.write_dirmeta(dirmeta) == rules.write_dirmeta(dirmeta)
    assert (rules._tx.counts.metadata_total, rules._tx.counts.metadata_written) == (2, 1)
