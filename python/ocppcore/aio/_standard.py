"""What the standard says of a connection, as data. It is in no schema, so it stands here and nowhere else, with its sections.

Sources: OCPP-J 1.6 §3 and its errata; "Improved security for OCPP 1.6-J", edition 3, ch. 3; OCPP 2.0.1 and 2.1 Part 4 §3, Part 2
§2.1.1 and A00.
"""

from __future__ import annotations

import string

LONGEST_IDENTITY = {"1.6": 255, "2.0.1": 48, "2.1": 48}
"""Characters of an identity: 48 in 2.x (Part 4 §3.1.1). 1.6 names no limit; 255 is ours, so that there is one."""

IDENTITY_CHARACTERS = frozenset(string.ascii_letters + string.digits + "*-_=+|@.")
"""The characters of an identity in 2.x: an identifierString (Part 2 §2.1.1) without the colon. 1.6 allows what can be written in a URL."""

TLS_1_2_CIPHERS = (
    # (the standard's name, OpenSSL's)
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
)
"""The suites that a CSMS must support, a station the first or the second pair (security paper ch. 3, 2.x Part 2 A00)."""

MORE_TLS_1_2_CIPHERS = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384")
"""Ours: the standard asks for the others "at least", and these add forward secrecy for RSA certificates."""

HEX_KEY_LENGTHS = range(32, 41)
"""The length of a 1.6 AuthorizationKey written in hexadecimal digits: 16 to 20 bytes (security paper ch. 3)."""
