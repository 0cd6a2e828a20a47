# SPDX-License-Identifier: Apache-2.0
"""The next boot: what the boot loader is told, and the ramdisk that finds the deployment.

::

    kargs   a kernel command line  ⇄  arguments in their order       (pure)
    bls     a file of entries/     ⇄  a boot entry and its counters   (pure)
    kernel  a tree                 →  its kernel, ramdisk and device trees
    initramfs/  a tree             →  a ramdisk
"""
