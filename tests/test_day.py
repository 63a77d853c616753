"""A day of a site on a clock of our own: one message in fifty is broken, and in the evening nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocppcore import Call, Codec, Context, Invalid, Router, Send, Session
from support.backends import SUBPROTOCOLS

MORNING = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 24 * 3600
BROKEN = 50
"""One message in so many is broken."""


class End:
    """One side of a connection: a session, a router, and a list of what its handlers have still to do."""

    def __init__(self, codec: Codec[Any], role: Any, router: Router) -> None:
        numbers = itertools.count(1)
        self.codec = codec
        self.role = role
        self.session = Session(codec, role, new_id=lambda: f"{role}{next(numbers)}", timeout=60.0)
        self.router = router
        self.rest: list[Any] = []
        self.ended: Counter[str] = Counter()

    def call(self, payload: Any, *, timeout: float | None = None) -> Any:
        raise NotImplementedError

    def reply(self, id: str, payload: Any) -> None:
        self.session.reply(id, payload)

    def receive(self, data: bytes, now: float) -> None:
        self.note(self.session.receive(data, now))

    def note(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Call | Send):
                rest = self.router.handle(event, Context(self, "CS1", event), self.session)
                if rest is not None:
                    self.rest.append(rest)
            else:
                ours = event.id is not None if isinstance(event, Invalid) else True
                self.ended[type(event).__name__ if ours else "Broken"] += 1


def broken(data: bytes, chance: random.Random) -> bytes:
    """The message as a bad line, a bad station or a bad day would send it; its id can still be read."""
    ways = [
        data[:-1],
        data[:-1] + b",]",
        data + b"]",
        data.replace(b"{", b'{"vendorSays":null,', 1).replace(b",}", b"}"),
    ]
    return chance.choice(ways)


def router_of(codec: Codec[Any], chance: random.Random) -> tuple[Router, list[str]]:
    """A CSMS: half of its handlers are async and suspend; it notes what it has handled."""
    handled: list[str] = []
    router = Router(report=lambda fault: pytest.fail(fault.message))

    @router.otherwise
    def take(context: Context[Any], request: Any) -> Any:
        handled.append(context.id)
        values = {"currentTime": "2026-03-01T12:00:00Z"} if context.action == "Heartbeat" else {}
        if context.action == "BootNotification":
            values = {"currentTime": "2026-03-01T12:00:00Z", "interval": 300, "status": "Accepted"}
        answer = codec.from_builtins(context.action, "response", values)
        return answer if chance.random() < 0.5 else later(answer)

    async def later(answer: Any) -> Any:
        await asyncio.sleep(0)
        return answer

    return router, handled


def messages(codec: Codec[Any], start: float) -> list[tuple[float, Any]]:
    """What a station has to say in a day: boot, heartbeats, its status, and a meter reading each minute."""
    make = codec.from_builtins
    stamp = lambda now: (MORNING + timedelta(seconds=now)).isoformat()  # noqa: E731
    old = codec.version == "1.6"
    boot = (
        {"chargePointModel": "M", "chargePointVendor": "V"}
        if old
        else {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
    )
    status = lambda now: (  # noqa: E731
        {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
        if old
        else {"timestamp": stamp(now), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    )
    meter = lambda now: {  # noqa: E731
        "connectorId" if old else "evseId": 1,
        "meterValue": [{"timestamp": stamp(now), "sampledValue": [{"value": "21.5" if old else 21.5}]}],
    }
    day: list[tuple[float, Any]] = [(start, make("BootNotification", "request", boot))]
    day += [(start + at, make("Heartbeat", "request", {})) for at in range(300, DAY, 300)]
    day += [(start + at, make("StatusNotification", "request", status(at))) for at in range(30, DAY, 3600)]
    day += [(start + at, make("MeterValues", "request", meter(at))) for at in range(45, DAY, 60)]
    return sorted(day, key=lambda item: item[0])


@pytest.mark.parametrize("module", SUBPROTOCOLS)
def test_a_day_ends_with_everything_handled_and_nothing_left(module: str) -> None:
    chance = random.Random(module)
    codec: Codec[Any] = Codec(SUBPROTOCOLS[module])
    router, handled = router_of(codec, chance)
    csms, station = End(codec, "csms", router), End(codec, "station", Router())
    gc.collect()
    before = Counter(type(thing).__name__ for thing in gc.get_objects())

    good: list[str] = []
    bad: list[str] = []
    made = 0
    wire: list[tuple[float, int, str, bytes]] = []  # when it arrives, its number, where
    numbers = itertools.count()

    def post(end: End, now: float) -> None:
        nonlocal made
        for data in end.session.data_to_send():
            if data.startswith(b"[2"):
                id = json.loads(data)[1]
                if next(numbers) % BROKEN == BROKEN - 1:
                    data = broken(data, chance)
                    bad.append(id)
                else:
                    good.append(id)
            other = "station" if end is csms else "csms"
            heapq.heappush(wire, (now + chance.random(), next(order), other, data))

    order = itertools.count()

    async def day() -> None:
        nonlocal made
        now = 0.0
        plan = messages(codec, 0.0)
        while plan or wire or station.session.deadline is not None:
            times = [plan[0][0]] if plan else []
            times += [wire[0][0]] if wire else []
            times += [end.session.deadline for end in (csms, station) if end.session.deadline is not None]
            now = max(now, min(times))
            while wire and wire[0][0] <= now:
                _, _, where, data = heapq.heappop(wire)
                (csms if where == "csms" else station).receive(data, now)
            while plan and plan[0][0] <= now:
                station.session.call(plan.pop(0)[1], now)
                made += 1
            for end in (csms, station):
                end.note(end.session.expire(now))
                for rest in end.rest:
                    await rest
                end.rest.clear()
                post(end, now)

    asyncio.run(day())

    assert made == len(good) + len(bad)
    assert len(bad) > made // BROKEN - 2 > 20
    assert handled == good  # every good one once, in order, and no bad one
    assert station.ended == Counter(
        CallResult=len(good), CallError=len(bad)
    )  # each call ended, the broken ones by a refusal
    assert csms.ended == Counter(Broken=len(bad))
    for end in (csms, station):
        assert end.session.deadline is None
        assert end.session.data_to_send() == []
        assert end.session.close() == []
        assert end.rest == []
    gc.collect()
    after = Counter(type(thing).__name__ for thing in gc.get_objects())
    left = {name: after[name] - before[name] for name in ("coroutine", "Task", "Future", "_Own", "Context", "Call")}
    assert not any(left.values()), left
