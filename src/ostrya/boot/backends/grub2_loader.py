# SPDX-License-Identifier: Apache-2.0
"""GRUB 2."""


class Grub2:
    name = "grub2"
    is_atomic = True

    def is_active(self, context):
        return False
