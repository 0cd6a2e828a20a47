# SPDX-License-Identifier: Apache-2.0
"""What stops the next boot from being written.

::

    BootloaderError
    ├── KernelArgumentError   an argument to replace or delete is not there, or there are several
    ├── EntryInvalid          a boot entry cannot be read or written
    ├── KernelNotFound        a tree has no kernel, or pieces of several
    ├── LoaderUnknown         there is no boot loader of that name
    ├── EnvironmentInvalid    a boot loader's variables cannot be read, or do not fit
    ├── ImageInvalid          an image for U-Boot cannot be read or made
    ├── TrialStateInvalid     the record of a trial says what nobody writes
    └── InitramfsError        a ramdisk cannot be made of a tree
"""

from __future__ import annotations

from ostrya.errors import BootloaderError


class KernelArgumentError(BootloaderError):
    """The kernel's command line does not allow a change that was asked for."""


class EntryInvalid(BootloaderError):
    """A boot entry holds what it cannot hold."""


class KernelNotFound(BootloaderError):
    """A tree has no kernel that can be booted, or pieces of several."""


class LoaderUnknown(BootloaderError):
    """There is no boot loader of a name."""


class EnvironmentInvalid(BootloaderError):
    """A boot loader's variables cannot be read, or do not fit where they belong."""


class ImageInvalid(BootloaderError):
    """An image for U-Boot cannot be read or made."""


class TrialStateInvalid(BootloaderError):
    """The record of a trial says what nobody writes."""


class InitramfsError(BootloaderError):
    """A ramdisk cannot be made: a tree lacks something, or holds what cannot be read."""
