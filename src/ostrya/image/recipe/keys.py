# SPDX-License-Identifier: Apache-2.0
"""Every section and key of a recipe: what it takes and what it means. Pure.

The page of the documentation is written from this, the check goes by it.
"""

from __future__ import annotations

from ostrya.image.errors import OutputError
from ostrya.image.outputs.kinds import known_kinds, parse_kind
from ostrya.image.recipe import formats
from ostrya.image.recipe.keys_device import DEVICE_KEYS
from ostrya.image.recipe.keys_tree import TREE_KEYS
from ostrya.image.recipe.schema import (
    Key,
    Kind,
    choice,
    needed,
    number,
    path,
    paths,
    table,
    tables,
    text,
    texts,
)

SOURCE_KINDS = ("auto", "directory", "tar", "debian", "oci", "docker-archive", "ostree")


def _output(word: str) -> str:
    try:
        parse_kind(word)
    except OutputError:
        return f"no output; known are {', '.join(known_kinds())}"
    return ""


_GENERAL = (
    text("name", "What the image is called; files of it begin with that.", "`os`", formats.name),
    text("version", "What the release is called, in its commit and in names of files."),
    text(
        "board",
        "What it is for; `ostrya image build --list-boards` lists them. Or a description of one, "
        "as `./our.toml`.",
        "",
        formats.one_line,
    ),
    path(
        "firmware", "A directory of files that the board needs and that nobody else may hand out."
    ),
    text("ref", "What devices follow.", "`os/stable`", formats.ref),
    text("stateroot", "What the system is called on the device.", "`os`", formats.name),
    text("size", "How large the disk is.", "room for a second release", formats.size),
    number(
        "timestamp",
        "When it was made, in seconds since 1970 UTC.",
        "`SOURCE_DATE_EPOCH`, or that of the newest in the source",
    ),
    paths(
        "include",
        "Recipes that come before this one: tables are joined, lists are continued, and what is "
        "said here holds.",
    ),
    texts(
        "replace",
        "Keys, as `kernel.arguments`, whose lists or tables begin anew in this file or profile.",
    ),
    texts(
        "outputs",
        "What is written, one or several of "
        + ", ".join(f"`{name}`" for name in known_kinds())
        + "; with `.gz`, `.bz2`, `.xz` or `.zst` compressed. Without any: `raw`.",
        _output,
    ),
)

_SOURCE = table(
    "source",
    "Where the root file system comes from.",
    (
        choice("kind", "What it is; `auto` for a directory or an archive.", SOURCE_KINDS, "`auto`"),
        path(
            "path",
            "The directory, archive, OCI layout or docker archive; of `ostree` the repository.",
        ),
        text("ref", "Of `ostree` the ref or commit; of a container image its name."),
        text("suite", "Of `debian`: which release, as `bookworm`.", "", formats.name),
        texts(
            "mirrors", "Of `debian`: where packages are, as addresses or lines for `sources.list`."
        ),
        texts("components", "Of `debian`: `main` and others.", formats.name),
        text("variant", "Of `debian`: which of mmdebstrap's variants.", "`apt`", formats.name),
        text(
            "architecture",
            "For which machines: of `debian` as `amd64`, of container images as `linux/arm64`.",
            "the board's",
            formats.one_line,
        ),
        texts("packages", "Of `debian`: packages beside those of the variant.", formats.one_line),
        texts(
            "left_out", "Of `debian`: patterns of paths that no package brings.", formats.one_line
        ),
        path("keyring", "Of `debian`: the keys that the packages' lists are signed with."),
    ),
)

_PROFILES = Key(
    "profile",
    Kind.TABLE,
    "`[profile.NAME]` has any of these keys; they hold if `--profile NAME` is given, over those of "
    "the recipe.",
)

_REPOSITORY = table(
    "repository",
    "Where the release is committed, for devices to pull.",
    (
        path(
            "path",
            "The repository, an archive; made if it is not there. Without it, one as long as the "
            "build.",
        ),
        text("collection_id", "The collection that refs are bound to.", "", formats.one_line),
        paths("sign_keys", "Files of ed25519 secret keys that sign the commit."),
        text("subject", "First line of the commit's message.", "", formats.one_line),
        text("body", "The rest of it."),
    ),
)

_PARTITIONS = tables(
    "partitions",
    "Partitions beside those of the board, in the order of their numbers, before the root.",
    (
        needed(text("name", "What it is called, in the partition table too.", "", formats.label)),
        needed(text("size", "How large it is.", "", formats.size)),
        choice("filesystem", "What is in it.", ("ext4", "vfat", "swap", "none"), "`ext4`"),
        text("label", "Of the file system.", "its name", formats.label),
        text("mountpoint", "Where it is mounted, as `/data`.", "nowhere", formats.absolute),
        texts("options", "How it is mounted.", formats.karg),
        path(
            "contents", "A directory whose files are in it from the start, or with `none` a file."
        ),
        text("type", "What the table says it holds: a GUID.", "by the file system", formats.guid),
        choice(
            "place",
            "Before the root, or behind it; then the root does not grow.",
            ("before", "after"),
            "`before`",
        ),
    ),
)

_DISK = table(
    "disk",
    "The disk as a whole.",
    (
        choice(
            "grow",
            "Whether the last partition and its file system grow into the rest of the disk at the "
            "first start.",
            ("yes", "no"),
            "`no`",
        ),
        path(
            "wks",
            "A partition file of Yocto's; its partitions beside boot and root are taken, and its "
            "arguments of the kernel.",
        ),
    ),
)

KEYS: tuple[Key, ...] = (
    *_GENERAL,
    _SOURCE,
    *TREE_KEYS,
    *DEVICE_KEYS,
    _DISK,
    _PARTITIONS,
    _REPOSITORY,
    _PROFILES,
)

# What `ostrya-provision.toml` may have.
_TOLD = frozenset({"system", "network", "root", "users", "groups", "remotes", "ota"})
PROVISION_KEYS: tuple[Key, ...] = tuple(
    # There are no files beside it.
    key._replace(keys=tuple(one for one in key.keys if not one.is_path))
    if key.name == "ota"
    else key
    for key in KEYS
    if key.name in _TOLD
)
