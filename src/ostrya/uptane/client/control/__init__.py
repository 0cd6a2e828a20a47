# SPDX-License-Identifier: Apache-2.0
"""How programs on the device speak to the running client: a socket of Unix's, and lines of JSON.

::

    protocol    requests and answers as lines; no I/O
    board       what is being done and asked for, between the client's thread and the socket's
    socket_server  the socket: who may speak, how much, and how fast
    client      the other end, for people and scripts

The protocol is described in docs/reference/ota-control.md.
"""
