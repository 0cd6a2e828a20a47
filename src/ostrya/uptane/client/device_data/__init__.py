# SPDX-License-Identifier: Apache-2.0
"""What a device tells its server of itself, and only where it has changed.

::

    hardware   what lshw finds, or a command that is configured
    packages   dpkg's, opkg's, rpm's, or a list in a file
    network    the address by which it reaches the world, and the name of the host
    settings   the configuration that counts, without what is secret in it
    telling    which of them the server does not know yet
"""
