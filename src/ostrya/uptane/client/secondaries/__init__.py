# SPDX-License-Identifier: Apache-2.0
"""The other ECUs of a vehicle, as their Primary sees them; and an ECU by itself.

::

    secondary         the protocol: what a Primary asks of an ECU
    bundle            the metadata that it hands on
    ecu, ecu_checks   an ECU: verifies, keeps, installs, reports
    firmware          where an ECU puts an image
    virtual           an ECU in the Primary's own process
    asn1, messages    what goes over the wire, of aktualizr's kind; no I/O
    link              messages over TCP, by TLS between our own ends
    zip_credentials   what an ECU is lent to pull a commit by itself
    ip                an ECU at the other end of a link
    waiting           where a Primary waits for ECUs that come up later
    daemon            that other end
"""
