# SPDX-License-Identifier: Apache-2.0
"""A recipe: one TOML file that says what an image is to be. Pure: files are read by the caller.

::

    text of files
      │ located      parsed values, each with its file and line
      │ merge        includes first, the file over them, then the chosen profiles
      ▼
    one tree of values
      │ keys         every section and key: what it takes, its default, what it means
      │ check        all that is wrong with it, each with file and line
      ▼ read
    values.Recipe

``reference`` writes the page of the documentation from ``keys``, ``example`` a recipe to begin
with, ``local_conf`` reads meta-updater's variables, ``wks`` Yocto's partition files.
"""
