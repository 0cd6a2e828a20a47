# SPDX-License-Identifier: Apache-2.0
"""What is done to a root file system on its way to a release, step by step.

::

    merge_usr      /bin, /sbin, /lib* into /usr
    links          links that lead where they did, though they are moved
    state          what is the machine's that made the tree: identities, keys, caches
    places         /etc, links to /var, directories that are empty, fstab, units
    databases      which packages there are: kept with the release, and listed
    kernel         one kernel to /usr/lib/modules/KVER
    device_trees   and its device trees; what boards need of /boot
    module_index   modules.dep, if nobody made it
    module_info    what a kernel module says of itself                          pure
    var            policies for what is in /var
    fragment       what a device has to make in /var at every start             pure
    python         compiled Python that stays valid

Each takes a tree and a report; what it decides it tells, what is in the way as well.
"""
