# SPDX-License-Identifier: Apache-2.0
"""Root file systems taken in, whatever they come as; nothing is unpacked.

::

    plain           a directory, or an archive
    apt_sources     where this machine's apt gets packages from                       pure
    debian          mmdebstrap writes a tar, which is read as it is written
    oci_documents   index, manifest and configuration of a container image            pure
    oci_choice      which of several images is meant                                  pure
    blobs           the parts of a container image, in a directory or in a tar
    containers      an image of either kind becomes a stack of layers
    layers          layers into one tree, whiteouts and all
    commits         a commit of another repository

What comes from outside is bounded before it is read, and checked by its digests.
"""
