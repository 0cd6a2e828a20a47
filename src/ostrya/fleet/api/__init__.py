# SPDX-License-Identifier: Apache-2.0
"""Requests and answers: each module parses, asks the domain, and writes down what it says.

::

    messages    a request as it is read, and answers
    gateway     the door for devices
    downloads   files that are large, in pieces
    routes      what the door for tools has, and its description as OpenAPI
    tools       commits and metadata that tools push
    devices, updates, log   what an owner asks and does
"""
