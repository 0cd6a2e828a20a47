# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.customize.overlays import lay_over, put_file
from ostrya.image.customize.users import read_accounts
from ostrya.image.errors import SourceError
from ostrya.image.recipe.located import Where
from ostrya.image.recipe.values import FileWish, Overlay, Rule

WHERE = Where("r.toml", 7)


@pytest.fixture
def overlay(tmp_path):
    top = tmp_path / "overlay"
    (top / "etc/secret").mkdir(parents=True)
    (top / "etc/secret/key").write_text("k")
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/bin/run").write_text("#!/bin/sh\n")
    (top / "usr/bin/run").chmod(0o700)
    (top / "etc/link").symlink_to("secret/key")
    return Overlay(WHERE, str(top))


def lay(places, overlay, said=None):
    lay_over(places, overlay, read_accounts(places), (said if said is not None else []).append)


def test_modes_are_the_usual_ones_whatever_the_umask(places, overlay, said):
    os.chmod(f"{overlay.path}/etc/secret/key", 0o600)
    os.chmod(f"{overlay.path}/etc/secret", 0o700)
    lay(places, overlay, said)
    assert places.editor.header("usr/etc/secret/key")[:3] == (0, 0, 0o100644)
    assert places.editor.header("usr/bin/run").mode == 0o100755
    assert places.link_target("/etc/link") == "secret/key"
    assert places.read_text("/etc/passwd").startswith("root:")
    assert said == ["laid 3 files of overlay over /"]


def test_rules_say_otherwise_and_the_last_one_holds(places, overlay):
    rules = (Rule("etc/*", mode=0o640), Rule("etc/secret/*", "daemon", "sudo", 0o600))
    lay(places, overlay._replace(rules=rules))
    assert places.editor.header("usr/etc/secret/key")[:3] == (1, 27, 0o100600)


def test_owners_and_targets(places, overlay, tmp_path):
    lay(places, overlay._replace(target="/opt/us", owner="7", group="daemon"))
    assert places.editor.header("var/rootdirs/opt/us/usr/bin/run")[:2] == (7, 1)
    single = Overlay(WHERE, f"{overlay.path}/usr/bin/run", "/usr/bin")
    lay(places, single)
    assert places.is_file("/usr/bin/run")
    lay(places, single._replace(target="/usr/bin/other"))
    assert places.is_file("/usr/bin/other")


def test_what_cannot_be_laid_over(places, overlay):
    with pytest.raises(SourceError, match=r"r\.toml:7: the tree has no user nobody-here"):
        lay(places, overlay._replace(owner="nobody-here"))
    os.mkfifo(f"{overlay.path}/etc/pipe")
    with pytest.raises(SourceError, match="pipe is neither a file nor a link nor a directory"):
        lay(places, overlay)


def test_a_file_does_not_replace_a_directory_of_the_tree(places, tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "o/usr").symlink_to("elsewhere")
    with pytest.raises(SourceError, match="/usr: there is a directory"):
        lay(places, Overlay(WHERE, str(tmp_path / "o")))


@pytest.mark.parametrize(
    ("file", "mode"),
    [
        (FileWish(WHERE, "/etc/motd", "hello\n"), 0o100644),
        (FileWish(WHERE, "/etc/motd", "hello\n", mode=0o600), 0o100600),
        (FileWish(WHERE, "/etc/motd", source="<source>"), 0o100755),
    ],
)
def test_single_files(places, tmp_path, said, file, mode):
    source = tmp_path / "source"
    source.write_text("hello\n")
    source.chmod(0o711)
    put_file(
        places,
        file._replace(source=file.source and str(source)),
        read_accounts(places),
        said.append,
    )
    assert places.read_text("/etc/motd") == "hello\n"
    assert places.editor.header("usr/etc/motd").mode == mode


def test_links_and_directories(places, said):
    accounts = read_accounts(places)
    put_file(places, FileWish(WHERE, "/etc/mtab", link="/proc/mounts"), accounts, said.append)
    put_file(places, FileWish(WHERE, "/srv/www", directory=True, mode=0o750), accounts, said.append)
    assert places.link_target("/etc/mtab") == "/proc/mounts"
    assert places.is_dir("/srv/www")
