# SPDX-License-Identifier: Apache-2.0
"""What each boot loader reads, made from the boot entries.

::

    uboot       boot/loader/uEnv.txt, which a board's script imports        (pure)
    syslinux    boot/loader/syslinux.cfg, with what others wrote into it     (pure)
    grub2       grub.cfg, as a whole or as a part of grub-mkconfig's         (pure)

The others read boot entries, or are programs that do. ``NAME_loader`` is how each is told.
"""
