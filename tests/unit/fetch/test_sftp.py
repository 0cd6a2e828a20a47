# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ostrya.fetch.errors import SftpError
from ostrya.fetch.sftp import SftpClient
from support.sshd import need_sftp_server


@pytest.fixture
def client():
    with SftpClient([need_sftp_server()], "host") as client:
        yield client


def test_written_and_read(client, tmp_path):
    path = str(tmp_path / "file")
    assert client.read(path, 100) is None
    assert client.lstat(path) is None
    data = os.urandom(1_500_000)
    client.write_new(path, [data[:70_000], data[70_000:]], sync=True)
    assert client.read(path, 1 << 21) == data
    found = client.lstat(path)
    assert found.size == len(data)
    assert stat.S_ISREG(found.mode)
    assert stat.S_IMODE(found.mode) & 0o600 == 0o600
    with pytest.raises(SftpError, match="is larger than 100 bytes"):
        client.read(path, 100)
    with pytest.raises(SftpError, match="cannot write"):
        client.write_new(path, [b"x"], sync=False)


def test_an_empty_file(client, tmp_path):
    client.write_new(str(tmp_path / "empty"), [b""], sync=False)
    assert client.read(str(tmp_path / "empty"), 0) == b""


def test_renamed_and_deleted(client, tmp_path):
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    one, two, three = (str(tmp_path / name) for name in ("one", "two", "three"))
    assert not client.move(one, two)
    assert not client.move(three, str(tmp_path / "four"))
    client.replace(one, two)
    assert (tmp_path / "two").read_text() == "1"
    assert client.move(two, three)
    client.remove(three)
    client.remove(three)
    assert not list(tmp_path.iterdir())
    with pytest.raises(SftpError, match="cannot rename"):
        client.replace(one, two)


def test_folders(client, tmp_path):
    client.make_dir(str(tmp_path / "dir"))
    client.make_dir(str(tmp_path / "dir"))
    with pytest.raises(SftpError, match="cannot make"):
        client.make_dir(str(tmp_path / "not/there"))
    for number in range(250):
        (tmp_path / "dir" / f"{number}").touch()
    (tmp_path / "dir" / "sub").mkdir()
    found = client.list_dir(str(tmp_path / "dir"))
    assert {entry.name for entry in found} == {"sub", *map(str, range(250))}
    assert [e.name for e in found if stat.S_ISDIR(e.attrs.mode)] == ["sub"]
    assert client.list_dir(str(tmp_path / "nothing")) == []


def test_what_may_not_be_done(client, tmp_path):
    (tmp_path / "file").touch()
    assert client.lstat(str(tmp_path / "file/below")) is None
    with pytest.raises(SftpError, match="cannot list"):
        client.list_dir("x" * 5000)
    with pytest.raises(SftpError, match="cannot delete"):
        client.remove(str(tmp_path))


def test_many_threads(client, tmp_path):
    def work(number: int) -> bool:
        path = str(tmp_path / f"{number}")
        client.write_new(path, [b"%d" % number] * 3, sync=False)
        return client.read(path, 100) == b"%d" % number * 3

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(100)))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('Permission denied (publickey).')", "Permission denied"),
        ("print('Welcome to this host, please log in')", "sends what is no sftp"),
        ("pass", "the connection ended"),
        (
            (
                "import sys; sys.stdin.buffer.read(9);"
                "sys.stdout.buffer.write(bytes([0,0,0,5,2,0,0,0,3])); sys.stdout.flush();"
                "sys.stdin.buffer.read()"
            ),
            "lacks posix-rename@openssh.com",
        ),
        (
            (
                "import sys; sys.stdin.buffer.read(9);"
                "sys.stdout.buffer.write(bytes([0,0,0,5,2,0,0,0,2])); sys.stdout.flush()"
            ),
            "the connection ended",
        ),
    ],
    ids=["refused", "babble", "nothing", "too little", "too old"],
)
def test_no_connection(program, words):
    with pytest.raises(SftpError, match=words):
        SftpClient([sys.executable, "-c", program], "host")


def test_no_ssh():
    with pytest.raises(SftpError, match="cannot reach host") as raised:
        SftpClient(["/nowhere/ssh"], "host")
    assert raised.value.hint == "install OpenSSH's client"


def test_a_connection_that_breaks(client, tmp_path):
    client._process._process.kill()
    with pytest.raises(SftpError, match="cannot speak sftp with host"):
        client.lstat(str(tmp_path))
    with pytest.raises(SftpError, match="cannot speak sftp with host"):
        client.lstat(str(tmp_path))
