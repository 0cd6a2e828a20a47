# SPDX-License-Identifier: Apache-2.0
"""Every verb, literally: its name, where its module is, and one line of help.

Looking a verb up imports nothing; the module is loaded when the verb is run.
"""

from __future__ import annotations

from ostrya.cli.table_fleet import FLEET
from ostrya.cli.verb import Repo, Verb

_ADMIN_KARGS = (
    Verb(
        "edit-in-place", "admin.kargs_edit_in_place", "Change arguments of all deployments",
        Repo.ADMIN,
    ),
)  # fmt: skip

_ADMIN_INSTUTIL = (
    Verb(
        "grub2-generate", "admin.instutil_grub2_generate",
        "Print GRUB menu entries, for grub-mkconfig", Repo.ADMIN,
    ),
    Verb("set-kargs", "admin.instutil_set_kargs", "Set kernel arguments", Repo.ADMIN),
    Verb(
        "selinux-ensure-labeled", "admin.instutil_selinux_ensure_labeled",
        "Label what has no SELinux label", Repo.ADMIN,
    ),
)  # fmt: skip

_ADMIN = (
    Verb("boot-complete", "admin.boot_complete", "For the boot", Repo.ADMIN, hidden=True),
    Verb("cleanup", "admin.cleanup", "Delete what no deployment needs", Repo.ADMIN),
    Verb(
        "config-diff", "admin.config_diff", "List what was changed in /etc", Repo.ADMIN, reads=True
    ),
    Verb(
        "deploy", "admin.deploy", "Make a deployment of a commit",
        Repo.ADMIN, reads=True, writes=True, takes_long=True,
    ),
    Verb(
        "etc-plan", "admin.etc_plan", "Say what the next merge of /etc will do",
        Repo.ADMIN, reads=True,
    ),
    Verb("finalize-staged", "admin.finalize_staged", "For the shutdown", Repo.ADMIN, hidden=True),
    Verb(
        "lock-finalization",
        "admin.lock_finalization",
        "Let a staged deployment wait",
        Repo.ADMIN,
    ),
    Verb(
        "instutil", "", "For installers", Repo.ADMIN, verbs=_ADMIN_INSTUTIL, hidden=True
    ),
    Verb("kargs", "", "Change kernel arguments", Repo.ADMIN, verbs=_ADMIN_KARGS),
    Verb("init-fs", "admin.init_fs", "Make a directory a sysroot", Repo.ADMIN),
    Verb("os-init", "admin.stateroot_init", "Make the place of a system", Repo.ADMIN),
    Verb("stateroot-init", "admin.stateroot_init", "Make the place of a system", Repo.ADMIN),
    Verb(
        "grow-disk", "admin.grow_disk", "Let the last partition and its file system grow", Repo.NONE
    ),
    Verb("pin", "admin.pin", "Keep a deployment from being cleaned away", Repo.ADMIN),
    Verb("post-copy", "admin.post_copy", "Seal what was copied here", Repo.ADMIN),
    Verb(
        "prepare-soft-reboot", "admin.prepare_soft_reboot",
        "Prepare a restart without the kernel", Repo.ADMIN,
    ),
    Verb(
        "provision", "admin.provision", "Do what this device is told at its first start", Repo.NONE
    ),
    Verb("rollback", "admin.rollback", "Boot what was booted before", Repo.ADMIN),
    Verb("status", "admin.status", "List deployments", Repo.ADMIN, reads=True),
    Verb("set-default", "admin.set_default", "Boot another deployment by default", Repo.ADMIN),
    Verb("set-origin", "admin.set_origin", "Say what a deployment follows", Repo.ADMIN),
    Verb(
        "state-overlay", "admin.state_overlay", "Mount a layer that keeps state", Repo.ADMIN,
        hidden=True,
    ),
    Verb("switch", "admin.switch", "Follow another ref and deploy it", Repo.ADMIN, takes_long=True),
    Verb("undeploy", "admin.undeploy", "Delete a deployment", Repo.ADMIN),
    Verb("unlock", "admin.unlock", "Make /usr writable", Repo.ADMIN),
    Verb(
        "upgrade", "admin.upgrade", "Deploy the newest commit of what is followed",
        Repo.ADMIN, reads=True, writes=True, takes_long=True,
    ),
)  # fmt: skip

