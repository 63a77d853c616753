"""Run by test_sockets in a process of its own: python socket_worker.py csms|station WAY MODULE PORT; prints JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from importlib import import_module
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from ocppcore.compat.ocpp import accelerate

NOW = "2026-01-02T03:04:05Z"
SUBPROTOCOLS = {"v16": "ocpp1.6", "v201": "ocpp2.0.1"}


def load(way: str, module: str) -> Any:
    """The names of a user's file."""
    if way == "accelerated":
        accelerate()
    package = "ocppcore.compat.ocpp" if way == "replaced" else "ocpp"

    class Names:
        on = staticmethod(import_module(f"{package}.routing").on)
        exceptions = import_module(f"{package}.exceptions")
        call = import_module(f"{package}.{module}.call")
        call_result = import_module(f"{package}.{module}.call_result")
        ChargePoint = import_module(f"{package}.{module}").ChargePoint

    return Names


def boot(names: Any, module: str) -> Any:
    if module == "v16":
        return names.call.BootNotification(charge_point_model="M", charge_point_vendor="V")
    station = {"model": "M", "vendor_name": "V"}
    return names.call.BootNotification(charging_station=station, reason="PowerUp")


def meter_values(names: Any, module: str) -> Any:
    value: Any = "1.5" if module == "v16" else 1.5
    values = [{"timestamp": NOW, "sampled_value": [{"value": value}]}] * 3
    first = {"connector_id": 1} if module == "v16" else {"evse_id": 1}
    return names.call.MeterValues(**first, meter_value=values)


def reset(names: Any, module: str) -> Any:
    return names.call.Reset(type="Soft" if module == "v16" else "Immediate")


async def csms(names: Any, module: str) -> None:
    """Serves one station: it boots, sends meter values, asks what we refuse, and is told to reset."""
    seen: dict[str, Any] = {}
    done = asyncio.Event()

    class Csms(names.ChargePoint):  # type: ignore[misc]
        @names.on("BootNotification")
        async def on_boot(self, **kwargs: Any) -> Any:
            seen["model"] = kwargs.get("charge_point_model") or kwargs["charging_station"]["model"]
            return names.call_result.BootNotification(current_time=NOW, interval=1, status="Accepted")

        @names.on("MeterValues")
        def on_meter_values(self, meter_value: Any, **_: Any) -> Any:
            seen["samples"] = sum(len(value["sampled_value"]) for value in meter_value)
            return names.call_result.MeterValues()

        @names.on("Heartbeat")
        def on_heartbeat(self) -> Any:
            raise names.exceptions.SecurityError("no heart")

    async def served(socket: Any) -> None:
        point = Csms("station", socket)
        loop = asyncio.ensure_future(point.start())
        while "samples" not in seen:
            await asyncio.sleep(0.01)
        seen["answer"] = (await point.call(reset(names, module))).status
        with contextlib.suppress(ConnectionClosed):
            await loop
        done.set()

    async with serve(served, "127.0.0.1", 0, subprotocols=[SUBPROTOCOLS[module]]) as server:  # type: ignore[list-item]
        print(server.sockets[0].getsockname()[1], flush=True)
        await done.wait()
    print(json.dumps(seen))


async def station(names: Any, module: str, port: int) -> None:
    """Boots, is refused once, sends meter values, and is reset."""
    told: dict[str, Any] = {}
    asked = asyncio.Event()

    class Station(names.ChargePoint):  # type: ignore[misc]
        @names.on("Reset")
        def on_reset(self, type: str, **_: Any) -> Any:
            asked.set()
            return names.call_result.Reset(status="Accepted")

    async with connect(f"ws://127.0.0.1:{port}/station", subprotocols=[SUBPROTOCOLS[module]]) as socket:  # type: ignore[list-item]
        point = Station("station", socket)
        loop = asyncio.ensure_future(point.start())
        told["status"] = (await point.call(boot(names, module))).status
        try:
            await point.call(names.call.Heartbeat(), suppress=False)
        except names.exceptions.SecurityError as error:
            told["refused"] = error.code
        await point.call(meter_values(names, module))
        await asyncio.wait_for(asked.wait(), 10)
        told["asked"] = True
        await asyncio.sleep(0.1)  # the answer to the reset is on its way
        loop.cancel()
    print(json.dumps(told))


if __name__ == "__main__":
    side, way, module, port = sys.argv[1:]
    names = load(way, module)
    asyncio.run(csms(names, module) if side == "csms" else station(names, module, int(port)))
