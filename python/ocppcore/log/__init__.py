"""Logs of OCPP traffic: where frames lie in a text, in which version, and what each of them says.

`sources` opens and unpacks, `layouts` finds the frames, `conversation` types answers by the calls before them, `traffic` puts the three together.
"""
