# SPDX-License-Identifier: Apache-2.0
"""How content objects lie on the disk: one module per repository mode, one protocol for all.

``make_store`` in ``ostrya.repo.stores.registry`` picks the store. Metadata objects (commit,
dirtree, dirmeta …) lie the same way in every mode and need no store.
"""
