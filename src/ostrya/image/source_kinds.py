# SPDX-License-Identifier: Apache-2.0
"""What a root file system can be made of, and how somebody writes that. Pure.

::

    PATH                        a directory or an archive; a container image, if it looks like one
    dir:PATH  tar:PATH          just that
    oci:PATH[:NAME]             an OCI image layout: a directory, or a tar of one
    docker-archive:PATH[:NAME]  what "docker save" writes
    ostree:REPO:REV             a commit of a repository, by ref or checksum
    debian:SUITE[/ARCH][:PACKAGE,…]  made on the spot by mmdebstrap
"""

from __future__ import annotations

from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple


class DirectorySource(NamedTuple):
    """A root file system that lies in a directory.

    Attributes:
        path: Where.
    """

    path: str


class ArchiveSource(NamedTuple):
    """A root file system in an archive: tar or cpio, compressed or not.

    Attributes:
        path: Where.
    """

    path: str


class OciSource(NamedTuple):
    """An image of containers in the layout that the Open Container Initiative says.

    Attributes:
        path: A directory, or a tar of one.
        name: Which of its images, by ``org.opencontainers.image.ref.name``; empty for the only one.
        platform: As ``linux/arm64`` or ``arm/v7``; empty for the only one.
    """

    path: str
    name: str = ""
    platform: str = ""


class DockerArchiveSource(NamedTuple):
    """An image of containers as ``docker save`` writes it.

    Attributes:
        path: A tar, compressed or not.
        name: Which of its images, as ``debian:12``; empty for the only one.
        platform: What it has to be for; empty for anything.
    """

    path: str
    name: str = ""
    platform: str = ""


class CommitSource(NamedTuple):
    """A commit of an OSTree repository.

    Attributes:
        repo: Path of the repository; empty for that which the release is committed to.
        rev: A ref or a checksum.
    """

    repo: str
    rev: str


class DebianSource(NamedTuple):
    """A Debian, or one of its kin, that mmdebstrap makes.

    Attributes:
        suite: As ``bookworm``.
        packages: What is installed beside the variant's.
        architecture: As Debian calls it; empty for that of this machine.
        mirrors: Addresses, or lines of ``sources.list``; those of this machine's apt if none.
        components: Of the archive, where a mirror is an address.
        variant: What mmdebstrap begins with: ``apt``, ``essential``, ``minbase``, ``important`` ….
        keyrings: Files of keys that sign the archive, beside those of this machine's apt.
        left_out: Patterns of paths that no package may bring, as ``/usr/share/doc/*``.
    """

    suite: str
    packages: tuple[str, ...] = ()
    architecture: str = ""
    mirrors: tuple[str, ...] = ()
    components: tuple[str, ...] = ("main",)
    variant: str = "apt"
    keyrings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


AnySource = (
    DirectorySource | ArchiveSource | OciSource | DockerArchiveSource | CommitSource | DebianSource
)


def parse_source(text: str) -> AnySource | None:
    """Read what somebody wrote; None for a plain path, of which nobody knows yet what it is.

    Raises:
        SourceError: A word that begins with one of the kinds lacks something.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS:
        return None
    if not rest:
        raise SourceError(f"'{text}' does not say where the root file system is", hint=_KINDS[kind])
    if kind == "dir":
        return DirectorySource(rest)
    if kind == "tar":
        return ArchiveSource(rest)
    if kind in {"oci", "docker-archive"}:
        path, _, name = rest.partition(":")
        return OciSource(path, name) if kind == "oci" else DockerArchiveSource(path, name)
    if kind == "ostree":
        repo, _, rev = rest.partition(":")
        if not rev:
            raise SourceError(f"'{text}' names no commit", hint=_KINDS[kind])
        return CommitSource(repo, rev)
    where, _, packages = rest.partition(":")
    suite, _, architecture = where.partition("/")
    wanted = tuple(word for word in packages.split(",") if word)
    return DebianSource(suite, wanted, architecture)


_KINDS = {
    "dir": "dir:PATH",
    "tar": "tar:PATH",
    "oci": "oci:PATH, or oci:PATH:NAME",
    "docker-archive": "docker-archive:PATH, or docker-archive:PATH:NAME",
    "ostree": "ostree:REPO:REV; without REPO it is the repository of the release",
    "debian": "debian:SUITE, debian:SUITE/ARCH or debian:SUITE:PACKAGE,PACKAGE",
}
