"""When a station tries again, with the chance and the sleep in the test's hands."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from ocppcore import Codec, Router, v201
from ocppcore.aio import (
    Backoff,
    CallTimedOut,
    ConnectFailed,
    Endpoint,
    NoCommonVersion,
    connect,
    stay_connected,
)
from support.wires import Wire, rounds, run


class Enough(Exception):
    """Ends a station that would go on for ever."""


class Csms:
    """Opens wires instead of WebSockets, or fails to."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.opened: list[tuple[str, tuple[str, ...], Mapping[str, str]]] = []
        self.wires: list[Wire] = []

    async def __call__(
        self, url: str, subprotocols: tuple[str, ...], headers: Mapping[str, str], ssl: object, max_size: int
    ) -> tuple[Wire, str | None]:
        self.opened.append((url, subprotocols, headers))
        outcome = self.outcomes.pop(0) if self.outcomes else "ocpp2.0.1"
        if isinstance(outcome, BaseException):
            raise outcome
        self.wires.append(Wire())
        return self.wires[-1], outcome


class Clock:
    """A sleep that does not: it notes how long, and after `last` of them has enough."""

    def __init__(self, last: int) -> None:
        self.slept: list[float] = []
        self._last = last

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)
        if len(self.slept) == self._last:
            raise Enough


def test_the_wait_doubles_and_a_random_part_is_added_each_time() -> None:
    chance = itertools.cycle([0.5, 0.25]).__next__
    waits = Backoff(wait_minimum=10, repeat_times=3, random_range=4).waits(chance)
    # 10+2; 2×12+1; 2×25+2; 2×52+1; and from then on the same
    assert list(itertools.islice(waits, 6)) == [12, 25, 52, 105, 105, 105]


def test_the_wait_stays_within_the_standard_s_bounds() -> None:
    low, span, times = 3.0, 2.0, 4
    for _ in range(200):
        for number, wait in enumerate(itertools.islice(Backoff(low, times, span).waits(), 8)):
            doublings = min(number, times)
            assert low * 2**doublings <= wait <= low * 2**doublings + span * (2 ** (doublings + 1) - 1)


def test_no_repeats_keep_the_first_wait() -> None:
    assert list(itertools.islice(Backoff(5, 0, 0).waits(), 3)) == [5, 5, 5]


def test_a_station_tries_until_it_is_connected_and_begins_anew_after_that() -> None:
    async def main() -> None:
        down = OSError("down")
        csms = Csms(down, ConnectFailed("404", 404), TimeoutError(), "ocpp2.0.1", down, "ocpp2.0.1")
        clock = Clock(6)

        async def connected(endpoint: Endpoint) -> None:
            csms.wires[-1].hang_up()

        with pytest.raises(Enough):
            await stay_connected(
                "ws://csms/ocpp",
                "RDAM|1",
                Router(),
                connected,
                backoff=Backoff(1, 2, 0),
                sleep=clock,
                open_websocket=csms,
                password="secret",
            )
        assert clock.slept == [1, 2, 4, 1, 2, 1]
        url, offered, headers = csms.opened[0]
        assert url == "ws://csms/ocpp/RDAM%7C1"
        assert offered == ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
        assert headers["Authorization"].startswith("Basic ")

    run(main())


def test_what_a_station_does_when_connected_ends_with_the_connection() -> None:
    async def main() -> None:
        csms, clock = Csms(), Clock(2)
        ends: list[str] = []

        async def connected(endpoint: Endpoint) -> None:
            asyncio.get_running_loop().call_later(0.01, csms.wires[-1].hang_up)
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ends.append("cancelled")
                raise

        with pytest.raises(Enough):
            await stay_connected("ws://x", "CP1", Router(), connected, open_websocket=csms, sleep=clock)
        assert ends == ["cancelled", "cancelled"]

    run(main())


def test_a_failed_call_ends_the_connection_and_another_error_the_station() -> None:
    async def main() -> None:
        csms, clock = Csms(), Clock(5)

        async def connected(endpoint: Endpoint) -> None:
            if len(csms.wires) == 3:
                raise KeyError("a mistake")
            await endpoint.call(v201.HeartbeatRequest(), timeout=0.01)

        with pytest.raises(KeyError):
            await stay_connected("ws://x", "CP1", Router(), connected, open_websocket=csms, sleep=clock)
        assert len(clock.slept) == 2
        assert all(wire.closed for wire in csms.wires)

    run(main())


def test_a_station_that_is_cancelled_leaves_nothing() -> None:
    async def main() -> None:
        csms = Csms()
        station = asyncio.create_task(stay_connected("ws://x", "CP1", Router(), open_websocket=csms))
        await rounds()
        assert len(csms.wires) == 1
        station.cancel()
        with pytest.raises(asyncio.CancelledError):
            await station
        assert csms.wires[0].closed

    run(main())


@pytest.mark.parametrize(
    ("url", "identity", "settings", "says"),
    [
        ("http://csms/ocpp", "CP1", {}, "'http://csms/ocpp' is no WebSocket URL; give 'ws://"),
        ("csms:9000", "CP1", {}, "is no WebSocket URL"),
        ("ws://csms/#ocpp", "CP1", {}, "is no WebSocket URL"),
        ("ws://csms/ocpp", "", {}, "the identity is empty"),
        ("ws://csms/ocpp", "CP1", {"versions": []}, "versions is empty"),
        ("ws://csms/ocpp", "CP1", {"versions": ["ocpp2.1"], "default": "ocpp1.6"}, "not among versions"),
    ],
)
def test_a_station_without_a_sensible_address_does_not_try(
    url: str, identity: str, settings: dict[str, Any], says: str
) -> None:
    async def main() -> None:
        csms = Csms()
        with pytest.raises(ValueError, match=says):
            await stay_connected(url, identity, Router(), open_websocket=csms, **settings)
        assert not csms.wires

    run(main())


@pytest.mark.parametrize(("agreed", "says"), [(None, "chose no subprotocol .default="), ("ocpp2.0", "chose 'ocpp2.0'")])
def test_a_server_that_agrees_to_nothing_is_left(agreed: str | None, says: str) -> None:
    async def main() -> None:
        csms = Csms(agreed)
        with pytest.raises(NoCommonVersion, match=says):
            async with connect("ws://x", "CP1", Router(), open_websocket=csms):
                pytest.fail("connected")
        assert csms.wires[0].closed == (1002, "no common subprotocol")

    run(main())


def test_a_default_says_what_a_server_speaks_that_chooses_nothing() -> None:
    async def main() -> None:
        codec = Codec("ocpp1.6", max_size=1_000)
        csms = Csms(None)
        async with connect("ws://x", "CP1", Router(), versions=[codec], default="ocpp1.6", open_websocket=csms) as one:
            assert one.codec is codec
            with pytest.raises(CallTimedOut):
                await one.call(v16_heartbeat(), timeout=0.01)

    run(main())


def v16_heartbeat() -> Any:
    from ocppcore import v16

    return v16.HeartbeatRequest()


def test_an_error_in_the_block_closes_the_connection_and_comes_out() -> None:
    async def main() -> None:
        csms = Csms()
        with pytest.raises(KeyError):
            async with connect("ws://x", "CP1", Router(), open_websocket=csms):
                raise KeyError("x")
        assert csms.wires[0].closed == (1001, "")

    run(main())