_BOOT = (
    Verb("boot-once", "boot.boot_once", "Start a deployment the next time only", Repo.ADMIN),
    Verb(
        "check", "boot.check", "Run the health checks, and look at what a fallback needs",
        Repo.ADMIN, reads=True, writes=True,
    ),
    Verb(
        "expire", "boot.expire", "For the boot: restart if a trial takes too long",
        Repo.ADMIN, hidden=True,
    ),
    Verb(
        "initramfs", "boot.initramfs", "Build a ramdisk from a root file system",
        Repo.NONE, reads=True, writes=True,
    ),
    Verb("mark-bad", "boot.mark_bad", "Say that a deployment is bad", Repo.ADMIN),
    Verb("mark-good", "boot.mark_good", "Say that the running deployment is good", Repo.ADMIN),
    Verb("set-default", "admin.set_default", "Boot another deployment by default", Repo.ADMIN),
    Verb(
        "settle", "boot.settle", "For the boot: make what runs the default after a fallback",
        Repo.ADMIN, hidden=True,
    ),
    Verb("status", "boot.status", "Say what is started next, and why", Repo.ADMIN, reads=True),
)  # fmt: skip

_IMAGE_BOARD = (
    Verb(
        "check", "image.board.check", "See whether a board's description, or an image, can work",
        Repo.NONE, reads=True,
    ),
    Verb("list", "image.board.list", "List the boards that there are", Repo.NONE, reads=True),
    Verb("show", "image.board.show", "Print the description of a board", Repo.NONE),
)  # fmt: skip

_IMAGE = (
    Verb("board", "", "What images can be built for", Repo.NONE, verbs=_IMAGE_BOARD),
    Verb(
        "build", "image.build", "Build a disk from a root file system",
        Repo.NONE, reads=True, writes=True, takes_long=True,
    ),
    Verb("cp", "image.cp", "Copy files out of an image, or into one", Repo.NONE),
    Verb(
        "diff", "image.diff", "Compare two images or releases: files, packages, sizes",
        Repo.NONE, reads=True,
    ),
    Verb("flash", "image.flash", "Write an image to a device", Repo.NONE, takes_long=True),
    Verb(
        "import", "image.import_", "Make a recipe of meta-updater's variables", Repo.NONE
    ),
    Verb("init", "image.init", "Write a recipe to begin with", Repo.NONE),
    Verb("inspect", "image.inspect", "Say what is in an image", Repo.NONE, reads=True),
    Verb("ls", "image.ls", "List files in an image", Repo.NONE, reads=True),
    Verb("run", "image.run", "Start an image in QEMU", Repo.NONE),
)  # fmt: skip

_OTA_CAMPAIGN = (
    Verb("accept", "ota.campaign.accept", "Say yes to a campaign", Repo.NONE),
    Verb("decline", "ota.campaign.decline", "Say no to a campaign", Repo.NONE),
    Verb("list", "ota.campaign.list", "List campaigns", Repo.NONE, reads=True),
    Verb("postpone", "ota.campaign.postpone", "Say not now to a campaign", Repo.NONE),
)

_OTA_DELEGATION = (
    Verb("add", "ota.delegation.add", "Trust somebody else with some images", Repo.NONE),
    Verb("list", "ota.delegation.list", "List who is trusted with what", Repo.NONE, reads=True),
    Verb("remove", "ota.delegation.remove", "Trust somebody no more", Repo.NONE),
)

