# SPDX-License-Identifier: Apache-2.0
"""A disk to flash: a root file system becomes a commit, and that a disk that updates itself.

::

    root file system (directory, tar)
      │ tree, convert       into a commit: merged /usr, /usr/etc, kernel, ramdisk
      ▼
    commit(s)
      │ deployments         into a sysroot in a working directory, as an ordinary user
      │ filesystem          mke2fs -d, and a debugfs script for owners, modes, xattrs, flags
      │ bootloader_install  what firmware and boot loader need: files of a FAT partition, boot code
      │ fat, gpt, mbr       written by ourselves, exactly
      ▼ assemble
    one sparse file

Nobody need be root, nothing is mounted, there are no loop devices; and the same input gives the
same bytes, whoever builds, where and when. What a board needs is data, in ``boards/``.
"""
