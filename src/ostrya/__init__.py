# SPDX-License-Identifier: Apache-2.0
"""Ostrya: file-system trees as content-addressed commits, moved, deployed and booted safely."""

__version__ = "0.1.0"