_OTA_KEYS = (
    Verb("create", "ota.keys.create", "Make the keys of a repository, or one pair", Repo.NONE),
    Verb("export", "ota.keys.export", "Write a credentials.zip for other tools", Repo.NONE),
    Verb("list", "ota.keys.list", "List whose signatures count", Repo.NONE, reads=True),
    Verb("rotate", "ota.keys.rotate", "Give a role new keys", Repo.NONE),
)

_OTA_LOCKBOX = (
    Verb("create", "ota.lockbox.create", "Put an update on a medium, to be carried", Repo.NONE),
)

_OTA_TARGETS = (
    Verb("add", "ota.targets.add", "Stage an image", Repo.NONE),
    Verb("list", "ota.targets.list", "List images", Repo.NONE, reads=True),
    Verb("push", "ota.targets.push", "Copy the repository to where it is served", Repo.NONE),
    Verb("remove", "ota.targets.remove", "Stage that there is an image no more", Repo.NONE),
    Verb(
        "sign", "ota.targets.sign", "Sign what is staged, and publish it",
        Repo.NONE, reads=True, writes=True,
    ),
)  # fmt: skip

_OTA = (
    Verb("campaign", "", "What the user is asked about", Repo.NONE, verbs=_OTA_CAMPAIGN),
    Verb("certificate", "ota.certificate", "Make a device's key and certificate", Repo.NONE),
    Verb("control", "ota.control", "Speak to the running client", Repo.NONE),
    Verb("delegation", "", "Who else may speak of images", Repo.NONE, verbs=_OTA_DELEGATION),
    Verb("info", "ota.info", "Show who the device is, and what is wrong", Repo.NONE, reads=True),
    Verb("keys", "", "Keys of a repository of updates", Repo.NONE, verbs=_OTA_KEYS),
    Verb("lockbox", "", "Updates without a network", Repo.NONE, verbs=_OTA_LOCKBOX),
    Verb(
        "provision", "ota.provision", "Make the device one of its fleet's",
        Repo.NONE, reads=True, writes=True,
    ),
    Verb(
        "run", "ota.run", "Be a device's client: check, install and report",
        Repo.NONE, reads=True, writes=True,
    ),
    Verb("secondary", "ota.secondary", "Be another ECU, for a Primary to update", Repo.NONE),
    Verb("targets", "", "Images of a repository of updates", Repo.NONE, verbs=_OTA_TARGETS),
)  # fmt: skip

_REMOTE = (
    Verb("add", "remote.add", "Add a remote", Repo.SYSROOT),
    Verb("delete", "remote.delete", "Forget a remote", Repo.SYSROOT),
    Verb("gpg-import", "remote.gpg_import", "Trust OpenPGP keys for a remote"),
    Verb("gpg-list-keys", "remote.gpg_list_keys", "List the OpenPGP keys of a remote", reads=True),
    Verb("show-url", "remote.show_url", "Print the address of a remote", reads=True),
    Verb("list", "remote.list", "List the remotes", reads=True),
    Verb("refs", "remote.refs", "List the refs of a remote", reads=True),
    Verb("summary", "remote.summary", "Show the summary of a remote", reads=True),
    Verb("add-cookie", "remote.add_cookie", "Send a cookie to a remote's servers"),
    Verb("delete-cookie", "remote.delete_cookie", "Forget a cookie"),
    Verb("list-cookies", "remote.list_cookies", "List the cookies of a remote", reads=True),
)

_STATIC_DELTA = (
    Verb("list", "static_delta_list", "List static deltas", reads=True),
    Verb("show", "static_delta_show", "Show what is in a static delta", reads=True),
    Verb("delete", "static_delta_delete", "Delete a static delta"),
    Verb(
        "generate",
        "static_delta_generate",
        "Make a static delta from one commit to another",
        reads=True,
        writes=True,
        takes_long=True,
    ),
    Verb("plan", "static_delta_plan", "Say what each way to a commit costs", reads=True),
    Verb(
        "apply-offline",
        "static_delta_apply_offline",
        "Apply a static delta from files",
        takes_long=True,
    ),
    Verb("verify", "static_delta_verify", "Verify the signatures of a static delta"),
    Verb("indexes", "static_delta_indexes", "List the commits that have a delta index", reads=True),
    Verb("reindex", "static_delta_reindex", "Write delta indexes anew"),
)

