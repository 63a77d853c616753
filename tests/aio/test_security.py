"""The security profiles: credentials, certificates made on the fly, and what connects with them and what does not."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ocppcore import Codec, Router, v16, v201
from ocppcore.aio import Admission, ConnectFailed, Handshake, Server, connect
from ocppcore.aio.security import (
    basic_header,
    basic_password,
    by_certificate,
    by_password,
    client_context,
    names_of,
    password_matches,
    server_context,
    subject_of,
)
from support.needs import need_module
from support.skins import CLIENTS, SERVERS, listening, opener
from support.wires import run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"


# HTTP Basic


def test_the_standard_s_example() -> None:
    # OCPP-J 1.6 §6.2.2
    header = basic_header("AL1000", bytes.fromhex(KEY))
    assert header == "Basic QUwxMDAwOgABAgMEBQYH////////////////"
    assert basic_password(header, "AL1000") == bytes.fromhex(KEY)


@pytest.mark.parametrize("password", ["simple", "with:colon", "", "é€😀", b"\x00\xff:\n", "x" * 64])
@pytest.mark.parametrize("identity", ["CP001", "RDAM|123", "with:colon", "é"])
def test_what_is_written_is_read(identity: str, password: str | bytes) -> None:
    data = password.encode() if isinstance(password, str) else password
    assert basic_password(basic_header(identity, password), identity) == data


def test_an_identity_with_a_colon_is_told_from_its_password() -> None:
    header = basic_header("a:b", "c")
    assert basic_password(header, "a:b") == b"c"
    assert basic_password(header, "a") == b"b:c"  # as far as the header goes; the URL says which one it is


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Basic", "Basic ", "Basic !!!", "Basic QUwxMDAw=", "Bearer QUwxMDAwOgABAgMEBQYH", "QUwxMDAwOgAB",
        "Basic " + base64.b64encode(b"AL1000").decode(), "Basic " + base64.b64encode(b"al1000:x").decode(),
        "Basic " + base64.b64encode(b"AL10001:x").decode(), "Basic \xff\xfe", "Basic QUwxMDAwOgAB QUwxMDAwOgAB",
    ],
)  # fmt: skip
def test_what_is_no_proof_of_the_identity_gives_nothing(header: str | None) -> None:
    assert basic_password(header, "AL1000") is None


def test_the_scheme_may_be_written_in_any_case() -> None:
    assert basic_password(basic_header("a", "b").replace("Basic", "bASIC"), "a") == b"b"


@pytest.mark.parametrize(
    ("given", "expected", "version", "matches"),
    [
        (b"secret", "secret", "2.0.1", True),
        (b"secret", b"secret", "2.1", True),
        (b"Secret", "secret", "2.0.1", False),
        ("pässword".encode(), "pässword", "2.0.1", True),
        (b"", "", "2.1", True),
        (b"", "secret", "2.1", False),
        # 1.6: the bytes, or their digits in either case
        (bytes.fromhex(KEY), KEY, "1.6", True),
        (KEY.encode(), KEY, "1.6", True),
        (KEY.lower().encode(), KEY, "1.6", True),
        (KEY.encode(), KEY.lower(), "1.6", True),
        (KEY.encode(), bytes.fromhex(KEY), "1.6", True),
        (KEY.lower().encode(), bytes.fromhex(KEY), "1.6", True),
        (bytes.fromhex(KEY), bytes.fromhex(KEY), "1.6", True),
        (b"sixteen letters!", "sixteen letters!", "1.6", True),
        (bytes.fromhex("00" * 15), "00" * 15, "1.6", False),  # too short to be a key: taken as it is
        # 2.x: a string is a string
        (bytes.fromhex(KEY), KEY, "2.0.1", False),
        (KEY.lower().encode(), KEY, "2.0.1", False),
        (KEY.encode(), bytes.fromhex(KEY), "2.1", False),
    ],
)
def test_passwords_are_compared_by_each_version_s_rules(
    given: bytes, expected: str | bytes, version: str, matches: bool
) -> None:
    assert password_matches(given, expected, version) is matches


PASSWORDS: dict[str, str] = {"CP001": "the password of CP001", "CP002": KEY}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server_skin", SERVERS)
def test_profile_1(server_skin: str, client: str) -> None:
    async def main() -> None:
        server = Server(beating(), authenticate=by_password(PASSWORDS.get))
        open_websocket = opener(client)
        async with listening(server_skin, server) as url:
            for identity, password, version in (
                ("CP001", "the password of CP001", "ocpp2.0.1"),
                ("CP002", bytes.fromhex(KEY), "ocpp1.6"),
            ):
                async with connect(
                    url, identity, Router(), versions=[version], password=password, open_websocket=open_websocket
                ):
                    await asyncio.sleep(0)
            for identity, password in (("CP001", "wrong"), ("CP003", "the password of CP001"), ("CP001", None)):
                with pytest.raises(ConnectFailed) as raised:
                    async with connect(url, identity, Router(), password=password, open_websocket=open_websocket):
                        pytest.fail("connected")
                assert raised.value.status == 401

    run(main())


def test_a_lookup_may_wait_and_picows_says_that_it_cannot(caplog: pytest.LogCaptureFixture) -> None:
    async def lookup(identity: str) -> str | None:
        await asyncio.sleep(0)
        return PASSWORDS.get(identity)

    async def main() -> None:
        server = Server(beating(), authenticate=by_password(lookup))
        async with (
            listening("websockets", server) as url,
            connect(url, "CP001", Router(), password=PASSWORDS["CP001"]) as endpoint,
        ):
            assert not endpoint.closed
        async with listening("picows", server) as url:
            with pytest.raises(ConnectFailed) as raised:
                async with connect(url, "CP001", Router(), password=PASSWORDS["CP001"]):
                    pytest.fail("connected")
            assert raised.value.status == 500
        assert "cannot; make it sync" in caplog.text

    need_module("picows", "picows")
    run(main())


# TLS


class Certificates:
    """An authority for servers and one for stations, and the files of what they have signed."""

    def __init__(self, folder: Path) -> None:
        import trustme

        self.folder = folder
        self.servers = trustme.CA(organization_name="servers")
        self.stations = trustme.CA(organization_name="stations")
        self.strangers = trustme.CA(organization_name="strangers")
        self.ca = self.file("servers.pem", self.servers.cert_pem.bytes())
        self.stations_ca = self.file("stations.pem", self.stations.cert_pem.bytes())
        self.server = self.leaf("server", self.servers, "localhost")
        self.station = self.leaf(
            "CP001", self.stations, "stations.example", common_name="CP001", organization_name="CSO"
        )
        self.stranger = self.leaf("stranger", self.strangers, "stations.example", common_name="CP001")

    def leaf(self, name: str, authority: Any, *identities: str, **subject: Any) -> Path:
        issued = authority.issue_cert(*identities, **subject)
        return self.file(f"{name}-key.pem", issued.private_key_and_cert_chain_pem.bytes())

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    need_module("trustme", "trustme")
    return Certificates(tmp_path_factory.mktemp("certificates"))


def beating() -> Router:
    router = Router()

    @router.on
    def beat16(request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
        return v16.HeartbeatResponse(current_time=NOW)

    @router.on
    def beat(request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        return v201.HeartbeatResponse(current_time=NOW)

    return router


def test_the_context_holds_to_the_standard(certificates: Certificates) -> None:
    context = server_context(certificates.server)
    names = [suite["name"] for suite in context.get_ciphers()]
    assert {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384",
    } <= set(names)  # fmt: skip
    assert all("GCM" in name or name.startswith("TLS_") for name in names)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.verify_mode == ssl.CERT_NONE
    assert server_context(certificates.server, client_ca=certificates.ca).verify_mode == ssl.CERT_REQUIRED
    station = client_context(certificates.ca)
    assert station.check_hostname
    assert station.verify_mode == ssl.CERT_REQUIRED
    assert client_context().verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server_skin", CLIENTS)
def test_profile_2(server_skin: str, client: str, certificates: Certificates) -> None:
    async def main() -> None:
        server = Server(beating(), authenticate=by_password(PASSWORDS.get))
        tls = client_context(certificates.ca)
        async with (
            listening(server_skin, server, server_context(certificates.server)) as url,
            connect(
                url,
                "CP001",
                Router(),
                versions=["ocpp2.0.1"],
                password=PASSWORDS["CP001"],
                ssl=tls,
                open_websocket=opener(client),
            ) as endpoint,
        ):
            assert url.startswith("wss:")
            assert (await endpoint.call(v201.HeartbeatRequest())).current_time == NOW

    run(main())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_station_connects_to_no_server_that_it_does_not_trust(client: str, certificates: Certificates) -> None:
    async def main() -> None:
        async with listening("websockets", Server(beating()), server_context(certificates.server)) as url:
            tls = client_context(certificates.stations_ca)
            for address, context in (
                (url, tls),
                (url.replace("localhost", "127.0.0.1"), client_context(certificates.ca)),
            ):
                with pytest.raises(OSError, match=r"(?i)certificate|hostname|mismatch|IP address"):
                    async with connect(address, "CP001", Router(), ssl=context, open_websocket=opener(client)):
                        pytest.fail("connected")

    run(main())


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> str | None:
    """Lets two contexts talk without a network; the version of TLS that they agree on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends[0].version()


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_tls_is_1_2_or_above(version: str, certificates: Certificates) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(certificates.ca)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion[version]
    server = server_context(certificates.server)
    if version in ("TLSv1_2", "TLSv1_3"):
        assert shake_hands(server, client) == version.replace("_", ".")
    else:
        with pytest.raises(ssl.SSLError, match=r"(?i)unsupported.protocol|no.protocols"):
            shake_hands(server, client)


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"])
def test_a_station_with_one_suite_of_the_standard_connects(suite: str, certificates: Certificates) -> None:
    import trustme

    kind = trustme.KeyType.ECDSA if "ECDSA" in suite else trustme.KeyType.RSA
    certificate = certificates.leaf(kind.name, certificates.servers, "localhost", key_type=kind)

    async def main() -> None:
        async with listening("websockets", Server(beating()), server_context(certificate)) as url:
            tls = client_context(certificates.ca)
            tls.maximum_version = ssl.TLSVersion.TLSv1_2
            tls.set_ciphers(suite)
            async with connect(url, "CP001", Router(), versions=["ocpp2.0.1"], ssl=tls) as endpoint:
                assert (await endpoint.call(v201.HeartbeatRequest())).current_time == NOW

    run(main())


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server_skin", ["websockets", "aiohttp"])
def test_profile_3(server_skin: str, client: str, certificates: Certificates) -> None:
    async def main() -> None:
        server = Server(beating(), authenticate=by_certificate(organization="CSO"))
        tls = server_context(certificates.server, client_ca=certificates.stations_ca)
        station = client_context(certificates.ca, certificate=certificates.station)
        open_websocket = opener(client)
        async with listening(server_skin, server, tls) as url:
            async with connect(
                url, "CP001", Router(), versions=["ocpp2.0.1"], ssl=station, open_websocket=open_websocket
            ) as endpoint:
                assert (await endpoint.call(v201.HeartbeatRequest())).current_time == NOW
            with pytest.raises(ConnectFailed) as raised:  # a certificate that is another station's
                async with connect(url, "CP002", Router(), ssl=station, open_websocket=open_websocket):
                    pytest.fail("connected")
            assert raised.value.status == 401
            for context in (
                client_context(certificates.ca),
                client_context(certificates.ca, certificate=certificates.stranger),
            ):
                with pytest.raises(
                    OSError,
                    match=r"(?i)certificate|ssl|tls|connect|closed|reset|disconnect|eof|no valid|not receive a valid",
                ):
                    async with connect(url, "CP001", Router(), ssl=context, open_websocket=open_websocket):
                        pytest.fail("connected")

    run(main())


