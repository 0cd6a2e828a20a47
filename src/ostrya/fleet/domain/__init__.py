# SPDX-License-Identifier: Apache-2.0
"""What is allowed on a server, and what follows from it; without HTTP.

Each function takes the open `Fleet`, or a connection where it is a part of a change. What it
refuses ends in a `Refusal`, and leaves everything as it was.
"""
