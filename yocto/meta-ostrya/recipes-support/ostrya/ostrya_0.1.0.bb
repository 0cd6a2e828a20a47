# SPDX-License-Identifier: Apache-2.0
SUMMARY = "OSTree repositories, deployments and images in Python"
DESCRIPTION = "Commits whole file systems, deploys and boots them atomically, and builds disks of them."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSES/Apache-2.0.txt;md5=3b83ef96387f14655fc854ddc3c6bd57"

inherit python_hatchling externalsrc

EXTERNALSRC = "${OSTRYA_SOURCE}"
EXTERNALSRC_BUILD = "${WORKDIR}/build"

# What a device needs; Ostrya's compiled helpers are not among it, and their work is done by these.
RDEPENDS:${PN}:class-target = " \
    python3-core python3-compression python3-crypt python3-ctypes python3-datetime python3-io \
    python3-json python3-logging python3-mmap python3-multiprocessing python3-netclient \
    python3-numbers python3-resource python3-shell python3-sqlite3 python3-threading \
    python3-tomllib python3-xml \
    python3-pycurl python3-cryptography \
    e2fsprogs-e2fsck kmod util-linux-mount \
"
RDEPENDS:${PN}:class-native = "python3-pycurl-native python3-cryptography-native"

do_install:append:class-target () {
    install -d ${D}${bindir}
    # Scripts and services of others call it by this name.
    ln -sf ostrya ${D}${bindir}/ostree
}

RPROVIDES:${PN} = "ostree-cli"
RCONFLICTS:${PN} = "ostree"
BBCLASSEXTEND = "native nativesdk"