def test_picows_says_that_it_is_not_for_profile_3(certificates: Certificates) -> None:
    async def main() -> None:
        tls = server_context(certificates.server, client_ca=certificates.stations_ca)
        with pytest.raises(ValueError, match="profile 3"):
            async with listening("picows", Server(beating()), tls):
                pytest.fail("listens")

    need_module("picows", "picows")
    run(main())


CERTIFICATE = {
    "subject": ((("organizationName", "CSO"),), (("commonName", "SN-1"),)),
    "subjectAltName": (("DNS", "SN-2"), ("IP Address", "10.0.0.1")),
}


@pytest.mark.parametrize(
    ("certificate", "identity", "organization", "genuine"),
    [
        (CERTIFICATE, "SN-1", None, True),
        (CERTIFICATE, "SN-2", None, True),
        (CERTIFICATE, "SN-1", "CSO", True),
        (CERTIFICATE, "SN-1", "Other", False),
        (CERTIFICATE, "SN-3", None, False),
        (CERTIFICATE, "10.0.0.1", None, False),
        ({}, "SN-1", None, False),
        (None, "SN-1", None, False),
    ],
)
def test_a_certificate_names_its_station(
    certificate: Any, identity: str, organization: str | None, genuine: bool
) -> None:
    admission = Admission(identity, Codec("ocpp2.0.1"), "ocpp2.0.1")
    handshake = Handshake("/", certificate=certificate)
    assert by_certificate(organization=organization)(admission, handshake) is genuine
    by_serial = by_certificate({"CP001": "SN-1"}.__getitem__)
    assert by_serial(Admission("CP001", Codec("ocpp2.0.1"), None), handshake) is bool(certificate)


def test_what_a_certificate_says() -> None:
    assert names_of(CERTIFICATE) == ("SN-1", "SN-2")
    assert subject_of(CERTIFICATE, "organizationName") == ("CSO",)
    assert subject_of({}, "commonName") == ()
