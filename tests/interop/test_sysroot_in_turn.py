# SPDX-License-Identifier: Apache-2.0
"""One sysroot managed by both tools in turn, beside one that the peer manages alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from support import os_tree
from support.commands import OURS, PEER, Command

pytestmark = pytest.mark.peer

GENERATOR = Path("/usr/libexec/installed-tests/libostree/ostree-grub-generator")

# Names as the peer's version has them, and no flag that stops tests from cleaning up.
ENV = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "OSTREE_SYSROOT_OPTS": "bootloader-naming-1"}
# Objects differ in nothing but times; what only newer versions make, or what is only a lock.
LEFT_OUT = re.compile(
    r"ostree/repo/(objects|tmp|state|\.lock|extensions)|ostree/deploy/test/backing|ostree/lock"
)


class Twin:
    """A sysroot, and which tool manages it at each step."""

    def __init__(self, top: Path, *tools: Command) -> None:
        self.root = top
        self.root.mkdir()
        env = {**ENV, "OSTREE_SYSROOT": str(self.root)}
        self.tools = [Command(tool.path, tool.name, env={**env, **tool.env}) for tool in tools]
        self.turn = 0
        self.option = f"--repo={self.root / 'ostree/repo'}"
        self("admin", "init-fs", self.root)
        self("admin", "os-init", "test")

    def __call__(self, *words: object) -> str:
        """Let the tool whose turn it is run a command."""
        tool = self.tools[self.turn % len(self.tools)]
        self.turn += 1
        return tool(*words)

    def status(self) -> list[str]:
        """What each tool says there is."""
        return [tool("admin", "status") for tool in self.tools]

    def listing(self) -> dict[str, tuple[object, ...]]:
        """All paths but the repository's objects, with kind, mode, owner, links and content."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if LEFT_OUT.match(name):
                continue
            info = path.lstat()
            content: object = None
            if path.is_symlink():
                content = os.readlink(path)
            elif path.is_file():
                content = path.read_bytes()
            if name == "ostree/repo/config":
                content = None
            found[name] = (oct(info.st_mode), info.st_uid, info.st_gid, content)
        return found

    def etc(self) -> Path:
        """The ``/etc`` of the default deployment."""
        return Path(self("admin", "--print-current-dir")) / "etc"


