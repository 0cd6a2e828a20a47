# SPDX-License-Identifier: Apache-2.0
"""Writing an image to a device.

::

    devices        what is known of a device: sysfs, mounts, swap
    choice         whether it is one to be written to
    sources        the bytes of an image in their order, unpacked on the way
    writing        what matters is written, synchronised, and read back

Nothing is written before all that can be known says that it is right. What stops on the way leaves
a device that nothing starts from, and says so.
"""
