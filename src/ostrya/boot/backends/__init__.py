# SPDX-License-Identifier: Apache-2.0
"""What each boot loader reads, made from the boot entries.

::

    uboot       boot/loader/uEnv.txt, which a board's script imports        (pure)
    syslinux    boot/loader/syslinux.cfg, with what others wrote into it     (pure)
"""
