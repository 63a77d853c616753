"""Makes everything that `schemas/*.toml` determine: the compact models and the Python modules of each version.

    python -m tools.codegen            write what differs, delete strangers in generated folders
    python -m tools.codegen --check    write nothing; name what differs, exit code 1
"""
