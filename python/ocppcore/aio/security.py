"""The security profiles of OCPP: HTTP Basic authentication (1 and 2), TLS (2 and 3) and client certificates (3).

    Server(router, authenticate=by_password(passwords.get))                       profile 1
    serve(server, ..., ssl=server_context("csms.pem", "csms.key"))                profile 2, with the same authenticate
    Server(router, authenticate=by_certificate())                                 profile 3
    serve(server, ..., ssl=server_context("csms.pem", "csms.key", client_ca="stations-ca.pem"))

A server speaks one profile at a time: a station that comes with less is refused (OCPP 2.x Part 2 A00).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import inspect
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._standard import HEX_KEY_LENGTHS, MORE_TLS_1_2_CIPHERS, TLS_1_2_CIPHERS

if TYPE_CHECKING:
    from ._server import Admission, Authenticate, Handshake

Path = str | os.PathLike[str]
Password = str | bytes
Lookup = Callable[[str], "Password | Awaitable[Password | None] | None"]
"""Identity -> its password, None for one that is not known. It may be async, where the library can wait for it (all but picows)."""


# HTTP Basic


def basic_header(identity: str, password: Password) -> str:
    """The Authorization header of a station (OCPP-J 1.6 §6.2.2, security paper ch. 3, 2.x Part 2 A00).

    A `str` is sent as UTF-8, as 2.x wants it. 1.6 wants the bytes that its AuthorizationKey writes in hexadecimal digits: `bytes.fromhex(key)`.
    """
    data = identity.encode() + b":" + (password.encode() if isinstance(password, str) else password)
    return "Basic " + base64.b64encode(data).decode("ascii")


def basic_password(header: str | None, identity: str) -> bytes | None:
    """The password in an Authorization header, if its user is `identity`; None for another user, another scheme, or a broken one.

    The identity is what is looked for first, so that one with a colon in it is told from its password.
    """
    scheme, _, credentials = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        data = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    user = identity.encode() + b":"
    return data[len(user) :] if data.startswith(user) else None


def password_matches(given: bytes, expected: Password, version: str) -> bool:
    """Whether the password that was given is the one that is expected; how long it takes tells nothing about it.

    In 1.6 a `str` of 32 to 40 hexadecimal digits stands for the bytes that they write; many stations send the digits themselves, in
    either case, and that is taken too.
    """
    accepted = [expected.encode() if isinstance(expected, str) else expected]
    if version == "1.6":
        if isinstance(expected, bytes):
            digits = expected.hex()
        elif len(expected) in HEX_KEY_LENGTHS and _is_hex(expected):
            digits = expected
            accepted.append(bytes.fromhex(expected))
        else:
            digits = ""
        if digits:
            accepted += [digits.lower().encode(), digits.upper().encode()]
    same = False
    for one in accepted:  # all of them, in any case
        same |= hmac.compare_digest(given, one)
    return same


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return not any(map(str.isspace, text))


def by_password(lookup: Lookup) -> Authenticate:
    """Lets those connect whose Basic credentials hold their identity and password: profiles 1 and 2. For a Server's `authenticate`."""

    async def authenticate(admission: Admission, handshake: Handshake) -> bool:
        expected = lookup(admission.identity)
        if inspect.isawaitable(expected):
            expected = await expected
        given = basic_password(handshake.authorization, admission.identity)
        if given is None or expected is None:
            return False
        return password_matches(given, expected, admission.codec.version)

    return authenticate


# Client certificates


def by_certificate(
    serial_of: Callable[[str], str] = lambda identity: identity, *, organization: str | None = None
) -> Authenticate:
    """Lets those connect whose certificate is theirs: profile 3. For a Server's `authenticate`.

    A station's certificate names its serial number as common name (security paper ch. 3, 2.x Part 2 A00); `serial_of` gives the
    serial number of an identity where the two differ. `organization` is the CSO's name, which the certificate holds as its organization.
    TLS has checked before that the certificate is valid and by whom it was signed.
    """

    def authenticate(admission: Admission, handshake: Handshake) -> bool:
        certificate = handshake.certificate
        if not certificate:
            return False
        if organization is not None and organization not in subject_of(certificate, "organizationName"):
            return False
        return serial_of(admission.identity) in names_of(certificate)

    return authenticate


def subject_of(certificate: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """The values of one field of a certificate's subject, "commonName" say; `certificate` is as `getpeercert()` gives it."""
    return tuple(value for part in certificate.get("subject", ()) for name, value in part if name == field)


def names_of(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """What a certificate says its owner is called: the common name, and the DNS names among the alternative names."""
    others = tuple(value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")
    return subject_of(certificate, "commonName") + others


# TLS


def server_context(
    certificate: Path, key: Path | None = None, *, client_ca: Path | None = None, key_password: Password | None = None
) -> ssl.SSLContext:
    """TLS for a CSMS: 1.2 or above, with the cipher suites that the standard names (profile 2), no compression.

    `certificate` is a PEM file with the chain, `key` its private key unless that is in the same file. With `client_ca`, a PEM file of the
    authorities that sign stations' certificates, a station must show one (profile 3).
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, key_password)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    ca: Path | None = None,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    key_password: Password | None = None,
) -> ssl.SSLContext:
    """TLS for a station: as for the CSMS, and the server's certificate and host name are checked.

    `ca` is a PEM file of the authorities to trust, the system's unless given. With `certificate` (and `key`) the station shows its own (profile 3).
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(ca)
    if certificate is not None:
        context.load_cert_chain(certificate, key, key_password)
    return context


def _context(protocol: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Those of TLS 1.3 are not chosen here. Forward secrecy first: the order is our preference.
    named = [name for _, name in TLS_1_2_CIPHERS]
    context.set_ciphers(":".join([*named[:2], *MORE_TLS_1_2_CIPHERS, *named[2:]]))
    context.options |= ssl.OP_NO_COMPRESSION
    return context
