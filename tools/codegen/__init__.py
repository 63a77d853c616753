"""Makes everything that `schemas/*.toml` determine: the compact models and the Python modules of each version.

`python -m tools.codegen` writes what differs and deletes strangers in the generated folders; with `--check` it writes nothing,
names what differs and exits with 1.
"""
