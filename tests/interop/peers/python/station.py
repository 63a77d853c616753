"""A station on `ocpp` (PyPI)."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import websockets
from ocpp import v16, v201
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from peer import step

CALLS = {"1.6": v16.call, "2.0.1": v201.call}


@dataclass
class NoSuchAction:
    pass


@dataclass
class BootNotification:
    """Without what it must have."""

    reason: str = "PowerUp"


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Mixin:
    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self.started, self.stopped = loop.create_future(), loop.create_future()

    @on("Reset")
    def on_reset(self, **_):
        raise AssertionError("a Reset of no type came this far")

    async def code(self, payload, **options) -> str:
        try:
            await self.call(payload, suppress=False, **options)
        except OCPPError as error:
            return error.code
        return "answered"


class Station16(Mixin, v16.ChargePoint):
    @on("RemoteStartTransaction")
    def on_start(self, id_tag, **_):
        step("remote_start", id_tag)
        self.started.set_result(id_tag)
        return v16.call_result.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")
    def on_stop(self, transaction_id):
        step("remote_stop", transaction_id)
        self.stopped.set_result(transaction_id)
        return v16.call_result.RemoteStopTransaction(status="Accepted")

    async def play(self) -> None:
        call = v16.call
        step("boot", (await self.call(call.BootNotification(charge_point_model="M", charge_point_vendor="V"))).status)
        await self.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
        step("status", "ok")
        token = await self.started
        answer = await self.call(call.StartTransaction(connector_id=1, id_tag=token, meter_start=0, timestamp=now()))
        step("start", answer.transaction_id)
        value = {"timestamp": now(), "sampled_value": [{"value": "21.5", "measurand": "Current.Import", "unit": "A"}]}
        await self.call(call.MeterValues(connector_id=1, meter_value=[value], transaction_id=answer.transaction_id))
        step("meter", "ok")
        await self.stopped
        await self.call(call.StopTransaction(meter_stop=10, timestamp=now(), transaction_id=answer.transaction_id))
        step("stop", "ok")


class Station201(Mixin, v201.ChargePoint):
    @on("RequestStartTransaction")
    def on_start(self, id_token, **_):
        step("remote_start", id_token["id_token"])
        self.started.set_result(id_token)
        return v201.call_result.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")
    def on_stop(self, transaction_id, **_):
        step("remote_stop", transaction_id)
        self.stopped.set_result(transaction_id)
        return v201.call_result.RequestStopTransaction(status="Accepted")

    def event(self, kind, number, **more):
        return v201.call.TransactionEvent(
            event_type=kind, timestamp=now(), trigger_reason="RemoteStart", seq_no=number,
            transaction_info={"transaction_id": "T1"}, **more,
        )  # fmt: skip

    async def play(self) -> None:
        call = v201.call
        answer = await self.call(
            call.BootNotification(charging_station={"model": "M", "vendor_name": "V"}, reason="PowerUp")
        )
        step("boot", answer.status)
        await self.call(
            call.StatusNotification(timestamp=now(), connector_status="Available", evse_id=1, connector_id=1)
        )
        step("status", "ok")
        token = await self.started
        await self.call(self.event("Started", 0, id_token=token))
        step("start", "T1")
        value = {"timestamp": now(), "sampled_value": [{"value": 21.5, "measurand": "Current.Import"}]}
        await self.call(self.event("Updated", 1, meter_value=[value]))
        step("meter", "ok")
        await self.stopped
        await self.call(self.event("Ended", 2))
        step("stop", "ok")


async def main(url: str, identity: str, version: str) -> None:
    async with websockets.connect(f"{url}/{identity}", subprotocols=[f"ocpp{version}"]) as socket:
        station = {"1.6": Station16, "2.0.1": Station201}[version](identity, socket)
        station.begin()
        reader = asyncio.create_task(station.start())
        await station.play()
        # `ocpp` names the action by the class, and checks nothing when told so.
        step("unknown_action", await station.code(NoSuchAction(), skip_schema_validation=True))
        step("invalid_payload", await station.code(BootNotification(), skip_schema_validation=True))
        step("refused", await station.code(CALLS[version].DataTransfer(vendor_id="refuse")))
        step("done", "ok")
        await socket.wait_closed()
        reader.cancel()


asyncio.run(main(*sys.argv[1:]))
