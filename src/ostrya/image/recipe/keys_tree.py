# SPDX-License-Identifier: Apache-2.0
"""Keys of a recipe that change the tree: files, accounts, services. Pure."""

from __future__ import annotations

from ostrya.image.recipe import formats
from ostrya.image.recipe.schema import (
    Key,
    choice,
    mapping,
    needed,
    number,
    path,
    paths,
    table,
    tables,
    text,
    texts,
    truth,
)

_MOST_ID = (1 << 32) - 2
_OWNER = "An account by number or name."
_RULE = (
    needed(text("match", "Which paths below the overlay, as `etc/ssh/*`.", "", formats.pattern)),
    text("owner", _OWNER, "as the overlay's", formats.owner),
    text("group", _OWNER, "as the overlay's", formats.owner),
    text("mode", "Permissions of files.", "as the file's", formats.mode),
    text("dir_mode", "Permissions of directories.", "as the directory's", formats.mode),
)

_CONVERT = table(
    "convert",
    "How the root file system becomes a tree that can be deployed.",
    (
        choice(
            "ramdisk",
            "How the ramdisk is compressed; `none` keeps deltas between releases small.",
            ("gzip", "xz", "zstd", "none"),
            "`gzip`",
        ),
        texts("drop", "Paths that are left out.", formats.absolute),
        text("kernel", "Which of several kernels: a version, or `newest`.", "the only one"),
        mapping(
            "var",
            'What becomes of parts of `/var`, as `"/var/lib/app" = "factory"`: `seed`, `factory`, '
            "`drop` or `fail`.",
        ),
        mapping(
            "links",
            'What becomes of directories that people write to, as `"/opt" = "keep"`: `auto`, '
            "`link` or `keep`.",
        ),
        choice("resolv", "What becomes of `/etc/resolv.conf`.", ("keep", "drop", "stub"), "`keep`"),
        texts("boot_files", "Patterns of files in `/boot` that the board needs.", formats.one_line),
        choice(
            "accounts",
            "What is done if a user or group has another number than in the release before.",
            ("fail", "keep-old", "accept"),
            "`fail`",
        ),
        truth("selinux", "Whether files are labelled, if the tree has a policy.", "true"),
    ),
)

_KERNEL = table(
    "kernel",
    "",
    (
        texts("arguments", "Arguments beside those of the board.", formats.karg),
        texts("modules", "Modules that the ramdisk loads in any case.", formats.one_line),
    ),
)

_DEVICE_TREE = table(
    "device_tree",
    "",
    (
        texts(
            "patterns",
            "Names, as `bcm2711-*.dtb`, of those that come with the kernel and are put beside it.",
            formats.one_line,
        ),
        paths(
            "files", "Device trees that are put beside the kernel, for the loader to choose from."
        ),
        path("default", "The one that is given to the kernel whatever firmware says."),
        paths(
            "overlays", "Overlays that are applied to it, by `fdtoverlay` when the image is built."
        ),
    ),
)

_OVERLAYS = tables(
    "overlays",
    "Files that are laid over the tree, in this order; who built it and with which umask makes no "
    "difference: a file is 0755 if its owner may run it, and 0644 if not.",
    (
        needed(path("path", "A directory, or a file.")),
        text("target", "Where it goes.", "`/`", formats.absolute),
        text("owner", _OWNER, "`root`", formats.owner),
        text("group", _OWNER, "`root`", formats.owner),
        tables("rules", "What is otherwise for some of them; the last that matches holds.", _RULE),
    ),
)

_FILES = tables(
    "files",
    "Single files and links, after the overlays.",
    (
        needed(text("path", "Where it goes.", "", formats.absolute)),
        text("text", "What is in it."),
        path("source", "The file that is copied, instead."),
        text("link", "Where a link leads, instead.", "", formats.one_line),
        truth("directory", "Whether it is a directory, instead."),
        text("owner", _OWNER, "`root`", formats.owner),
        text("group", _OWNER, "`root`", formats.owner),
        text("mode", "Permissions.", "`0644`, of a directory `0755`", formats.mode),
    ),
)

_ACCOUNT = (
    text(
        "password_hash",
        "As `mkpasswd -m yescrypt` prints it.",
        "`!`: no password",
        formats.password_hash,
    ),
    text("shell", "What is started after a login.", "`/bin/bash` or `/bin/sh`", formats.absolute),
    texts("ssh_keys", "Lines of `authorized_keys`.", formats.ssh_key),
    paths("ssh_key_files", "Files with such lines."),
)

_USERS = tables(
    "users",
    "Accounts. One that is there is changed, and keeps its number.",
    (
        needed(text("name", "What it is called.", "", formats.account)),
        number("uid", "Its number.", "the first free one from 1000", most=_MOST_ID),
        number("gid", "Of a group of its own name.", "the user's number", most=_MOST_ID),
        texts(
            "groups", "Others that it belongs to; made where they are not there.", formats.account
        ),
        text("comment", "Who it is.", "", formats.one_line),
        text(
            "home",
            "Its directory, which exists from the first start.",
            "`/home/NAME`",
            formats.absolute,
        ),
        truth("system", "Whether numbers below 1000 are taken, and no home is made."),
        *_ACCOUNT,
    ),
)

_GROUPS = tables(
    "groups",
    "Groups.",
    (
        needed(text("name", "What it is called.", "", formats.account)),
        number("gid", "Its number.", "the first free one below 1000", most=_MOST_ID),
    ),
)

_SYSTEM = table(
    "system",
    "",
    (
        text("hostname", "The name of the machine.", "as it is", formats.hostname),
        text("timezone", "Where it is, as `Europe/Berlin`.", "as it is", formats.zone),
        text("locale", "Its language, as `de_DE.UTF-8`.", "as it is", formats.locale),
        text("keymap", "Its keyboard, as `de-latin1`.", "as it is", formats.keymap),
        texts("remove", "Paths that are removed from the tree.", formats.absolute),
    ),
)

_SERVICES = table(
    "services",
    "Units of systemd. What their own `[Install]` says is done, as `systemctl` does it.",
    (
        texts("enable", "Started with the system.", formats.unit),
        texts("disable", "Not started with it.", formats.unit),
        texts("mask", "Never started, whoever wants them.", formats.unit),
    ),
)

_SPLASH = table(
    "splash",
    "A picture while the system starts: by Plymouth, which the tree has to have.",
    (
        path("image", "A PNG."),
        text("background", "A colour, as `#102030`.", "`#000000`", formats.colour),
    ),
)

TREE_KEYS: tuple[Key, ...] = (
    _CONVERT,
    _KERNEL,
    _DEVICE_TREE,
    _OVERLAYS,
    _FILES,
    _SYSTEM,
    table("root", "The account of root.", _ACCOUNT),
    _USERS,
    _GROUPS,
    _SERVICES,
    _SPLASH,
)
