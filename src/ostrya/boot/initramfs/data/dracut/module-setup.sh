#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# dracut's module 98ostrya: the root of an OSTree deployment, put together by our ostree-prepare-root.

check() {
    [ -x "${dracutsysrootdir:-}/usr/lib/ostree/ostree-prepare-root" ]
}

depends() {
    # A service does it, as soon as the disk is mounted.
    echo systemd-initrd
}

installkernel() {
    instmods overlay erofs loop
}

install() {
    inst_multiple mount umount mkdir stat chmod modprobe sync sleep reboot
    inst_script "/usr/lib/ostree/ostree-prepare-root" "/usr/lib/ostree/ostree-prepare-root"
    inst_multiple -o /usr/lib/ostree/prepare-root.conf /etc/ostree/prepare-root.conf
    inst_simple "${moddir}/ostrya-prepare-root.service" \
        "${systemdsystemunitdir}/ostrya-prepare-root.service"
    mkdir -p "${initdir}${systemdsystemunitdir}/initrd-root-fs.target.requires"
    ln -sf ../ostrya-prepare-root.service \
        "${initdir}${systemdsystemunitdir}/initrd-root-fs.target.requires/ostrya-prepare-root.service"
}
