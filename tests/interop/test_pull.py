# SPDX-License-Identifier: Apache-2.0
"""Pulling over the network, beside Debian's ostree: each from each, by three servers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, PEER, Command
from support.ed25519_keys import key_pair
from support.gpg_keys import gpg_user
from support.web_servers import NAMES, web_server

pytestmark = pytest.mark.peer

BOTH = (OURS, PEER)
MODES = ("archive", "bare", "bare-user", "bare-user-only")
KEY, STRANGER = key_pair(1), key_pair(2)


class Made:
    """A repository that one of the tools made.

    Refs: ``main`` with a parent, signed; ``plain`` unsigned; ``modest`` signed, and fit for mode
    bare-user-only.
    """

    def __init__(self, folder: Path, maker: Command, home: Path, key: str, keyring: Path) -> None:
        self.folder = folder
        self.repo = folder / "repo"
        self.keyring = keyring
        tree = folder / "tree"
        if os.geteuid() == 0:
            trees.full_tree(tree)
        else:
            trees.plain_tree(tree)
        option, sign = f"--repo={self.repo}", (f"--gpg-homedir={home}", f"--gpg-sign={key}")
        maker("init", option, "--mode=archive")
        source = f"--tree=dir={tree}"
        maker("commit", option, *sign, "-b", "main", "-s", "first", source)
        trees.second_release(tree)
        maker("commit", option, *sign, "-b", "main", "-s", "second", source)
        maker("commit", option, "-b", "plain", source)
        maker("commit", option, *sign, "-b", "modest", "--canonical-permissions", source)
        maker("summary", option, "-u", *sign)


@pytest.fixture(scope="module")
def person():
    with gpg_user() as user:
        yield user, user.make_key("One <one@example.org>")


@pytest.fixture(scope="module")
def made(tmp_path_factory, person) -> dict[str, Made]:
    user, key = person
    keyring = tmp_path_factory.mktemp("keys") / "keys.gpg"
    keyring.write_bytes(user.export(key))
    return {
        maker.name: Made(tmp_path_factory.mktemp(maker.name), maker, user.home, key, keyring)
        for maker in BOTH
    }


@pytest.fixture(scope="module", params=NAMES)
def served(request, made, tmp_path_factory):
    """The addresses of both repositories."""
    folder = tmp_path_factory.mktemp("servers")
    with (
        web_server(request.param, made["ours"].repo, folder / "a") as ours,
        web_server(request.param, made["peer"].repo, folder / "b") as peer,
    ):
        yield {"ours": ours, "peer": peer}


def fill(
    tool: Command, repo: Path, mode: str, url: str, keyring: Path | None, *, commits: bool = True
) -> str:
    """A repository with a remote, that trusts a keyring or anybody; its option.

    Of a mirror with unsigned commits, only the summary has to be signed.
    """
    option = f"--repo={repo}"
    tool("init", option, f"--mode={mode}")
    if keyring is None:
        tool("remote", "add", option, "origin", url, "--no-gpg-verify")
    else:
        tool(
            "remote", "add", option, "origin", url, f"--gpg-import={keyring}",
            f"--set=gpg-verify={str(commits).lower()}", "--set=gpg-verify-summary=true",
        )  # fmt: skip
    return option


def files_of(repo: Path, *tops: str) -> dict[str, bytes]:
    """What is below some of a repository's directories."""
    paths = [path for top in tops for path in (repo / top).rglob("*")]
    return {str(p.relative_to(repo)): p.read_bytes() for p in paths if p.is_file()}


def check_both(repo: Path) -> None:
    for tool in BOTH:
        tool(f"--repo={repo}", "fsck", "--quiet")


