# SPDX-License-Identifier: Apache-2.0
"""Signatures over bytes; what the bytes are, a commit or a summary, is not known here.

::

    engine        metadata key           key                              signature
    ed25519       ostree.sign.ed25519    32 bytes; secret: seed ‖ public  64 bytes
    spki          ostree.sign.spki       X.509 SubjectPublicKeyInfo; secret: PKCS#8, both DER
    dummy         ostree.sign.dummy      any text; for tests only         the text itself
    gpg           ostree.gpgsigs         OpenPGP keyrings                 OpenPGP packets

Keys are trusted because of where they lie::

    /etc/ostree/                         and /usr/share/ostree/
        trusted.ed25519                  one key in base64 a line
        trusted.ed25519.d/*              the same
        revoked.ed25519, revoked.ed25519.d/*
        trusted.spki, …                  PEM
    /usr/share/ostree/trusted.gpg.d/*.gpg    OpenPGP keyrings

A verifier returns libostree's sentence that says who vouched, or raises a ``SignatureError``; there
is no third way. Everything that comes from elsewhere, keys and signatures alike, has an upper
size. This room writes nothing but temporary directories for ``gpg``, which are gone afterwards.
"""
