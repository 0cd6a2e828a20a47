# SPDX-License-Identifier: Apache-2.0
"""What Linux offers and the standard library does not: system calls, and no meaning.

Nothing here knows what an object, a ref or a deployment is. Everything that is written works
relative to a directory descriptor and never follows a link on the last step of a path.
"""