def object_names(repo: Path) -> set[str]:
    return {str(path.relative_to(repo)) for path in repo.glob("objects/??/*")}


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("maker", ["ours", "peer"])
def test_both_pull_the_same(served, made, tmp_path, maker, mode, signed):
    """From each other's repositories, into every mode: the same refs, objects, trees."""
    if mode == "bare" and os.geteuid() != 0:
        pytest.skip("needs root")
    source = made[maker]
    ref = "modest" if mode == "bare-user-only" else "main" if signed else "plain"
    pulled = {}
    for tool in BOTH:
        repo = tmp_path / tool.name
        option = fill(tool, repo, mode, served[maker], source.keyring if signed else None)
        tool("pull", option, "origin", ref, "--depth=-1")
        check_both(repo)
        pulled[tool.name] = (object_names(repo), files_of(repo, "refs"))
        assert tool("refs", option) == f"origin:{ref}"
        # And once more, by the other one: nothing is left to do.
        other = PEER if tool is OURS else OURS
        assert " 0 content objects fetched" in other("pull", option, "origin", ref)
        assert object_names(repo) == pulled[tool.name][0]
    assert pulled["ours"] == pulled["peer"]
    wanted = OURS("ls", f"--repo={source.repo}", "-R", "-C", "-X", ref)
    for tool in BOTH:
        assert (
            OURS("ls", f"--repo={tmp_path / tool.name}", "-R", "-C", "-X", f"origin:{ref}")
            == wanted
        )


@pytest.mark.parametrize("puller", BOTH, ids=["by ours", "by peer"])
def test_unsigned_commits_are_refused(served, made, tmp_path, puller):
    option = fill(puller, tmp_path / "repo", "archive", served["ours"], made["ours"].keyring)
    stderr = puller.fails("pull", option, "origin", "plain")
    assert "GPG verification enabled, but no signatures found" in stderr
    assert puller("refs", option) == ""


@pytest.mark.parametrize("maker", ["ours", "peer"])
def test_mirrors_are_the_same(served, made, tmp_path, maker):
    """All of ours, byte by byte; of the peer's what it does not compress again by itself."""
    source = made[maker]
    for tool in BOTH:
        repo = tmp_path / tool.name
        option = fill(tool, repo, "archive", served[maker], source.keyring, commits=False)
        tool("pull", option, "--mirror", "--depth=-1", "origin")
        check_both(repo)
        exact = files_of(repo, "refs") | {
            n: (repo / n).read_bytes() for n in ("summary", "summary.sig")
        }
        assert exact == files_of(source.repo, "refs") | {
            n: (source.repo / n).read_bytes() for n in ("summary", "summary.sig")
        }
        mine, theirs = files_of(repo, "objects"), files_of(source.repo, "objects")
        if tool is PEER and maker == "ours":
            for objects in (mine, theirs):
                objects.update({n: b"" for n in objects if n.endswith(".filez")})
        assert sorted(mine) == sorted(theirs)
        assert [name for name in mine if mine[name] != theirs[name]] == []


def test_ed25519(made, tmp_path):
    """Ours to ours, for Debian's ostree knows nothing of it."""
    source, option = tmp_path / "source", f"--repo={tmp_path / 'source'}"
    tree = f"--tree=dir={made['ours'].folder / 'tree'}"
    OURS("init", option, "--mode=archive")
    OURS(
        "commit", option, "-b", "main", f"--sign={KEY.secret_text}", "--canonical-permissions", tree
    )
    OURS("summary", option, "-u", f"--sign={KEY.secret_text}")
    with web_server("serve", source, tmp_path / "server") as url:
        for mode in MODES[0 if os.geteuid() == 0 else 2 :]:
            for key in (KEY, STRANGER):
                repo = f"--repo={tmp_path / mode}-{key.public.hex()[:8]}"
                OURS("init", repo, f"--mode={mode}")
                OURS(
                    "remote", "add", repo, "origin", url, "--no-gpg-verify",
                    "--set=sign-verify-summary=ed25519",
                    f"--sign-verify=ed25519=inline:{key.public_text}",
                    f"--set=verification-ed25519-key={key.public_text}",
                )  # fmt: skip
                if key is STRANGER:
                    assert url in OURS.fails("pull", repo, "origin", "main")
                    assert OURS("refs", repo) == ""
                else:
                    OURS("pull", repo, "origin", "main")
                    PEER("fsck", repo, "--quiet")
                    assert OURS("rev-parse", repo, "origin:main") == OURS(
                        "rev-parse", option, "main"
                    )
