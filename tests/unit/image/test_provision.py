# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.errors import CommandFailed
from ostrya.image import provision as module
from ostrya.image.errors import RecipeError
from ostrya.image.live_tree import LiveTree
from ostrya.image.provision import Document, find_document, provision
from ostrya.repo.remotes import list_remotes, remote_url

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJabcdefghij me"
PUBLIC = "A" * 43 + "="
PEM = "-----BEGIN CERTIFICATE----- AA== -----END CERTIFICATE-----"
TEXT = f"""
[system]
hostname = "unit-7"
[root]
ssh_keys = ["{KEY}"]
[[network.interfaces]]
name = "eth0"
addresses = ["192.0.2.7/24"]
[[remotes]]
name = "vendor"
url = "https://example.com/repo"
keys = ["{PUBLIC}"]
[ota]
server = "https://gate:8443"
ca = '{PEM}'
certificate = '{PEM}'
key = '{PEM}'
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to root")


@pytest.fixture
def root(tmp_path):
    top = tmp_path / "root"
    for folder in ("etc", "root", "usr/lib/systemd/system"):
        (top / folder).mkdir(parents=True)
    (top / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (top / "etc/group").write_text("root:x:0:\n")
    (top / "etc/shadow").write_text("root:*:1::::::\n")
    unit = top / "usr/lib/systemd/system/systemd-networkd.service"
    unit.write_text("[Install]\nWantedBy=multi-user.target\n")
    return top


def test_all_of_it_is_done(root, repo):
    said = []
    document = Document(TEXT, "/boot/ostrya-provision.toml")
    provision(LiveTree(str(root)), repo, document, said.append)
    assert (root / "etc/hostname").read_text() == "unit-7\n"
    assert (root / "root/.ssh/authorized_keys").read_text() == f"{KEY}\n"
    assert (root / "etc/systemd/network/20-eth0.network").exists()
    assert not (root / "usr/lib/tmpfiles.d").exists()
    assert (root / "etc/ostrya/keys/vendor.ed25519").read_text() == f"{PUBLIC}\n"
    assert remote_url(repo, "vendor") == "https://example.com/repo"
    assert (root / "var/sota/import/pkey.pem").read_text() == f"{PEM}\n"
    assert 'server = "https://gate:8443"' in (root / "etc/sota/conf.d/20-device.toml").read_text()
    # Interrupted and done again it is the same.
    provision(LiveTree(str(root)), repo, document, said.append)
    assert list_remotes(repo) == ["vendor"]
    assert "remote vendor: https://example.com/repo" in said


def test_nothing_is_done_of_what_is_wrong(root, repo):
    text = TEXT + "[kernel]\n[[users]]\nname = 'BAD'\n"
    with pytest.raises(RecipeError) as caught:
        provision(LiveTree(str(root)), repo, Document(text, "/boot/p.toml"), print)
    assert [line.partition(": ")[0] for line in caught.value.problems] == [
        "/boot/p.toml:18",
        "/boot/p.toml:20",
    ]
    assert not (root / "etc/hostname").exists()
    wrong = TEXT.replace("[ota]\n", "[ota]\nkey_file = 'x'\n")
    with pytest.raises(RecipeError, match="nobody knows the key 'key_file'"):
        provision(LiveTree(str(root)), repo, Document(wrong, "/boot/p.toml"), print)
    wrong = TEXT.replace(f'keys = ["{PUBLIC}"]', 'verify = "ed25519"')
    with pytest.raises(RecipeError, match="vendor has no keys"):
        provision(LiveTree(str(root)), repo, Document(wrong, "/boot/p.toml"), print)


def test_where_it_is_looked_for(tmp_path, monkeypatch):
    (tmp_path / "raw").write_text("from QEMU")
    ran = []

    def run(argv):
        ran.append(argv[0])
        if argv[0] == "mount":
            if not mountable:
                raise CommandFailed(tuple(argv), 32)
            (tmp_path / "place" / module.FILE).write_text("from the card")

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "read_mounts", tuple)
    mountable = False
    found = find_document(str(tmp_path / "place"), fw_cfg=str(tmp_path / "raw"))
    assert found.text == "from QEMU"
    nowhere = str(tmp_path / "nowhere")
    assert find_document(str(tmp_path / "place"), fw_cfg=nowhere) is None
    mountable = True
    found = find_document(str(tmp_path / "place"), fw_cfg=nowhere)
    assert found.text == "from the card"
    assert ran[-2:] == ["mount", "umount"]
    (tmp_path / "raw").write_bytes(b"\xff")
    with pytest.raises(RecipeError, match="no text in UTF-8"):
        find_document(str(tmp_path / "place"), fw_cfg=str(tmp_path / "raw"))
