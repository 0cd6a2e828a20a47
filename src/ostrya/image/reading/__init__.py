# SPDX-License-Identifier: Apache-2.0
"""Images as they are read: whoever made them, nothing in them is trusted, nothing is mounted.

::

    sources        bytes of a raw, a qcow2 or a compressed image, by their place on the disk
    qcow2          where bytes lie in a qcow2
    partitions     GPT and MBR
    fat, ext4      files of a file system, each read by its own module
    ext4_layout    numbers of an ext4: where inodes and bitmaps lie
    files          what all file systems have in common; paths, with links that lead nowhere else
    disk           an image as a whole: its partitions, and what is in them
    system         deployments of an image, and its files as its system will see them
    packages       which packages a tree has
    report         what there is to say of an image
    trees, compare what differs between two images or releases

Sizes are bounded before something is read; what is damaged is a `DiskError` that says what.
"""
