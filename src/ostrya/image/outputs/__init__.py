# SPDX-License-Identifier: Apache-2.0
"""What a build gives away: disks, file systems, archives, and what says what is in them.

::

    artifacts        what a build made, and `write_outputs`, which writes what is wanted of it
    kinds            names of outputs, as users of meta-updater know them, and of their files
    sinks            files that appear whole, sparse, with a digest; compression on the way
    packing          gzip, xz, bzip2 and zstd on all processors, the same bytes on any number
    qcow2_writer     a disk for QEMU
    sysroot_tar      ``ota.tar``: the sysroot with owners, modes, attributes and hard links
    repo_tar         ``ostreecommit.tar``: an archive repository with the release
    btrfs            ``ota-btrfs``: the sysroot as a file system
    spdx, manifest   what is in it
    checksums        ``SHA256SUMS``

Which blocks of a disk matter, ``wic.bmap``, is what `image.reading.usage` finds in it.

Everything is streamed: memory does not grow with the disk. A file has its name when it is whole;
when one fails, those that this build wrote before it are removed. The same artifacts give the same
bytes.
"""
