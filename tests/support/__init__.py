# SPDX-License-Identifier: Apache-2.0
"""Builders and gauges that tests share."""
