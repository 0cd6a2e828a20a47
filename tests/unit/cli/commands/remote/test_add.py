# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def group_of(sample, name):
    text = (sample.path / "config").read_text()
    _, _, rest = text.partition(f'[remote "{name}"]\n')
    return rest.partition("\n\n")[0].splitlines()


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["x", "http://x"], ["url=http://x"]),
        (["x", "metalink=http://x"], ["metalink=http://x"]),
        (["x", "http://x", "a", "b"], ["url=http://x", "branches=a;b;"]),
        (["--set=k=v=w", "x", "http://x"], ["url=http://x", "k=v=w"]),
        (["--no-gpg-verify", "x", "http://x"], ["url=http://x", "gpg-verify=false"]),
        (
            ["--no-sign-verify", "x", "http://x"],
            ["url=http://x", "gpg-verify=false", "sign-verify=false"],
        ),
        (["--collection-id=org.x.Y", "x", "u"], ["url=u", "collection-id=org.x.Y"]),
        (["--contenturl=http://c", "x", "u"], ["url=u", "contenturl=http://c"]),
        (["--custom-backend=b", "x"], ["custom-backend=b"]),
        (
            ["--sign-verify=ed25519=inline:KEY", "--sign-verify=dummy=file:/f", "x", "u"],
            ["url=u", "verification-ed25519-key=KEY", "verification-dummy-file=/f",
             "sign-verify=ed25519,dummy"],
        ),
    ],
)  # fmt: skip
def test_what_is_written(run, sample, arguments, written):
    run.ok(sample.option, "remote", "add", *arguments)
    assert group_of(sample, "x") == written


def test_one_that_is_there(run, sample):
    add = (sample.option, "remote", "add", "x")
    run.ok(*add, "http://old")
    assert "already exists" in run.fails(*add, "http://new")
    run.ok(*add, "--if-not-exists", "http://new")
    assert group_of(sample, "x") == ["url=http://old"]
    run.ok(*add, "--force", "http://new")
    assert group_of(sample, "x") == ["url=http://new"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "NAME and URL must be specified"),
        (["--custom-backend=b"], "NAME must be specified"),
        (["--force", "--if-not-exists", "x", "u"], "Can only specify one of --if-not-exists and --force"),
        (["--set=x", "x", "u"], "Missing '=' in KEY=VALUE for --set"),
        (["a/b", "u"], "Invalid remote name a/b"),
        (["--sign-verify=ed25519", "x", "u"], "Failed to parse KEYTYPE=[inline|file]:DATA in ed25519"),
        (["--sign-verify=ed25519=x:y", "x", "u"], "Invalid key reference x, expected inline|file"),
        (["--sign-verify=ed25519=inline:k", "--no-sign-verify", "x", "u"],
         "Cannot specify both --sign-verify and --no-sign-verify"),
    ],
)  # fmt: skip
def test_errors(run, sample, arguments, message):
    assert run.fails(sample.option, "remote", "add", *arguments) == message
    assert not group_of(sample, "x")


def test_the_repository_of_a_sysroot(run, sample, tmp_path):
    (tmp_path / "root/ostree").mkdir(parents=True)
    sample.path.rename(tmp_path / "root/ostree/repo")
    run.ok("remote", "add", f"--sysroot={tmp_path / 'root'}", "x", "http://x")
    assert 'remote "x"' in (tmp_path / "root/ostree/repo/config").read_text()
