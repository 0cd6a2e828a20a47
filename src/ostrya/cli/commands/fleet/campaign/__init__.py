# SPDX-License-Identifier: Apache-2.0
"""Updates for many devices."""
