# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.recipe import formats

GOOD = {
    formats.size: ["512M", "4G", "1048576", "64 KiB"],
    formats.hostname: ["a", "my-host", "a.example.com"],
    formats.account: ["root", "_apt", "systemd-network"],
    formats.password_hash: ["!", "*", "", "$y$j9T$abc$def./", "$6$salt$hash"],
    formats.mode: ["644", "0755", "4755"],
    formats.absolute: ["/", "/etc/x"],
    formats.zone: ["UTC", "Europe/Berlin", "Etc/GMT+5"],
    formats.locale: ["C.UTF-8", "de_DE.UTF-8", "sr_RS@latin"],
    formats.unit: ["ssh.service", "getty@tty1.service", "a.timer"],
    formats.ssh_key: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me@host"],
    formats.interface: ["192.0.2.7/24", "2001:db8::1/64"],
    formats.passphrase: ["12345678", "a" * 63, "F" * 64],
    formats.ssid: ["Café", "x" * 32],
    formats.public_key: ["A" * 43 + "="],
    formats.span: ["1d", "6h 30min", "90"],
    formats.url: ["https://example.com/r", "mirrorlist=https://example.com/m"],
    formats.guid: ["0fc63daf-8483-4772-8e79-3d69d8477de4"],
    formats.colour: ["#a0B1c2"],
    formats.ref: ["os/stable"],
    formats.label: ["data"],
}
BAD = {
    formats.size: ["", "4 apples", "-1", "1.5G", "9" * 20],
    formats.hostname: ["", "-a", "a_b", "a..b", "x" * 65],
    formats.account: ["Root", "1a", "", "a:b"],
    formats.password_hash: ["secret", "$6$a:b$c"],
    formats.mode: ["8", "0999", "rwx"],
    formats.absolute: ["x", "/../x", "/a\nb"],
    formats.zone: ["../etc/passwd", "/x", ""],
    formats.locale: ["german", "de_DE;x"],
    formats.unit: ["ssh", "../x.service"],
    formats.ssh_key: ["AAAA", "ssh-ed25519 short", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB\nx"],
    formats.interface: ["192.0.2.7", "300.1.1.1/8"],
    formats.passphrase: ["short", "a" * 65, "tab\there!!"],
    formats.ssid: ["", "x" * 33, "a\nb"],
    formats.public_key: ["abc"],
    formats.span: ["soon", ""],
    formats.url: ["example.com", "gopher://x"],
    formats.guid: ["linux"],
    formats.colour: ["red"],
    formats.ref: ["/x", "a b"],
    formats.label: ["x" * 17, "a/b"],
}


@pytest.mark.parametrize("check", GOOD, ids=lambda check: check.__name__)
def test_what_is_taken_and_what_is_not(check):
    assert {text: check(text) for text in GOOD[check]} == dict.fromkeys(GOOD[check], "")
    assert all(check(text) for text in BAD[check])


def test_sizes():
    assert [formats.parse_size(text) for text in ("7", "1K", "2MiB", "1G")] == [
        7, 1024, 2 << 20, 1 << 30,
    ]  # fmt: skip
