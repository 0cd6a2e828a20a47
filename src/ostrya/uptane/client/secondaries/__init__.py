# SPDX-License-Identifier: Apache-2.0
"""The other ECUs of a vehicle, as their Primary sees them.

::

    secondary    the protocol: what a Primary asks of an ECU
    bundle       the metadata that it hands on
"""
