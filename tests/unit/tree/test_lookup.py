# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree import lookup
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.lookup import Directory, File
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory


def _populate(top):
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/share/empty").mkdir(parents=True)
    (top / "usr/bin/bash").write_text("bash")
    (top / "usr/a-file").write_text("a")
    for link, target in (
        ("bin", "usr/bin"),
        ("sh", "/usr/bin/bash"),
        ("up", "usr/share/../bin/./bash"),
        ("chain", "sh"),
        ("through", "bin/bash"),
        ("dangling", "nowhere"),
        ("loop", "loop"),
        ("above", "../../usr/a-file"),
    ):
        os.symlink(target, top / link)


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lookup")
    top = folder / "tree"
    _populate(top)
    with create_repository(str(folder / "repo"), RepoMode.ARCHIVE) as repo:
        with Transaction(repo) as transaction:
            tree = MutableTree()
            write_directory(transaction, str(top), tree)
            checksum = write_commit(transaction, write_tree(transaction, tree), timestamp=0)
            transaction.commit()
        yield repo, lookup.commit_root(repo, checksum)


@pytest.mark.parametrize(
    "path", ["/usr/bin/bash", "usr/bin/bash", "//usr//bin/bash", "./usr/bin/bash"]
)
def test_a_file_by_path(committed, path):
    repo, root = committed
    found = lookup.resolve_path(repo, root, path)
    assert isinstance(found, File)
    assert found.path == "/usr/bin/bash"


@pytest.mark.parametrize("path", ["/", "", ".", "//"])
def test_the_root(committed, path):
    repo, root = committed
    assert lookup.resolve_path(repo, root, path) == root
    assert root.path == "/"


def test_a_directory(committed):
    repo, root = committed
    found = lookup.resolve_directory(repo, root, "usr/share/")
    assert found.path == "/usr/share"


def test_a_link_is_an_entry_and_not_followed(committed):
    repo, root = committed
    assert isinstance(lookup.resolve_path(repo, root, "/bin"), File)
    with pytest.raises(lookup.NotADirectory, match="Not a directory: /bin"):
        lookup.resolve_path(repo, root, "/bin/bash")


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("/nope", lookup.PathNotFound, "No such file or directory: /nope"),
        ("/usr/nope/x", lookup.PathNotFound, "No such file or directory: /usr/nope"),
        ("/usr/..", lookup.PathNotFound, "No such file or directory: /usr/.."),
        ("/usr/a-file/x", lookup.NotADirectory, "Not a directory: /usr/a-file"),
    ],
)
def test_what_is_not_there(committed, path, error, message):
    repo, root = committed
    with pytest.raises(error) as caught:
        lookup.resolve_path(repo, root, path)
    assert caught.value.message == message


def test_a_file_is_no_directory(committed):
    repo, root = committed
    with pytest.raises(lookup.NotADirectory):
        lookup.resolve_directory(repo, root, "/usr/a-file")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/usr/bin/bash", "/usr/bin/bash"),
        ("/sh", "/usr/bin/bash"),
        ("/chain", "/usr/bin/bash"),
        ("/up", "/usr/bin/bash"),
        ("/through", "/usr/bin/bash"),
        ("/bin/bash", "/usr/bin/bash"),
        # As at a real root, there is nothing above it.
        ("/above", "/usr/a-file"),
    ],
)
def test_content_is_found_through_links(committed, path, target):
    repo, root = committed
    assert lookup.resolve_content(repo, root, path).path == target


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/", lookup.IsADirectory),
        ("/bin", lookup.IsADirectory),
        ("/dangling", lookup.PathNotFound),
        ("/loop", lookup.TooManyLinks),
        ("/loop/x", lookup.TooManyLinks),
        ("/usr/a-file/x", lookup.NotADirectory),
    ],
)
def test_what_has_no_content(committed, path, error):
    repo, root = committed
    with pytest.raises(error):
        lookup.resolve_content(repo, root, path)


def test_listing_gives_files_then_directories(committed):
    repo, root = committed
    usr = lookup.resolve_directory(repo, root, "usr")
    assert [entry.path for entry in lookup.list_directory(repo, usr)] == [
        "/usr/a-file",
        "/usr/bin",
        "/usr/share",
    ]


def test_walk_goes_everywhere_once(committed):
    repo, root = committed
    paths = [entry.path for entry in lookup.walk(repo, root)]
    assert len(paths) == len(set(paths))
    assert paths[-6:] == [
        "/usr",
        "/usr/a-file",
        "/usr/bin",
        "/usr/bin/bash",
        "/usr/share",
        "/usr/share/empty",
    ]
    assert isinstance(list(lookup.walk(repo, root))[-1], Directory)