VERBS = (
    Verb("admin", "", "Deployments: what is booted", Repo.ADMIN, verbs=_ADMIN),
    Verb(
        "boot", "", "The ramdisk, and automatic rollback: trials and health", Repo.NONE, verbs=_BOOT
    ),
    Verb("cat", "cat", "Write out the contents of files"),
    Verb("checkout", "checkout", "Make a directory from a commit", takes_long=True),
    Verb("checksum", "checksum", "Print the checksum of a file", Repo.NONE, reads=True),
    Verb("commit", "commit", "Commit a tree", takes_long=True),
    Verb("config", "config", "Read or change the repository's settings", reads=True, writes=True),
    Verb("diff", "diff", "Compare two commits or directories", reads=True),
    Verb("export", "export", "Write a commit as a tar archive"),
    Verb("create-usb", "create_usb", "Copy refs to a removable volume", takes_long=True),
    Verb(
        "find-remotes",
        "find_remotes",
        "Find remotes that have refs, and pull from them",
        reads=True,
        writes=True,
        takes_long=True,
    ),
    Verb("fleet", "", "A server for devices that update by Uptane", Repo.NONE, verbs=FLEET),
    Verb(
        "fsck",
        "fsck",
        "Check that the repository is sound",
        reads=True,
        writes=True,
        takes_long=True,
    ),
    Verb("gpg-sign", "gpg_sign", "Sign a commit with OpenPGP keys"),
    Verb("image", "", "Disks to flash", Repo.NONE, verbs=_IMAGE),
    Verb("init", "init", "Make an empty repository", Repo.NAMED),
    Verb("keygen", "keygen", "Make a pair of keys to sign with", Repo.NONE),
    Verb("log", "log", "Show a commit and its ancestors", reads=True),
    Verb("ls", "ls", "List files of a commit", reads=True),
    Verb("ota", "", "Updates by Uptane: a device's client; keys and images", Repo.NONE, verbs=_OTA),
    Verb(
        "prune",
        "prune",
        "Find and delete objects that nothing refers to",
        Repo.ADDRESS,
        takes_long=True,
    ),
    Verb(
        "pull",
        "pull",
        "Copy commits from a remote repository",
        reads=True,
        writes=True,
        takes_long=True,
    ),
    Verb(
        "pull-local",
        "pull_local",
        "Copy commits from a repository on this machine",
        takes_long=True,
    ),
    Verb(
        "push",
        "push",
        "Copy refs and their commits to another place",
        reads=True,
        writes=True,
        takes_long=True,
    ),
    Verb("refs", "refs", "List, make and delete refs", reads=True, writes=True),
    Verb("remote", "", "Settings of remote repositories", Repo.NONE, verbs=_REMOTE),
    Verb("reset", "reset", "Point a ref at another commit"),
    Verb("rev-parse", "rev_parse", "Print the checksum that a ref stands for", reads=True),
    Verb("serve", "serve", "Put an archive on the network, over HTTP"),
    Verb("sign", "sign", "Sign a commit, or verify its signatures"),
    Verb("show", "show", "Show an object", reads=True),
    Verb("static-delta", "", "Static deltas", Repo.NONE, verbs=_STATIC_DELTA),
    Verb("summary", "summary", "Write or show the repository's summary", reads=True, writes=True),
)


def find_verb(verbs: tuple[Verb, ...], name: str | None) -> Verb | None:
    """Return the verb of this name, None if there is none."""
    for verb in verbs:
        if verb.name == name:
            return verb
    return None
