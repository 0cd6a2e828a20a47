# SPDX-License-Identifier: Apache-2.0
"""Files that are copied out of images, and into them.

::

    copy_out       from a view into directories here
    copy_in        from here into an image: raw ones only
    fat_editor     a FAT is changed in place, by ourselves
    ext4_editor    an ext4 by debugfs, as one script

What is copied in replaces what has its name: a file that had several names keeps the others as they
are, so that a file of a deployment can be changed and the object that it was stays what it is.
"""
