"""A CSMS on `ocpp` (PyPI)."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import websockets
from ocpp import v16, v201
from ocpp.exceptions import OCPPError, SecurityError
from ocpp.routing import after, on
from peer import step


@dataclass
class NoSuchAction:
    pass


@dataclass
class Reset:
    """With a type that does not exist."""

    type: str = "Sideways"


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Mixin:
    def begin(self) -> None:
        self.steps = asyncio.Queue()

    async def code(self, payload, **options) -> str:
        try:
            await self.call(payload, suppress=False, **options)
        except OCPPError as error:
            return error.code
        return "answered"

    @on("Heartbeat")
    def on_heartbeat(self):
        return self.result.Heartbeat(current_time=now())

    @on("DataTransfer")
    def on_transfer(self, vendor_id, **_):
        if vendor_id == "refuse":
            raise SecurityError("not for you")
        return self.result.DataTransfer(status="Accepted")

    async def play(self) -> None:
        await self.expect("status")
        step("remote_start", (await self.call(self.remote_start())).status)
        transaction = await self.expect("meter")
        step("remote_stop", (await self.call(self.remote_stop(transaction))).status)
        await self.expect("stop")
        step("unknown_action", await self.code(NoSuchAction(), skip_schema_validation=True))
        step("invalid_payload", await self.code(Reset(), skip_schema_validation=True))
        step("refused", await self.code(self.unlock()))
        step("done", "ok")

    async def expect(self, wanted: str):
        while True:
            name, value = await self.steps.get()
            if name == wanted:
                return value

    def note(self, name: str, got, value=None) -> None:
        step(name, got)
        self.steps.put_nowait((name, value))


class Csms16(Mixin, v16.ChargePoint):
    result = v16.call_result

    def remote_start(self):
        return v16.call.RemoteStartTransaction(id_tag="TOKEN")

    def remote_stop(self, transaction):
        return v16.call.RemoteStopTransaction(transaction_id=transaction)

    def unlock(self):
        return v16.call.UnlockConnector(connector_id=1)

    @on("BootNotification")
    def on_boot(self, charge_point_model, **_):
        step("boot", charge_point_model)
        return self.result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("StatusNotification")
    def on_status(self, status, **_):
        return self.result.StatusNotification()

    @after("StatusNotification")
    def after_status(self, status, **_):
        self.note("status", status)

    @on("StartTransaction")
    def on_start(self, id_tag, **_):
        step("start", id_tag)
        return self.result.StartTransaction(transaction_id=42, id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    def on_meter(self, **_):
        return self.result.MeterValues()

    @after("MeterValues")
    def after_meter(self, meter_value, transaction_id, **_):
        self.note("meter", float(meter_value[0]["sampled_value"][0]["value"]), transaction_id)

    @on("StopTransaction")
    def on_stop(self, transaction_id, **_):
        return self.result.StopTransaction()

    @after("StopTransaction")
    def after_stop(self, transaction_id, **_):
        self.note("stop", transaction_id)


class Csms201(Mixin, v201.ChargePoint):
    result = v201.call_result

    def remote_start(self):
        return v201.call.RequestStartTransaction(
            id_token={"id_token": "TOKEN", "type": "Central"}, remote_start_id=1, evse_id=1
        )

    def remote_stop(self, transaction):
        return v201.call.RequestStopTransaction(transaction_id=transaction)

    def unlock(self):
        return v201.call.UnlockConnector(evse_id=1, connector_id=1)

    @on("BootNotification")
    def on_boot(self, charging_station, **_):
        step("boot", charging_station["model"])
        return self.result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("StatusNotification")
    def on_status(self, **_):
        return self.result.StatusNotification()

    @after("StatusNotification")
    def after_status(self, connector_status, **_):
        self.note("status", connector_status)

    @on("TransactionEvent")
    def on_event(self, **_):
        return self.result.TransactionEvent()

    @after("TransactionEvent")
    def after_event(self, event_type, transaction_info, id_token=None, meter_value=None, **_):
        transaction = transaction_info["transaction_id"]
        if event_type == "Started":
            step("start", id_token["id_token"])
        elif event_type == "Updated":
            self.note("meter", meter_value[0]["sampled_value"][0]["value"], transaction)
        else:
            self.note("stop", transaction)


async def main(port: str, version: str) -> None:
    ended = asyncio.Event()

    async def serve(socket) -> None:
        csms = {"1.6": Csms16, "2.0.1": Csms201}[version](socket.request.path.strip("/"), socket)
        csms.begin()
        reader = asyncio.create_task(csms.start())
        try:
            await csms.play()
            await socket.wait_closed()
        finally:
            reader.cancel()
            ended.set()

    async with websockets.serve(serve, "127.0.0.1", int(port), subprotocols=[f"ocpp{version}"]):
        step("listening", int(port))
        await ended.wait()


asyncio.run(main(*sys.argv[1:]))
