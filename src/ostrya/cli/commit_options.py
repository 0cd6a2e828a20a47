# SPDX-License-Identifier: Apache-2.0
"""The options of ``commit``."""

from __future__ import annotations

from ostrya.cli.options import FSYNC, flag, number, text, texts
from ostrya.cli.signing import sign_options

OPTIONS = (
    text("parent", "COMMIT", 'Checksum of the parent commit, or "none"'),
    text("subject", "SUBJECT", "The message's first line", short="s"),
    text("body", "BODY", "The rest of the message", short="m"),
    text("body-file", "FILE", "Read the rest of the message from FILE", short="F"),
    flag("editor", "Write the message in an editor", short="e"),
    text("branch", "BRANCH", "The ref that shall point to the commit", short="b"),
    flag("orphan", "Let no ref point to the commit"),
    flag("no-bindings", "Do not bind the commit to its ref"),
    texts("bind-ref", "BRANCH", "Bind the commit to this ref as well"),
    text("base", "REV", "Begin with the tree of this commit, taken as it is"),
    texts("tree", "dir=PATH or tar=TARFILE or ref=COMMIT", "Put this over what is there so far"),
    texts("add-metadata-string", "KEY=VALUE", "Add text to the metadata"),
    texts("add-metadata", "KEY=VALUE", "Add a value in GVariant's text form to the metadata"),
    texts("keep-metadata", "KEY", "Take KEY over from the parent's metadata"),
    texts("add-detached-metadata-string", "KEY=VALUE", "Add text to the detached metadata"),
    number("owner-uid", "UID", "All files belong to this user"),
    number("owner-gid", "GID", "All files belong to this group"),
    flag("canonical-permissions", "Reduce owners and modes to what bare-user-only can hold"),
    flag("bootable", "Say in the metadata that the tree has a kernel, and which"),
    flag("mode-ro-executables", "Take write permission off executables"),
    flag("no-xattrs", "Leave out extended attributes"),
    text("selinux-policy", "PATH", "Label files after the policy in the root file system PATH"),
    flag("selinux-policy-from-base", "Label files after the policy in the first tree", short="P"),
    number("selinux-labeling-epoch", "EPOCH", "Rules of labelling; 1 treats /usr/etc as /etc"),
    flag("link-checkout-speedup", "Recognize files that are hard links to objects"),
    flag("devino-canonical", "As --link-checkout-speedup; such files are unchanged", short="I"),
    flag("tar-autocreate-parents", "Make directories that an archive leaves out"),
    text("tar-pathname-filter", "REGEX,REPLACEMENT", "Rename what comes out of archives"),
    flag("skip-if-unchanged", "Do nothing if the tree is that of the parent"),
    text("statoverride", "PATH", "File with modes to add or set"),
    text("skip-list", "PATH", "File with paths to leave out"),
    flag("consume", "Delete local directories once they are committed"),
    flag("table-output", "Print counts besides the checksum, as KEY: VALUE"),
    flag("generate-sizes", "Put the sizes of all objects into the metadata"),
    flag("generate-composefs-metadata", "Put the digest of the composefs image into the metadata"),
    flag("disable-fsync", "Do not wait for the disk", hidden=True),
    FSYNC,
    text("timestamp", "TIMESTAMP", "The time of the commit; by default now"),
    *sign_options("the commit"),
    texts("sign-from-file", "PATH", "Sign the commit with the secret key in this file"),
)
