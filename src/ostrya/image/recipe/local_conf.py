# SPDX-License-Identifier: Apache-2.0
"""Settings of meta-updater's, as in Yocto's ``local.conf``, become a recipe. Pure.

What became of each variable is told; of what has no counterpart, too, what there is instead.
Values are taken as they are written: no expression is expanded, but for names of variables that are
in the same file. Source: the variables that meta-updater documents.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ASSIGNMENT = re.compile(
    r"\s*(?:export\s+)?([A-Za-z0-9_\-.]+)((?::[A-Za-z0-9_\-.]+)*)"
    r"\s*(\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=)\s*(['\"])(.*)\4\s*$"
)
_INCLUDED = re.compile(r"^\s*((?:require|include)\s+\S+)", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_\-.]+)\}")
_MOST_REFERENCES = 100
_BOARDS = {
    "raspberrypi3": "raspberrypi3",
    "raspberrypi3-64": "raspberrypi3",
    "raspberrypi4": "raspberrypi4",
    "raspberrypi4-64": "raspberrypi4",
    "raspberrypi5": "raspberrypi5",
    "beaglebone": "beaglebone-black",
    "beaglebone-yocto": "beaglebone-black",
    "minnowboard": "minnowboard",
    "intel-corei7-64": "generic-uefi-x86_64",
    "genericx86-64": "generic-uefi-x86_64",
    "qemux86-64": "qemu-x86_64",
    "qemuarm64": "qemu-arm64",
    "qemuarm": "qemu-arm",
    "qemuriscv64": "qemu-riscv64",
}
_ROOT_KARGS = (
    "root=",
    "rootfstype=",
    "ramdisk_size=",
    "rw",
    "rootwait",
    "console=",
    "ostree_root=",
)
_OURS = ("OSTREE_", "SOTA_", "GARAGE_", "BUILD_OSTREE_", "BUILD_OTA_", "INITRAMFS_", "WKS_FILE")
# Of any build by Yocto.
_OF_ALL = {
    "DISTRO", "hostname", "KERNEL_IMAGETYPE", "IMAGE_ROOTFS_SIZE", "IMAGE_ROOTFS_EXTRA_SPACE",
    "EXTRA_USERS_PARAMS",
}  # fmt: skip
_ON = {"1", "true", "yes", "on"}


class Imported(NamedTuple):
    """A recipe, and how it came about.

    Attributes:
        recipe: Its text.
        told: What became of each variable: its name, and a sentence.
    """

    recipe: str
    told: tuple[tuple[str, str], ...]


def import_local_conf(text: str, file: str) -> Imported:
    """Make a recipe of a configuration.

    Args:
        text: Its lines.
        file: What it is called in messages.

    Raises:
        RecipeError: There is nothing in it that a recipe could be made of.
    """
    variables = _expanded(dict(_assignments(text)))
    known = {
        name: value
        for name, value in variables.items()
        if name in _HANDLERS or name.startswith(_OURS)
    }
    if not known.keys() - _OF_ALL:
        raise RecipeError((f"{file}: there is no variable of meta-updater's in it",))
    draft = _Draft()
    told = [(file, f"{one} is not read: import it too") for one in _INCLUDED.findall(text)]
    for name, value in sorted(known.items()):
        handler = _HANDLERS.get(name)
        if handler is None:
            reason = "no counterpart, left out"
            told.append((name, _ELSEWHERE.get(name.partition("_")[0], reason)))
        else:
            told.append((name, handler(draft, value)))
    return Imported(draft.text(file), tuple(told))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    joined = re.sub(r"\\\n", " ", text)
    for line in joined.splitlines():
        match = _ASSIGNMENT.match(line)
        if match is None:
            continue
        name, overrides, how, _, value = match.groups()
        before = found.get(name)
        words = overrides.split(":")[1:]
        value = " ".join(value.split())
        if how in {"?=", "??="} and before is not None:
            continue
        if "append" in words or how in {"+=", ".="}:
            value = f"{before or ''} {value}".strip()
        elif "prepend" in words or how in {"=+", "=."}:
            value = f"{value} {before or ''}".strip()
        elif "remove" in words:
            value = " ".join(word for word in (before or "").split() if word not in value.split())
        found[name] = value
    yield from found.items()


def _expanded(variables: dict[str, str]) -> dict[str, str]:
    """Fill in variables that are in the same file."""
    found = {}
    for name, value in variables.items():
        text = value
        for _ in range(_MOST_REFERENCES):
            match = _REFERENCE.search(text)
            if match is None or match[1] not in variables or match[1] == name:
                break
            text = text[: match.start()] + variables[match[1]] + text[match.end() :]
        found[name] = text
    return found


class _Draft:
    """A recipe that comes into being.

    Attributes:
        top: Keys at the top.
        sections: Of each section its lines.
        outputs: Which are wanted.
        machine: What Yocto calls the board.
    """

    def __init__(self) -> None:
        self.top: dict[str, str] = {}
        self.sections: dict[str, list[str]] = {}
        self.outputs: list[str] = []
        self.machine = "MACHINE"

    def add(self, section: str, key: str, value: object) -> None:
        """Set a key of a section."""
        self.sections.setdefault(section, []).append(f"{key} = {_toml(value)}")

    def text(self, file: str) -> str:
        """Return the recipe."""
        lines = [f"# Made of {file} by `ostrya image import`.", ""]
        lines += [f"{key} = {value}" for key, value in self.top.items()]
        lines.append(f"outputs = {_toml(self.outputs or ['wic', 'ota-ext4'])}")
        lines += [
            "",
            "[source]",
            "# What the image is made of: the root file system that Yocto has built.",
            f"path = {_toml(f'tmp/deploy/images/{self.machine}/IMAGE-{self.machine}.tar.xz')}",
        ]
        for name, pairs in self.sections.items():
            lines += ["", f"[{name}]", *pairs]
        return "".join(f"{line}\n" for line in lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


# -- variables


def _machine(draft: _Draft, value: str) -> str:
    if "${" not in value:
        draft.machine = value
    board = _BOARDS.get(value)
    if board is None:
        draft.top.setdefault("board", _toml("./board.toml"))
        return f"there is no board for {value}: describe it in board.toml, see `ostrya image board`"
    draft.top["board"] = _toml(board)
    return f'board = "{board}"'


def _top(key: str) -> Callable[[_Draft, str], str]:
    def take(draft: _Draft, value: str) -> str:
        if "${" in value:
            return f"{value} cannot be known from this file alone; set {key} yourself"
        draft.top[key] = _toml(value)
        return f"{key} = {_toml(value)}"

    return take


def _section(section: str, key: str) -> Callable[[_Draft, str], str]:
    def take(draft: _Draft, value: str) -> str:
        if "${" in value:
            return f"{value} cannot be known from this file alone; set {section}.{key} yourself"
        draft.add(section, key, value)
        return f"{section}.{key} = {_toml(value)}"

    return take


def _arguments(draft: _Draft, value: str) -> str:
    words = [word for word in value.split() if "${" not in word]
    kept = [word for word in words if not word.startswith(_ROOT_KARGS)]
    if kept:
        draft.add("kernel", "arguments", kept)
    others = [word for word in value.split() if word not in kept]
    rest = f"; {' '.join(others)}: the board's" if others else ""
    return (f"kernel.arguments = {_toml(kept)}" if kept else "nothing of it is needed") + rest


def _settings(draft: _Draft, value: str) -> str:
    taken = []
    for word in value.split():
        key, colon, setting = word.partition(":")
        if colon and "." in key:
            draft.add("update.settings", json.dumps(key), setting)
            taken.append(key)
    return f"update.settings: {', '.join(taken)}" if taken else "nothing in it is a setting"


def _read_only(draft: _Draft, value: str) -> str:
    if value.lower() not in _ON:
        return "as it is without"
    draft.add("update.settings", '"sysroot.readonly"', "true")
    return 'update.settings: "sysroot.readonly" = "true"'


def _device_trees(draft: _Draft, value: str) -> str:
    names = [word.rpartition("/")[2] for word in value.split() if "${" not in word]
    if not names:
        return f"{value} cannot be known from this file alone; set device_tree.patterns yourself"
    draft.add("device_tree", "patterns", names)
    return f"device_tree.patterns = {_toml(names)}"


def _overlays(_draft: _Draft, value: str) -> str:
    names = ", ".join(json.dumps(word.rpartition("/")[2]) for word in value.split())
    return f"put the files beside the recipe: device_tree.overlays = [{names}]"


def _output(name: str) -> Callable[[_Draft, str], str]:
    def take(draft: _Draft, value: str) -> str:
        if value.lower() not in _ON:
            return "not wanted"
        draft.outputs.append(name)
        return f"outputs: {name}"

    return take


def _types(draft: _Draft, value: str) -> str:
    known = {"wic", "ota-ext4", "ota-btrfs", "ota-esp", "wic.xz", "wic.gz", "wic.bz2", "wic.zst",
             "wic.bmap"}  # fmt: skip
    found = [word for word in value.split() if word in known]
    draft.outputs += [word for word in found if word not in draft.outputs]
    others = [word for word in value.split() if word not in known]
    rest = f"; not {', '.join(others)}" if others else ""
    return (f"outputs: {', '.join(found)}" if found else "no output of ours") + rest


def _wks(draft: _Draft, value: str) -> str:
    if value.startswith(("sdimage-sota", "efidisk", "efiimage")) or "${" in value:
        return "the board's partitions are used"
    draft.add("disk", "wks", value)
    return f"disk.wks = {_toml(value)}: put the file beside the recipe"


def _repository(draft: _Draft, value: str) -> str:
    if "${" in value:
        draft.add("repository", "path", "releases")
        return 'repository.path = "releases"'
    draft.add("repository", "path", value)
    return f"repository.path = {_toml(value)}"


def _polling(draft: _Draft, value: str) -> str:
    if not value.isdigit() or int(value) < 1:
        return "no number of seconds, left out"
    draft.add("ota", "polling_sec", int(value))
    return f"ota.polling_sec = {int(value)}"


def _hardware_id(draft: _Draft, value: str) -> str:
    if "${" in value:
        return "the board's name, unless ota.hardware_id says another"
    return _section("ota", "hardware_id")(draft, value)


def _provisioned(_draft: _Draft, value: str) -> str:
    if value == "aktualizr-shared-prov":
        return "ota.credentials is what all devices share"
    if value.startswith("aktualizr-device-prov"):
        return "ota.certificate_file, key_file and ca_file, or what `ostrya-provision.toml` tells"
    return "[ota] says what lets a device in"


def _compression(_draft: _Draft, value: str) -> str:
    if value.startswith("cpio.gz"):
        return "ours is compressed with gzip, too"
    return f"ours is compressed with gzip, not {value}; convert.ramdisk chooses"


def _said(sentence: str) -> Callable[[_Draft, str], str]:
    return lambda _draft, _value: sentence


_HANDLERS: dict[str, Callable[[_Draft, str], str]] = {
    "MACHINE": _machine,
    "DISTRO_VERSION": _top("version"),
    "OSTREE_COMMIT_VERSION": _top("version"),
    "OSTREE_BRANCHNAME": _top("ref"),
    "OSTREE_OSNAME": _top("stateroot"),
    "OSTREE_REPO": _repository,
    "OSTREE_COMMIT_SUBJECT": _section("repository", "subject"),
    "OSTREE_COMMIT_BODY": _section("repository", "body"),
    "OSTREE_BOOTLOADER": _said("the board's; `ostrya image board list` lists boards by loader"),
    "OSTREE_BOOT_PARTITION": _said("the board's"),
    "OSTREE_EFI_SIZE": _said("the board's; a board of your own says otherwise"),
    "OSTREE_WKS_EFI_SIZE": _said("the board's; a board of your own says otherwise"),
    "OSTREE_KERNEL": _said("found by itself: the kernel that its modules are for"),
    "OSTREE_KERNEL_ARGS": _arguments,
    "OSTREE_KERNEL_ARGS_COMMON": _arguments,
    "OSTREE_DEPLOY_DEVICETREE": _said("device trees are deployed where there are any"),
    "OSTREE_DEVICETREE": _device_trees,
    "KERNEL_DEVICETREE": _device_trees,
    "OSTREE_MULTI_DEVICETREE_SUPPORT": _said("always: the loader chooses among them"),
    "OSTREE_SYSROOT_READONLY": _read_only,
    "OSTREE_REPO_CONFIG": _said("`ostrya config set --repo=releases` sets it where releases are"),
    "OSTREE_OTA_REPO_CONFIG": _settings,
    "OSTREE_ROOTFS": _said("not needed: nothing is unpacked"),
    "OSTREE_UPDATE_SUMMARY": _said("`ostrya summary -u` writes it"),
    "OSTREE_RMDIR_HELPER_MSGTYPE": _said("every decision is told; convert.var says what becomes"),
    "EXTRA_OSTREE_COMMIT": _said("what a commit has is said in [repository]"),
    "BUILD_OSTREE_TARBALL": _output("ostree.tar.bz2"),
    "BUILD_OSTREE_REPO_TARBALL": _output("ostreecommit.tar.xz"),
    "BUILD_OTA_TARBALL": _output("ota.tar.xz"),
    "IMAGE_FSTYPES": _types,
    "INITRAMFS_IMAGE": _said("ours is built into the release"),
    "INITRAMFS_FSTYPES": _compression,
    "WKS_FILE": _wks,
    "SOTA_HARDWARE_ID": _hardware_id,
    "SOTA_PACKED_CREDENTIALS": _section("ota", "credentials"),
    "SOTA_CLIENT_PROV": _provisioned,
    "SOTA_DEPLOY_CREDENTIALS": _said("credentials are on the disk where [ota] names them"),
    "SOTA_SECONDARY_CONFIG": _said("its place is a file of ota.config_files, as TOML"),
    "SOTA_POLLING_SEC": _polling,
    "SOTA_MAIN_DTB": _device_trees,
    "SOTA_MACHINE": _said("the board's, which MACHINE says"),
    "SOTA_DT_OVERLAYS": _overlays,
    "SOTA_EXTRA_CONF_FRAGS": _said("about FIT images; device_tree.overlays is for others"),
    "KERNEL_IMAGETYPE": _said("found by itself; the board says which kinds its loader starts"),
    "DISTRO": _said("what the root file system is made of"),
    "IMAGE_ROOTFS_SIZE": _said("`size` says how large the disk is; there is room for two releases"),
    "IMAGE_ROOTFS_EXTRA_SPACE": _said("`size` says how large the disk is"),
    "OTA_SYSROOT_SIZE": _said("`size` says how large the disk is; there is room for two releases"),
    "EXTRA_USERS_PARAMS": _said("[[users]] has accounts, and [root] that of root"),
    "hostname": _section("system", "hostname"),
}
_ELSEWHERE = {
    "SOTA": "about Uptane's client, which has its own configuration in the root file system",
    "GARAGE": "about signing targets, which is done when a release is published",
}
