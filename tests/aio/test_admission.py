"""Who may connect, in which version, and what becomes of the connection before: a Server without a network."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from ocppcore import Codec, Router, Session, v201
from ocppcore.aio import Admission, CallClosed, CallTimedOut, Handshake, Refusal, Server, identity_of, url_of
from support.wires import Wire, rounds, run


def admit(server: Server, path: str = "/ocpp/CP001", *offered: str, **more: Any) -> Admission:
    return asyncio.run(server.admit(Handshake(path, offered, **more)))


def refusal(server: Server, path: str = "/ocpp/CP001", *offered: str, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as raised:
        admit(server, path, *offered, **more)
    return raised.value


# The version


@pytest.mark.parametrize(
    ("versions", "offered", "agreed"),
    [
        (None, ("ocpp1.6",), "ocpp1.6"),
        (None, ("ocpp1.6", "ocpp2.0.1"), "ocpp2.0.1"),
        (None, ("ocpp2.0.1", "ocpp2.1", "ocpp1.6"), "ocpp2.1"),
        (None, ("ocpp2.0", "ocpp2.0.1"), "ocpp2.0.1"),
        (None, ("soap", "ocpp1.6"), "ocpp1.6"),
        (("ocpp1.6", "ocpp2.0.1"), ("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), "ocpp1.6"),
        (("ocpp2.0.1",), ("ocpp2.1", "ocpp2.0.1"), "ocpp2.0.1"),
    ],
)
def test_the_server_s_order_decides_among_what_is_common(
    versions: tuple[str, ...] | None, offered: tuple[str, ...], agreed: str
) -> None:
    server = Server(Router()) if versions is None else Server(Router(), versions=versions)
    admission = admit(server, "/ocpp/CP001", *offered)
    assert admission.agreed == agreed
    assert admission.codec.subprotocol == agreed
    assert admission.identity == "CP001"


@pytest.mark.parametrize("offered", [(), ("ocpp2.1",), ("OCPP1.6",), ("ocpp0.1",)])
def test_without_a_common_version_nobody_connects(offered: tuple[str, ...]) -> None:
    server = Server(Router(), versions=["ocpp1.6", "ocpp2.0.1"])
    refused = refusal(server, "/CP001", *offered)
    assert refused.status == 400
    assert "ocpp1.6, ocpp2.0.1" in refused.reason


@pytest.mark.parametrize(
    ("name", "advice"),
    [("ocpp2.0", "superseded by 2.0.1"), ("ocpp1.5", "SOAP"), ("ocpp1.2", "SOAP"), ("OCPP2.1", "did you mean")],
)
def test_older_names_are_refused_with_advice(name: str, advice: str, caplog: pytest.LogCaptureFixture) -> None:
    assert refusal(Server(Router()), "/CP001", name).status == 400
    assert advice in caplog.text


def test_a_default_is_taken_for_those_who_offer_nothing_only() -> None:
    server = Server(Router(), default="ocpp1.6")
    admission = admit(server)
    assert admission.agreed is None
    assert admission.codec.version == "1.6"
    assert refusal(server, "/CP001", "ocpp2.0").status == 400


def test_the_standard_s_way_without_a_common_version_is_to_open_and_close() -> None:
    async def main() -> None:
        server = Server(Router(), no_common="close")
        admission = await server.admit(Handshake("/CP001", ("ocpp2.0",)))
        assert not admission.welcome
        assert admission.agreed is None
        wire = Wire()
        await server.run(wire, admission)
        assert wire.closed == (1002, "no common subprotocol")
        assert not server.connections

    run(main())


def test_a_codec_of_one_s_own_serves_its_version() -> None:
    codec = Codec("ocpp2.0.1", max_size=5_000)
    server = Server(Router(), versions=[codec])
    assert admit(server, "/CP001", "ocpp2.0.1").codec is codec
    assert server.max_size == 5_000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"versions": []}, "versions is empty"),
        ({"versions": "ocpp1.6"}, r"\['ocpp1.6'\]"),
        ({"versions": ["ocpp2.0"]}, "ocpp2.0.1"),
        ({"versions": ["ocpp2.1"], "default": "ocpp1.6"}, "not among versions"),
        ({"keep": "both"}, "keep"),
        ({"no_common": "shrug"}, "no_common"),
    ],
)
def test_senseless_settings_are_refused_at_once(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Server(Router(), **settings)


# The identity


@pytest.mark.parametrize(
    ("path", "version", "identity"),
    [
        ("/ocpp/CP001", "2.0.1", "CP001"),
        ("/CP001", "1.6", "CP001"),
        ("/a/b/c/CP001?x=1", "1.6", "CP001"),
        ("/ocpp/RDAM%7C123", "2.1", "RDAM|123"),
        ("/ocpp/RDAM%20123", "1.6", "RDAM 123"),
        ("/ocpp/a%2Fb", "1.6", "a/b"),
        ("/ocpp/a%3Ab", "1.6", "a:b"),
        ("/ocpp/a+b", "2.0.1", "a+b"),  # a plus is a plus in a path
        ("/ocpp/%C3%A9", "1.6", "é"),
        ("/ocpp/" + "x" * 48, "2.0.1", "x" * 48),
        ("/ocpp/" + "x" * 255, "1.6", "x" * 255),
        ("/ocpp/*-_=+%7C@.", "2.1", "*-_=+|@."),
    ],
)
def test_the_identity_is_the_last_part_of_the_path(path: str, version: str, identity: str) -> None:
    assert identity_of(path, version) == identity
    assert identity_of(url_of("ws://csms.example.com/ocpp", identity).removeprefix("ws:"), version) == identity


@pytest.mark.parametrize(
    ("path", "version", "says"),
    [
        ("/", "1.6", "must end with"),
        ("/ocpp/", "2.0.1", "must end with"),
        ("/ocpp/?id=x", "2.0.1", "must end with"),
        ("/ocpp/" + "x" * 49, "2.0.1", "48"),
        ("/ocpp/" + "x" * 256, "1.6", "255"),
        ("/ocpp/%FF", "1.6", "UTF-8"),
        ("/ocpp/a%00b", "1.6", "printed"),
        ("/ocpp/a%0Ab", "2.1", "printed"),
        ("/ocpp/a%3Ab", "2.0.1", "allow"),
        ("/ocpp/RDAM%20123", "2.1", "allow"),
        ("/ocpp/a%2Fb", "2.1", "allow"),
    ],
)
def test_what_is_no_identity_is_refused(path: str, version: str, says: str) -> None:
    with pytest.raises(Refusal, match=says) as raised:
        identity_of(path, version)
    assert raised.value.status == 404


def test_a_station_s_url_keeps_the_server_s_query() -> None:
    assert url_of("wss://h:1/ocpp/?key=a/b", "CP 1") == "wss://h:1/ocpp/CP%201?key=a/b"
    assert url_of("ws://h", "a/b:c") == "ws://h/a%2Fb%3Ac"


def test_who_names_stations_otherwise_says_so() -> None:
    server = Server(Router(), identify=lambda path, version: f"{path.split('/')[1]}@{version}")
    assert admit(server, "/CP001/ocpp", "ocpp2.1").identity == "CP001@2.1"


# Who it is


@pytest.mark.parametrize("waits", [False, True])
def test_authenticate_decides(waits: bool) -> None:
    async def later(admission: Admission, handshake: Handshake) -> bool:
        await asyncio.sleep(0)
        return admission.identity == handshake.authorization

    def at_once(admission: Admission, handshake: Handshake) -> bool:
        return admission.identity == handshake.authorization

    server = Server(Router(), authenticate=later if waits else at_once)
    assert admit(server, "/CP001", "ocpp2.1", authorization="CP001").identity == "CP001"
    refused = refusal(server, "/CP001", "ocpp2.1", authorization="CP002")
    assert refused.status == 401
    assert refused.headers == {"WWW-Authenticate": 'Basic realm="OCPP"'}


def test_authenticate_may_refuse_in_its_own_words() -> None:
    def authenticate(admission: Admission, _: Handshake) -> bool:
        raise Refusal(404, f"{admission.identity} is not known")

    assert refusal(Server(Router(), authenticate=authenticate), "/X", "ocpp2.1").status == 404


def test_where_authenticate_fails_nobody_connects(caplog: pytest.LogCaptureFixture) -> None:
    def authenticate(admission: Admission, _: Handshake) -> bool:
        raise KeyError("the database")

    refused = refusal(Server(Router(), authenticate=authenticate), "/X", "ocpp2.1")
    assert refused.status == 500
    assert "database" not in refused.reason
    assert "authenticate failed" in caplog.text


# Two connections of one identity


async def connected(server: Server) -> tuple[Wire, asyncio.Task[None]]:
    wire = Wire()
    admission = await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))
    task = asyncio.create_task(server.run(wire, admission))
    await rounds()
    return wire, task


def test_a_new_connection_takes_the_place_of_the_old_one() -> None:
    async def main() -> None:
        server = Server(Router())
        old, old_task = await connected(server)
        first = server.connections["CP001"]
        call = asyncio.create_task(first.call(v201.ClearCacheRequest()))
        new, new_task = await connected(server)
        second = server.connections["CP001"]
        assert second is not first
        with pytest.raises(CallClosed):
            await call
        assert old.closed == (1000, "replaced by a new connection")
        await old_task  # the late end of the old one
        assert server.connections == {"CP001": second}
        assert new.closed is None
        await server.close()
        assert new.closed == (1001, "the server closes")
        await new_task
        assert not server.connections

    run(main())


def test_an_old_one_that_is_half_dead_does_not_hold_the_new_one_up() -> None:
    class Dead(Wire):
        async def close(self, code: int, reason: str) -> None:
            await asyncio.sleep(0.05)
            await super().close(code, reason)

    async def main() -> None:
        server = Server(Router())
        admission = await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))
        dead = asyncio.create_task(server.run(Dead(), admission))
        await rounds()
        new, task = await connected(server)
        assert not dead.done()
        call = asyncio.create_task(server.connections["CP001"].call(v201.ClearCacheRequest()))
        await rounds()
        assert len(new.sent) == 1
        await dead
        assert not call.done()
        new.hang_up()
        await task
        with pytest.raises(CallClosed):
            await call

    run(main())


def test_the_old_connection_is_kept_where_that_is_wanted() -> None:
    async def main() -> None:
        server = Server(Router(), keep="old")
        one = await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))
        other = await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))  # at the same moment
        old, new = Wire(), Wire()
        tasks = [asyncio.create_task(server.run(old, one)), asyncio.create_task(server.run(new, other))]
        await rounds()
        assert new.closed == (1008, "connected already")
        assert old.closed is None
        with pytest.raises(Refusal) as raised:
            await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))
        assert raised.value.status == 409
        old.hang_up()
        await asyncio.gather(*tasks)
        assert (await server.admit(Handshake("/CP001", ("ocpp2.0.1",)))).identity == "CP001"

    run(main())


def test_the_session_is_made_as_asked() -> None:
    async def main() -> None:
        server = Server(Router(), make_session=partial(Session, role="csms", timeout=0.01))
        wire, task = await connected(server)
        endpoint = server.connections["CP001"]
        with pytest.raises(CallTimedOut):
            await endpoint.call(v201.ClearCacheRequest())
        wire.hang_up()
        await task

    run(main())


def test_what_is_no_router_is_refused() -> None:
    router: Any = "ocpp1.6"
    with pytest.raises(TypeError, match="a server takes a Router"):
        Server(router)
