"""Reads JSON Schemas of OCPP and prints where they say something else than the model.

`python -m tools.import_schemas v201 SOURCE`, where SOURCE is a folder, a zip file or an installed Python package. Exit code 1 when
there is a difference, 2 when the source cannot be read.
"""
