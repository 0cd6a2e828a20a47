# SPDX-License-Identifier: Apache-2.0
"""Verbs about devices of a server."""
