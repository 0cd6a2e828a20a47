# SPDX-License-Identifier: Apache-2.0
"""Images as they are read: whoever made them, nothing in them is trusted, nothing is mounted.

::

    sources        bytes of a raw or a compressed image, by their place on the disk; qcow2, too
    partitions     GPT and MBR
    files          what all file systems have in common; paths, with links that lead nowhere else
    fat…, ext4…    files of a file system, and where things lie in it
    disk           an image as a whole: its partitions, and what is in them
    usage          which bytes of it matter when it is flashed
    system         deployments of an image, and its files as its system will see them
    addresses      places in images, as people write them
    packages       which packages a tree has, and by which licences
    report         what there is to say of an image
    compare        what differs between two releases; objects and releases say where they are

Sizes are bounded before something is read; what is damaged is a `DiskError` that says what.
"""
