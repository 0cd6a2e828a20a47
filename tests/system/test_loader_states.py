# SPDX-License-Identifier: Apache-2.0
"""Real U-Boot and real GRUB decide as the table does; the kernel is one that only says how it was started."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ostrya.boot.backends.extlinux import make_extlinux
from ostrya.boot.backends.grub2_trial import STATE_FILE, make_stub, make_trial_cfg
from ostrya.boot.backends.uboot import make_uenv
from ostrya.boot.backends.uboot_trial import (
    FORMAT,
    FORMAT_VARIABLE,
    STATE_BYTES,
    STATE_FILES,
    ScriptBoard,
    make_boot_script,
    trial_lines,
)
from ostrya.boot.bls import Entry
from ostrya.boot.grubenv import decode_grubenv, encode_grubenv
from ostrya.boot.trial import PICK, End, Record, Trial, Why, after_failed_load, decide
from ostrya.boot.uboot_env import decode_environment, encode_environment
from ostrya.boot.uboot_image import Architecture, encode_script
from support.tiny_kernel import EXIT_DEVICE, EXIT_STATUS, tiny_kernel

pytestmark = [pytest.mark.vm, pytest.mark.timeout(300)]

NEW, OLD = "a" * 12 + ".0-beef", "b" * 12 + ".0-beef"
TRIAL = Trial(NEW, OLD, on_trial=True)
ENTRIES = [
    Entry({"title": f"OS {n}", "linux": f"/k{n}", "initrd": f"/r{n}", "options": f'n={n} "a b"'})
    for n in (1, 2)
]
SECTOR, FAT_AT, FAT_BYTES, ROOT_AT, ROOT_BYTES = 512, 1 << 20, 33 << 20, 34 << 20, 16 << 20
MODULES = (
    "part_gpt fat ext2 normal configfile search search_label search_fs_file loadenv test echo sleep "
    "reboot linux boot serial terminal true"
)
SERIAL = "serial --unit=0\nterminal_input serial\nterminal_output serial\n"
OVMF = Path("/usr/share/OVMF/OVMF_CODE.fd")
ROM = Path("/usr/lib/u-boot/qemu-x86/u-boot.rom")
STATES = {
    "first": (Record(), set()),
    "last": (Record(NEW, 2), set()),
    "given up": (Record(NEW, 3), set()),
    "bad": (Record(NEW, 0, End.HEALTH), set()),
    "good": (Record(NEW, 0, End.OK), set()),
    "of another": (Record(OLD, 0, End.TRIES), set()),
    "once": (Record(NEW, 0, End.OK, OLD), set()),
    "no kernel": (Record(NEW, 1), {"k1"}),
    "no ramdisk": (Record(NEW, 0, End.OK), {"r1"}),
    "no fallback either": (Record(NEW, 3), {"k2"}),
}


def run(*argv: object) -> None:
    subprocess.run([str(word) for word in argv], check=True, capture_output=True)


class Disk:
    """A disk with a FAT partition for a loader, and a root file system for what it starts."""

    def __init__(
        self, top: Path, files: dict[str, bytes], root: dict[str, bytes], *, flagged: int = 1
    ) -> None:
        self.path = top / "disk.img"
        fat, tree, ext4 = top / "fat.img", top / "tree", top / "root.img"
        fat.touch()
        ext4.touch()
        for path, size in ((self.path, ROOT_AT + ROOT_BYTES + FAT_AT), (fat, FAT_BYTES)):
            with path.open("ab") as file:
                file.truncate(size)
        with ext4.open("ab") as file:
            file.truncate(ROOT_BYTES)
        run("mkfs.vfat", "-F", "32", "-n", "BOOT", fat)
        for name, data in root.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(data)
        run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", "otaroot", "-d", tree, ext4)
        run(
            "sgdisk", f"-n1:{FAT_AT // SECTOR}:+33M", "-t1:ef00", f"-A{flagged}:set:2",
            f"-n2:{ROOT_AT // SECTOR}:+16M", self.path,
        )  # fmt: skip
        with self.path.open("r+b") as file:
            for at, source in ((FAT_AT, fat), (ROOT_AT, ext4)):
                file.seek(at)
                file.write(source.read_bytes())
        for name, data in files.items():
            self.write(name, data, top)

    def _fat(self) -> str:
        return f"{self.path}@@{FAT_AT}"

    def write(self, name: str, data: bytes, top: Path) -> None:
        source = top / "to-copy"
        source.write_bytes(data)
        folders = name.split("/")[:-1]
        for depth in range(len(folders)):
            folder = "::" + "/".join(folders[: depth + 1])
            subprocess.run(
                ["mmd", "-D", "s", "-i", self._fat(), folder], check=False, capture_output=True
            )
        run("mcopy", "-o", "-i", self._fat(), source, f"::{name}")

    def read(self, name: str) -> bytes:
        done = subprocess.run(
            ["mcopy", "-i", self._fat(), f"::{name}", "-"], check=True, capture_output=True
        )
        return done.stdout


def root_files(missing: set[str], **more: bytes) -> dict[str, bytes]:
    files = {"k1": tiny_kernel(), "k2": tiny_kernel(), "r1": b"x" * 999, "r2": b"y" * 999}
    kept = {f"boot/{name}": data for name, data in files.items() if name not in missing}
    return kept | {f"boot/loader/{name}": data for name, data in more.items()}


def start(argv: list[str], log: Path) -> tuple[int, Why]:
    """Start the machine; return what was started, and why."""
    done = subprocess.run(
        [*argv, *EXIT_DEVICE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    log.write_bytes(done.stdout)
    # Without what places a cursor.
    said = re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\r", "", done.stdout.decode("latin-1"))
    assert done.returncode == EXIT_STATUS, said[-2000:]
    lines = re.findall(r"^(?:BOOT_IMAGE=\S+ )?n=(\d) \"a b\"(?: +(\S+))?\s*$", said, re.MULTILINE)
    number, pick = lines[-1]
    return int(number), Why(pick.removeprefix(f"{PICK}="))


def base_argv(machine: str, disk: Disk) -> list[str]:
    return [
        "qemu-system-x86_64", "-accel", "tcg", "-machine", machine, "-m", "256", "-nodefaults",
        "-display", "none", "-serial", "stdio", "-nic", "none", "-no-reboot",
        "-drive", f"if=virtio,format=raw,file={disk.path}",
    ]  # fmt: skip


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def with_uboot(top: Path, record: Record, missing: set[str]) -> tuple[tuple[int, Why], Record]:
    need("qemu-system-x86_64", "sgdisk", "mcopy")
    if not ROM.exists():
        pytest.skip("u-boot-qemu is not installed")
    env = encode_environment({FORMAT_VARIABLE: FORMAT, **record.to_variables()}, STATE_BYTES)
    script = encode_script(make_boot_script(ScriptBoard("zboot")), Architecture.X86, "Ostrya")
    uenv = make_uenv(ENTRIES, None) + "".join(f"{line}\n" for line in trial_lines(TRIAL))
    disk = Disk(
        top,
        {"boot.scr": script, **dict.fromkeys(STATE_FILES, env)},
        root_files(missing, **{"uEnv.txt": uenv.encode()}),
    )
    found = start([*base_argv("pc", disk), "-bios", str(ROM)], top / "log")
    copies = [decode_environment(disk.read(name)).variables for name in STATE_FILES]
    assert copies[0] == copies[1]
    return found, Record.from_variables(copies[0])


def with_grub(top: Path, record: Record, missing: set[str]) -> tuple[tuple[int, Why], Record]:
    need("qemu-system-x86_64", "sgdisk", "mcopy", "grub-mkimage")
    if not OVMF.exists() or not Path("/usr/lib/grub/x86_64-efi").exists():
        pytest.skip("ovmf or grub-efi-amd64-bin is not installed")
    image = top / "grub.efi"
    run("grub-mkimage", "-O", "x86_64-efi", "-o", image, "-p", "/grub", *MODULES.split())
    config = make_trial_cfg(ENTRIES, TRIAL, prefix="/boot", timeout_s=0)
    disk = Disk(
        top,
        {
            "EFI/BOOT/BOOTX64.EFI": image.read_bytes(),
            "grub/grub.cfg": make_stub("--label otaroot", console=SERIAL).encode(),
            STATE_FILE: encode_grubenv(record.to_variables()),
        },
        root_files(missing, **{"grub.cfg": config.encode()}),
    )
    firmware = ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}"]
    found = start([*base_argv("q35", disk), *firmware], top / "log")
    return found, Record.from_variables(decode_grubenv(disk.read(STATE_FILE)))


def expected(record: Record, missing: set[str]) -> tuple[tuple[int, Why], Record]:
    """By the table."""
    at = decide(TRIAL, record)
    while True:
        record = record if at.record is None else at.record
        number = 2 if at.fallback else 1
        if not {f"k{number}", f"r{number}"} & missing:
            return (number, at.why), record
        following = after_failed_load(TRIAL, at)
        assert following is not None
        at = following


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("loader", [with_uboot, with_grub], ids=["uboot", "grub"])
def test_it_decides_as_the_table(loader, state, tmp_path):
    record, missing = STATES[state]
    assert loader(tmp_path, record, missing) == expected(record, missing)


def test_extlinux_conf(tmp_path):
    """U-Boot's own menu starts the default, from where libostree's users have it."""
    need("qemu-system-x86_64", "sgdisk")
    if not ROM.exists():
        pytest.skip("u-boot-qemu is not installed")
    files = root_files(set()) | {"boot/extlinux/extlinux.conf": make_extlinux(ENTRIES).encode()}
    disk = Disk(tmp_path, {}, files, flagged=2)
    argv = [*base_argv("pc", disk), "-bios", str(ROM)]
    assert start(argv, tmp_path / "log") == (1, Why.USUAL)


def test_a_torn_copy(tmp_path):
    """The second copy counts; the loader writes both."""
    need("qemu-system-x86_64", "sgdisk", "mcopy")
    if not ROM.exists():
        pytest.skip("u-boot-qemu is not installed")
    env = encode_environment(
        {FORMAT_VARIABLE: FORMAT, **Record(NEW, 2).to_variables()}, STATE_BYTES
    )
    script = encode_script(make_boot_script(ScriptBoard("zboot")), Architecture.X86, "Ostrya")
    uenv = make_uenv(ENTRIES, None) + "".join(f"{line}\n" for line in trial_lines(TRIAL))
    files = {"boot.scr": script, STATE_FILES[0]: env[:100] + bytes(412), STATE_FILES[1]: env}
    disk = Disk(tmp_path, files, root_files(set(), **{"uEnv.txt": uenv.encode()}))
    found = start([*base_argv("pc", disk), "-bios", str(ROM)], tmp_path / "log")
    assert found == (1, Why.TRIAL)
    for name in STATE_FILES:
        variables = decode_environment(disk.read(name)).variables
        assert Record.from_variables(variables) == Record(NEW, 3)
