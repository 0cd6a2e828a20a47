# SPDX-License-Identifier: Apache-2.0
"""The ramdisk: what stands between the kernel and a deployment.

Nothing in it is Python: busybox, a shell script that is ``/init``, the kernel's modules that a disk
may need, and the tool that checks its file system.

::

    cpio        entries            →  an archive as the kernel unpacks it     (pure)
    elf         a program          →  the libraries that it needs             (pure)
    modules     modules.dep and such → what to take along, and in which order (pure)
    tree_files  a root file system, read as its own programs would see it
    build       a root file system →  a ramdisk
    compress    a ramdisk          →  one that its kernel can unpack
    hooks       the same for distributions with a ramdisk of their own
    data/       the shell scripts

Same input, same bytes: whoever builds it, wherever and whenever.
"""
