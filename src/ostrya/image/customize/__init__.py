# SPDX-License-Identifier: Apache-2.0
"""What a recipe changes in a tree, once that is one that can be deployed.

::

    customize      everything, in its order
    places         paths as the device has them, in the tree that is being made
    overlays       directories and single files of the machine that builds
    accounts       passwd, group, shadow (pure)
    users          accounts with their homes and keys
    system         host name, time zone, locale, keymap
    services       units of systemd, enabled as `systemctl` does it
    network        files for networkd or NetworkManager (pure), network_setup puts them in
    updates        keys that the device trusts, and when it looks for updates
    device_trees   device trees and their overlays
    splash         a picture while it starts

It needs the converted tree and the recipe only, so the same gives the same.
"""
