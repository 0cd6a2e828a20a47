# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.policies import ResolvPolicy
from ostrya.image.steps.state import drop_state

KEEP = ResolvPolicy.KEEP


@pytest.mark.parametrize("etc", ["etc", "usr/etc"])
def test_identities_and_keys_are_dropped(editor, report, etc):
    editor.write(f"{etc}/machine-id", b"f" * 32 + b"\n")
    for path in ("ssh/ssh_host_rsa_key", "ssh/sshd_config", "dropbear/dropbear_rsa_host_key"):
        editor.write(f"{etc}/{path}", b"x")
    for path in (
        "var/lib/systemd/random-seed",
        "var/lib/dhcp/dhclient.eth0.leases",
        "var/lib/NetworkManager/secret_key",
        "var/lib/cloud/instance/x",
        "var/lib/thing/kept",
        "var/log/messages",
    ):
        editor.write(path, b"x")
    drop_state(editor, report, KEEP)
    assert editor.read(f"{etc}/machine-id") == b""
    assert editor.names(f"{etc}/ssh") == ["sshd_config"]
    assert list(editor.files_below("var")) == ["var/lib/thing/kept"]
    told = {one.path for one in report.decisions}
    assert {"/etc/machine-id", "/etc/ssh/ssh_host_rsa_key", "/var/log"} <= told


def test_what_is_done_already_is_not_told_again(editor, report):
    editor.write("etc/machine-id", b"x")
    drop_state(editor, report, KEEP)
    before = len(report.decisions)
    drop_state(editor, report, KEEP)
    assert len(report.decisions) == before


@pytest.mark.parametrize(
    ("policy", "kept", "target"),
    [
        (KEEP, True, None),
        (ResolvPolicy.DROP, False, None),
        (ResolvPolicy.STUB, True, "../run/systemd/resolve/stub-resolv.conf"),
    ],
)
def test_resolv_conf(editor, report, policy, kept, target):
    editor.write("etc/resolv.conf", b"nameserver 10.0.0.1\n")
    drop_state(editor, report, policy)
    assert (editor.find("etc/resolv.conf") is not None) is kept
    assert editor.link_target("etc/resolv.conf") == target
    assert bool(report.decisions) is (policy is not KEEP)
