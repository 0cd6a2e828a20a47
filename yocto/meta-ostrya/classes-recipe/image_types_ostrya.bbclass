# SPDX-License-Identifier: Apache-2.0
#
# The image type "ostrya": the archive that Yocto makes of a root file system becomes a release in an
# OSTree repository, and disks to flash.
#
#     IMAGE_CLASSES += "image_types_ostrya"
#     IMAGE_FSTYPES += "ostrya"
#
# What is not said here can be said in a recipe of Ostrya's: OSTRYA_RECIPE names it, and what this
# class knows is laid over it. Names that begin with OSTREE_ and SOTA_ are those of meta-updater.

OSTREE_OSNAME ??= "os"
SOTA_HARDWARE_ID ??= "${MACHINE}"
OSTREE_BRANCHNAME ??= "${SOTA_HARDWARE_ID}"
OSTREE_REPO ??= "${DEPLOY_DIR_IMAGE}/ostree_repo"

# A file in TOML, or nothing.
OSTRYA_RECIPE ??= ""
# One that `ostrya image board list` lists, or the file of a description.
OSTRYA_BOARD ??= "${@ostrya_board_of(d.getVar('MACHINE'))}"
OSTRYA_VERSION ??= "${DISTRO_VERSION}"
# What is written, as a recipe's "outputs" says.
OSTRYA_OUTPUTS ??= "wic.xz wic.bmap ostree.tar.bz2 manifest spdx sha256sums"
# Beside those of the board, which also find the root file system.
OSTRYA_KERNEL_ARGS ??= ""
# NAME=URL of where devices get updates; the first is the one that they follow.
OSTRYA_REMOTES ??= ""
# Files of the private keys that releases are signed with, and of the public ones that devices trust.
OSTRYA_SIGN_KEYS ??= ""
OSTRYA_TRUSTED_KEYS ??= ""
# The credentials.zip of a fleet, whose devices these become; what only devices need of it is on disks.
SOTA_PACKED_CREDENTIALS ??= ""
# Where files are that the board's firmware wants, such as U-Boot.
OSTRYA_FIRMWARE ??= "${DEPLOY_DIR_IMAGE}"
OSTRYA_CACHE ??= "${TMPDIR}/ostrya-cache"

OSTRYA_BUILD_RECIPE = "${WORKDIR}/ostrya.toml"

IMAGE_TYPES += "ostrya"
IMAGE_TYPEDEP:ostrya = "tar"
do_image_ostrya[depends] += " \
    ostrya-native:do_populate_sysroot \
    e2fsprogs-native:do_populate_sysroot \
    virtual/kernel:do_deploy \
"
do_image_ostrya[prefuncs] += "ostrya_write_recipe"
do_image_ostrya[file-checksums] += "${@ostrya_files_read(d)}"

IMAGE_CMD:ostrya () {
    SOURCE_DATE_EPOCH="${REPRODUCIBLE_TIMESTAMP_ROOTFS}" \
    ostrya image build "${OSTRYA_BUILD_RECIPE}" \
        --output-dir "${IMGDEPLOYDIR}" --cache "${OSTRYA_CACHE}"
}

python ostrya_write_recipe () {
    with open(d.getVar("OSTRYA_BUILD_RECIPE"), "w", encoding="utf-8") as stream:
        stream.write(ostrya_recipe(d))
}

def ostrya_board_of(machine):
    """Return the board of a machine of Yocto's; its own name where nothing else is known."""
    return {
        "qemuarm64": "qemu-arm64",
        "qemuarm": "qemu-arm",
        "qemux86-64": "qemu-x86_64",
        "qemuriscv64": "qemu-riscv64",
        "raspberrypi3-64": "raspberrypi3",
        "raspberrypi4-64": "raspberrypi4",
        "beaglebone-yocto": "beaglebone-black",
        "beaglebone": "beaglebone-black",
        "genericarm64": "generic-uefi-arm64",
        "genericx86-64": "generic-uefi-x86_64",
        "intel-corei7-64": "generic-uefi-x86_64",
    }.get(machine, machine)

def ostrya_files_read(d):
    """List the files that decide what comes out, for BitBake to notice when they change."""
    names = (
        "OSTRYA_RECIPE", "OSTRYA_SIGN_KEYS", "OSTRYA_TRUSTED_KEYS", "SOTA_PACKED_CREDENTIALS",
    )
    paths = [path for name in names for path in (d.getVar(name) or "").split()]
    return " ".join(f"{path}:{os.path.exists(path)}" for path in paths)

def ostrya_recipe(d):
    """Return the recipe that this image is built by, in TOML."""
    import json

    def words(name):
        return (d.getVar(name) or "").split()

    def line(key, value):
        # A text or list of texts of JSON is one of TOML too.
        return f"{key} = {json.dumps(value, ensure_ascii=False)}"

    remotes = []
    for word in words("OSTRYA_REMOTES"):
        name, equals, url = word.partition("=")
        if not (name and equals and url):
            bb.fatal(f"OSTRYA_REMOTES: '{word}' is not NAME=URL")
        remotes.append((name, url))
    archive = f"{d.getVar('IMGDEPLOYDIR')}/{d.getVar('IMAGE_NAME')}.tar"
    keys = words("OSTRYA_TRUSTED_KEYS")
    firmware = d.getVar("OSTRYA_FIRMWARE") or ""
    lines = [
        line("name", d.getVar("IMAGE_BASENAME")),
        line("version", d.getVar("OSTRYA_VERSION")),
        line("board", d.getVar("OSTRYA_BOARD")),
        line("ref", d.getVar("OSTREE_BRANCHNAME")),
        line("stateroot", d.getVar("OSTREE_OSNAME")),
        line("outputs", words("OSTRYA_OUTPUTS")),
        line("include", words("OSTRYA_RECIPE")),
        # Said here, whatever the recipe has.
        line("replace", ["outputs", "remotes"] if remotes else ["outputs"]),
        *([line("firmware", firmware)] if os.path.isdir(firmware) else []),
        "[source]",
        line("kind", "tar"),
        line("path", archive),
        "[kernel]",
        line("arguments", words("OSTRYA_KERNEL_ARGS")),
        "[repository]",
        line("path", d.getVar("OSTREE_REPO")),
        line("sign_keys", words("OSTRYA_SIGN_KEYS")),
    ]
    for name, url in remotes:
        lines += ["[[remotes]]", line("name", name), line("url", url)]
        lines += [line("key_files", keys)] if keys else [line("verify", "none")]
    if credentials := d.getVar("SOTA_PACKED_CREDENTIALS"):
        lines += [
            "[ota]",
            line("credentials", credentials),
            line("hardware_id", d.getVar("SOTA_HARDWARE_ID")),
        ]
    return "".join(f"{one}\n" for one in lines)
