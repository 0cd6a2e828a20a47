# SPDX-License-Identifier: Apache-2.0
"""Verbs about images of a server."""
