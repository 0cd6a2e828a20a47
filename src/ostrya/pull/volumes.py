# SPDX-License-Identifier: Apache-2.0
"""Which mounted file systems are volumes that somebody has put in. Pure.

Those that a desktop shows: under ``/media``, ``/run/media`` or the user's home, on a real device,
and not hidden behind a name that begins with a dot. The rule is that of GLib, which libostree
asks: both tools look at the same volumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class MountLike(Protocol):
    """An entry of the mount table."""

    @property
    def path(self) -> str:
        """Its directory."""

    @property
    def kind(self) -> str:
        """Its kind of file system."""

    @property
    def device(self) -> str:
        """What is mounted."""


_PLACES = ("/media/", "/run/media/")
# File systems of the machine itself: of the kernel, of clusters, in memory, stacked.
_SYSTEM_KINDS = frozenset(
    """
    auto autofs autofs4 binfmt_misc bpf cgroup cgroup2 configfs cxfs debugfs devfs devpts devtmpfs
    ecryptfs efivarfs fdescfs fuse.gvfs-fuse-daemon fuse.gvfsd-fuse fuse.portal fusectl gfs gfs2
    gpfs hugetlbfs kernfs linprocfs linsysfs lustre lustre_lite mfs mqueue ncpfs nfsd nsfs nullfs
    ocfs2 overlay proc procfs pstore ptyfs ramfs rootfs rpc_pipefs securityfs selinuxfs sysfs tmpfs
    tracefs usbfs zfs
    """.split()  # noqa: SIM905  # a list of words reads better so
)
_SYSTEM_DEVICES = frozenset({"none", "sunrpc", "devpts", "nfsd", "/dev/vn"})


def find_volumes(mounts: Iterable[MountLike], home: str) -> list[str]:
    """Return the directories of volumes, each once, in the order of the mount table.

    Args:
        mounts: The mount table.
        home: The user's home directory; empty for none.
    """
    # Of two mounts on one directory only the later one can be seen.
    seen = {mount.path: mount for mount in mounts}
    return [path for path, mount in seen.items() if _is_volume(mount, home)]


def _is_volume(mount: MountLike, home: str) -> bool:
    if mount.kind in _SYSTEM_KINDS or mount.device in _SYSTEM_DEVICES or "/." in mount.path:
        return False
    below_home = f"{home.rstrip('/')}/" if home.strip("/") else None
    return mount.path.startswith(_PLACES) or (
        below_home is not None and mount.path.startswith(below_home)
    )