@pytest.fixture
def twins(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root deploys into a bare repository")
    return [Twin(tmp_path / "peer", PEER), Twin(tmp_path / "both", OURS, PEER)]


def set_up_loader(root: Path, loader: str) -> None:
    """Make what the loader is recognized by, as an installer does."""
    boot = root / "boot"
    if loader == "none":
        return
    if loader == "grub2":
        (boot / "grub2").mkdir()
        (boot / "grub2/grub.cfg").symlink_to("../loader/grub.cfg")
        return
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    if loader == "uboot":
        (boot / "loader.0/uEnv.txt").touch()
    else:
        (boot / "loader.0/syslinux.cfg").write_text("TIMEOUT 50\n")
        (boot / "syslinux").mkdir()
        (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")


def change(twin: Twin, number: int) -> None:
    """What happens on a machine between two upgrades."""
    etc = twin.etc()
    (etc / f"own{number}").write_text(f"mine {number}\n")
    (etc / "default").write_text(f"edited {number}\n")
    if number == 3:
        (etc / "gone").unlink(missing_ok=True)
        (etc / "dir").chmod(0o750)
    if number == 5:
        (etc / "link").unlink()
        (etc / "link").symlink_to("elsewhere")


# What deploying a release is told besides, and what is done after it.
WORDS = {
    1: ("--karg=root=LABEL=root",),
    4: ("--karg-append=console=ttyS0", "--karg=quiet"),
    7: ("--retain", "--not-as-default"),
}
AFTERWARDS = {
    5: ("pin", "1"),
    8: ("instutil", "set-kargs", "--merge", "--append=extra=1"),
    9: ("undeploy", "1"),
}


def make_release(folder: Path, number: int) -> tuple[Path, str]:
    """A tree and its version: every third one has the kernel of the one before."""
    version = str(number - (number % 3 == 0))
    tree = os_tree.make(folder / f"tree-{number}", version)
    (tree / "usr/share").mkdir()
    (tree / "usr/share/number").write_text(f"{number}\n")
    for path in (tree, tree / "usr", tree / "usr/share", tree / "usr/share/number"):
        os.utime(path, (0, 0))
    return tree, version


def upgrade(twin: Twin, number: int, tree: Path, version: str) -> None:
    """Commit a release, deploy it, and go on living."""
    metadata = f"--add-metadata-string=version={version}"
    commit = ("commit", "-b", "test/os", metadata, f"--timestamp=@{number}")
    twin(twin.option, *commit, f"--tree=dir={tree}")
    twin("admin", "deploy", "--os=test", *WORDS.get(number, ()), "test/os")
    if number in AFTERWARDS:
        twin("admin", *AFTERWARDS[number])
    # Each tool takes its turn at every kind of step.
    twin.turn += 1
    change(twin, number)


def upgrade_ten_times(twins: list[Twin], folder: Path, loader: str, besides: str = "") -> None:
    """Live on with each of them; all is the same on both but the file ``besides``."""
    for twin in twins:
        set_up_loader(twin.root, loader)
    for number in range(1, 11):
        release = make_release(folder, number)
        for twin in twins:
            upgrade(twin, number, *release)
            if loader == "grub2":
                assert menu(twin.root) == booted_by_entries(twin.root), number
        alone, both = (twin.listing() for twin in twins)
        assert sorted(both) == sorted(alone), number
        differing = [name for name in alone if both[name] != alone[name]]
        assert [name for name in differing if Path(name).name != besides] == [], number
        assert len({text for twin in twins for text in twin.status()}) == 1
    for twin in twins:
        twin("admin", "cleanup")
        for tool in twin.tools:
            tool(twin.option, "fsck", "-q")


@pytest.mark.parametrize("loader", ["none", "uboot", "syslinux"])
def test_ten_upgrades_back_and_forth(twins, tmp_path, loader):
    upgrade_ten_times(twins, tmp_path, loader)
    assert twins[0].listing() == twins[1].listing()


def menu(root: Path) -> list[tuple[str, ...]]:
    """What GRUB is told to boot: title, kernel with its arguments, ramdisk."""
    text = (root / "boot/grub2/grub.cfg").read_text()
    pattern = r"^menuentry '(.*?)' .*\{\n\s*linux /boot(.*)\n\s*initrd /boot(.*)\n\}$"
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == text.count("menuentry")
    return found


def booted_by_entries(root: Path) -> list[tuple[str, ...]]:
    """The same as boot entries have it, the default first."""
    found = {}
    for path in (root / "boot/loader/entries").glob("*.conf"):
        fields = dict(line.split(" ", 1) for line in path.read_text().splitlines())
        kernel = f"{fields['linux']} {fields['options']}"
        found[int(fields["version"])] = (fields["title"], kernel, fields["initrd"])
    return [found[version] for version in sorted(found, reverse=True)]


@pytest.mark.parametrize("writes_itself", [False, True])
def test_ten_upgrades_back_and_forth_with_grub(twins, tmp_path, writes_itself):
    """The peer has GRUB's file written by its generator; so do we, or we write it ourselves."""
    if not GENERATOR.exists():
        pytest.skip("the peer's installed tests, with its GRUB generator, are not here")
    for twin in twins:
        for tool in twin.tools:
            tool.env["OSTREE_BOOT_PARTITION"] = "/boot"
            if not (writes_itself and tool.name == OURS.name):
                tool.env["OSTREE_GRUB2_EXEC"] = str(GENERATOR)
    upgrade_ten_times(twins, tmp_path, "grub2", besides="grub.cfg" if writes_itself else "")
    if not writes_itself:
        assert twins[0].listing() == twins[1].listing()


def make_with_two_kernels(folder: Path, version: str) -> Path:
    """A tree of which the peer takes the lesser kernel, as disks list names mostly."""
    tree = os_tree.make(folder / f"tree-{version}", version)
    for release in ("10.0", "9.0"):
        for name in ("vmlinuz", "initramfs.img"):
            path = tree / "usr/lib/modules" / release / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{name} {release} of {version}\n")
    return tree


def test_a_kernel_that_the_peer_took_of_several_stays(twins, tmp_path):
    twin = twins[1]
    ours, peer = twin.tools
    peer(
        twin.option, "commit", "-b", "test/os", f"--tree=dir={make_with_two_kernels(tmp_path, '1')}"
    )
    peer("admin", "deploy", "--os=test", "test/os")

    def kernel_of_first() -> list[str]:
        entries = twin.root.glob("boot/loader/entries/*.conf")
        (text,) = (text for text in map(Path.read_text, entries) if "title Test OS 1" in text)
        return re.findall(r"^(?:linux|initrd) .*", text, re.MULTILINE)

    before = kernel_of_first()
    ours(
        twin.option, "commit", "-b", "test/os", f"--tree=dir={make_with_two_kernels(tmp_path, '2')}"
    )
    ours("admin", "deploy", "--os=test", "test/os")
    assert kernel_of_first() == before
    (folder,) = {twin.root / "boot" / line.split("/", 1)[1].rpartition("/")[0] for line in before}
    assert len(list(folder.iterdir())) == 2
