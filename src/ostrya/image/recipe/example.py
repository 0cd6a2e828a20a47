# SPDX-License-Identifier: Apache-2.0
"""A recipe to begin with, for a board. Pure."""

from __future__ import annotations

_TEXT = """\
# What an image is made of: `ostrya image build {file}` makes it. Every key is described in
# docs/reference/recipe.md. Lines with a # before them are examples.

name = "{name}"
version = "1"
board = "{board}"                     # `ostrya image build --list-boards` lists them
ref = "os/stable"                     # what devices follow
# size = "4G"                         # without it: room for a second release
# include = ["common.toml"]           # recipes that come before this one
outputs = ["raw"]                     # also: wic.xz, raw.bmap, qcow2, manifest, spdx, sha256sums

[source]
path = "{source}"                     # a directory, or an archive: mmdebstrap, Yocto, Buildroot
# kind = "debian"                     # or a Debian made on the spot, with
# suite = "bookworm"                  # a kernel: linux-image-amd64 or linux-image-arm64
# packages = ["linux-image-amd64", "systemd-sysv", "openssh-server"]

[kernel]
# arguments = ["quiet"]               # beside those of the board

[system]
hostname = "{name}"
# timezone = "Europe/Berlin"
# locale = "C.UTF-8"
# keymap = "de-latin1"
# remove = ["/usr/share/doc"]

# Who may log in. Hashes of passwords: mkpasswd -m yescrypt
# [root]
# ssh_keys = ["ssh-ed25519 AAAA... me@example.com"]
#
# [[users]]
# name = "admin"
# groups = ["sudo"]
# password_hash = "$y$j9T$..."
# ssh_key_files = ["id_ed25519.pub"]

# Files of this machine, laid over the tree. Who owns them here makes no difference.
# [[overlays]]
# path = "overlay"
# rules = [{{ match = "etc/secret/*", mode = "0600" }}]
#
# [[files]]
# path = "/etc/motd"
# text = "Welcome\\n"

# [network]
# country = "DE"
#
# [[network.interfaces]]
# name = "en*"                        # asks for its address, unless it has some of its own
# # addresses = ["192.0.2.7/24"]
# # gateway = "192.0.2.1"
# # dns = ["192.0.2.1"]
#
# [[network.wifi]]
# ssid = "our network"
# passphrase = "not this one"

[services]
# enable = ["ssh.service"]
# mask = ["apt-daily.timer"]

# More partitions. Their contents last, whatever release runs.
# [[partitions]]
# name = "data"
# size = "512M"
# mountpoint = "/data"
# contents = "data"

# [disk]
# grow = "yes"                        # at the first start, into the rest of the disk

# Where the release is committed, for devices to pull; serve it with `ostrya serve`.
# [repository]
# path = "releases"
# sign_keys = ["release.key"]

# Where devices get updates.
# [[remotes]]
# name = "vendor"
# url = "https://updates.example.com/repo"
# key_files = ["release.pub"]
# verify = "ed25519"
#
# [update]
# automatic = "stage"                 # check, download, stage or apply
# every = "1d"

# Whose fleet it is, for updates by Uptane: see docs/how-to/fleet-server.md
# [ota]
# credentials = "credentials.zip"     # ostrya fleet credentials --devices-only

# What a single device is told at its first start, from the file ostrya-provision.toml on its FAT
# partition: host name, networks, keys, remotes, its fleet.
# [provisioning]
# enable = true

# `ostrya image build --profile debug {file}` lays these over the rest.
[profile.debug]
kernel.arguments = ["systemd.log_level=debug"]
"""


def example_recipe(board: str, *, name: str, source: str, file: str) -> str:
    """Return the text of a recipe.

    Args:
        board: What for.
        name: What the image is called.
        source: Path of the root file system.
        file: What the recipe is called.
    """
    return _TEXT.format(board=board, name=name, source=source, file=file)
