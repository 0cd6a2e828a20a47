# SPDX-License-Identifier: Apache-2.0
"""Who may install what: Uptane, and The Update Framework that it is made of.

A device believes what two repositories say together. The Director says what this vehicle shall run;
its keys are online. The Image repository says what there is; its keys that matter are not.

::

    metadata            bytes and values of roles, keys and signatures
    checks              every rule of the Standard, one function each
    trusted_set         one repository: bytes in, trusted metadata out
    manifest            what ECUs say of themselves, signed
    image_check         the bytes of an image, against all that was said of them
    full_verification   the Director's word against the Image repository's
    partial_verification  what a small Secondary checks
    offline_verification  a lockbox, that somebody carries to the device
    client              what a device keeps
    author              keys and metadata of an Image repository, kept by one person, offline

All but ``client`` and ``author`` do no I/O: they are told what arrived, and say what they want.
Whatever they refuse ends in an ``UptaneError`` whose ``attack`` names the attack that the check is
there for; what was trusted before stays as it was.

Two dialects: Uptane as aktualizr and its servers speak it, and TUF 1.0 as python-tuf does.
"""
