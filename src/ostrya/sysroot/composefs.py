# SPDX-License-Identifier: Apache-2.0
"""The composefs image of a deployment, for trees that are to be mounted by one.

::

    usr/lib/ostree/prepare-root.conf
        [composefs]
        enabled=signed        no, maybe, yes, verity, signed

Source: ``ostree-prepare-root(1)``; ostree-sysroot-deploy.c (checkout_deployment_tree).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import FileTooLargeError, open_file_below, read_fd
from ostrya.errors import FormatError, SysrootError
from ostrya.formats.keyfile import KeyFile
from ostrya.tree.composefs import Verity, checkout_image

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.sysroot import Sysroot

IMAGE = ".ostree.cfs"
PREPARE_ROOT_CONFIG = ("etc/ostree/prepare-root.conf", "usr/lib/ostree/prepare-root.conf")
_MAX_CONFIG_BYTES = 1 << 20
_NOT_WANTED = frozenset({"no", "false", "0", ""})
_SEALED = frozenset({"verity", "signed"})


def write_image_if_wanted(sysroot: Sysroot, checksum: Checksum, tree_fd: int) -> bool:
    """Write the image of a commit into its deployment if tree or repository want one.

    Raises:
        SysrootError: The tree's settings cannot be read.
        ImageDigestMismatch: The commit has the digest of another image.
    """
    wanted = _tree_setting(tree_fd)
    repo_wants = _repo_setting(sysroot)
    if wanted in _NOT_WANTED and not repo_wants:
        return False
    verity = Verity.ALL if wanted in _SEALED else Verity.IF_SEALED
    checkout_image(sysroot.repo, checksum, f"/proc/self/fd/{tree_fd}/{IMAGE}", verity=verity)
    return True


def read_prepare_root_config(tree_fd: int) -> KeyFile:
    """Return how a tree wants its root prepared; an empty file where it says nothing.

    Raises:
        SysrootError: It cannot be read.
    """
    for path in PREPARE_ROOT_CONFIG:
        try:
            fd = open_file_below(tree_fd, path)
        except FileNotFoundError:
            continue
        try:
            return KeyFile.decode(read_fd(fd, max_bytes=_MAX_CONFIG_BYTES))
        except FormatError as exc:
            raise SysrootError(f"Parsing prepare-root config: {path}: {exc}") from exc
        except FileTooLargeError:
            raise SysrootError(f"{path} has more than {_MAX_CONFIG_BYTES} bytes") from None
        finally:
            os.close(fd)
    return KeyFile()


def _tree_setting(tree_fd: int) -> str:
    config = read_prepare_root_config(tree_fd)
    if config.has_group("composefs") and config.has_key("composefs", "enabled"):
        return config.get_value("composefs", "enabled").strip()
    return ""


def _repo_setting(sysroot: Sysroot) -> bool:
    keyfile = sysroot.repo.config.keyfile
    group = "ex-integrity"
    if not (keyfile.has_group(group) and keyfile.has_key(group, "composefs")):
        return False
    return keyfile.get_value(group, "composefs") in ("yes", "true", "1")
