# SPDX-License-Identifier: Apache-2.0
"""Verbs about secrets of tools."""
