# SPDX-License-Identifier: Apache-2.0
"""This machine's deployments: commits as directories that a boot loader can start.

::

    paths       where everything below a sysroot is                  (pure)
    deployment  one deployment, and what is known about it            (pure)
    origin      where a deployment came from, and what it follows     (pure)
    etc_plan    what becomes of each changed file of ``/etc``         (pure)
    etc_merge   the same, done
"""
