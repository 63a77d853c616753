"""Our side of the scenario that tests/interop/peers/README.md describes: as a CSMS, and as a station."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ocppcore import Codec, Context, RefuseCall, Request, Response, Router, v16, v201
from ocppcore.aio import CallRefused, Server, connect, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "target/interop"
PATIENCE = 30.0
"""Seconds for a whole scenario, the start of a Java machine included."""

Steps = dict[str, Any]


# --- what a correct program would not send ---------------------------------------------------------


class NoSuchThingRequest(Request["NoSuchThingResponse"], frozen=True):
    __action__: ClassVar[str] = "NoSuchThing"


class NoSuchThingResponse(Response, frozen=True):
    __action__: ClassVar[str] = "NoSuchThing"


class AnyReset16(Request[v16.ResetResponse], frozen=True):
    """A Reset that may be of any type."""

    __action__: ClassVar[str] = "Reset"
    type: str


class AnyReset201(Request[v201.ResetResponse], frozen=True):
    """A Reset that may be of any type."""

    __action__: ClassVar[str] = "Reset"
    type: str


class AnyBoot16(Request[v16.BootNotificationResponse], frozen=True, rename="camel"):
    """A BootNotification that may lack what it must have."""

    __action__: ClassVar[str] = "BootNotification"
    charge_point_model: str | None = None
    charge_point_vendor: str | None = None


class AnyBoot201(Request[v201.BootNotificationResponse], frozen=True, rename="camel"):
    """A BootNotification that may lack what it must have."""

    __action__: ClassVar[str] = "BootNotification"
    reason: str | None = None
    charging_station: v201.ChargingStationType | None = None


async def code(call: Any) -> str:
    """The code with which a call of ours is refused."""
    try:
        await call
    except CallRefused as refused:
        return refused.answer.code
    return "answered"


# --- the other side's program ----------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Peer:
    """A program of the other side: its steps as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.steps: Steps = {}
        self.lines: list[str] = []

    async def until(self, step: str) -> None:
        """Reads its lines until it has told a step."""
        assert self.process.stdout is not None
        while step not in self.steps:
            line = (await self.process.stdout.readline()).decode()
            if not line:
                raise AssertionError(f"the peer ended before it told {step!r}:\n" + "".join(self.lines))
            self.lines.append(line)
            if line.startswith(('{"step"', '{"got"')):  # what its library logs comes this way too
                told = json.loads(line)
                self.steps[told["step"]] = told["got"]


@asynccontextmanager
async def running(command: list[str]) -> AsyncGenerator[Peer]:
    """The program while the block runs; it is ended afterwards."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20
    )
    try:
        yield Peer(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        transport: Any = process
        transport._transport.close()  # else its pipe is found open when it is collected


# --- our CSMS --------------------------------------------------------------------------------------


def now() -> datetime:
    return datetime.now(UTC)


class Csms:
    """Our CSMS: what it has heard, by step, in the words of a peer's CSMS."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.steps: Steps = {}
        self.heard: dict[str, asyncio.Event] = {name: asyncio.Event() for name in ("status", "meter", "stop")}
        self.transaction: Any = None
        self.router = Router(report=lambda fault: self.steps.setdefault("faults", []).append(fault.message))
        for handler in (
            (self.boot16, self.status16, self.start16, self.meter16, self.stop16)
            if version == "1.6"
            else (self.boot, self.status, self.event)
        ):
            self.router.on(handler)
        self.router.on(self.transfer)
        codec: Codec[Any] = Codec(f"ocpp{version}")
        wrong = AnyReset16 if version == "1.6" else AnyReset201
        self.codec = codec.extend(messages=[NoSuchThingRequest, wrong])

    def note(self, step: str, got: Any) -> None:
        self.steps[step] = got
        if step in self.heard:
            self.heard[step].set()

    def boot16(self, request: v16.BootNotificationRequest) -> v16.BootNotificationResponse:
        self.note("boot", request.charge_point_model)
        return v16.BootNotificationResponse(current_time=now(), interval=300, status="Accepted")

    def status16(self, request: v16.StatusNotificationRequest) -> v16.StatusNotificationResponse:
        self.note("status", request.status)
        return v16.StatusNotificationResponse()

    async def start16(self, request: v16.StartTransactionRequest) -> v16.StartTransactionResponse:
        await asyncio.sleep(0)
        self.note("start", request.id_tag)
        return v16.StartTransactionResponse(id_tag_info=v16.IdTagInfo(status="Accepted"), transaction_id=42)

    def meter16(self, request: v16.MeterValuesRequest) -> v16.MeterValuesResponse:
        self.transaction = request.transaction_id
        self.note("meter", float(request.meter_value[0].sampled_value[0].value))
        return v16.MeterValuesResponse()

    def stop16(self, request: v16.StopTransactionRequest) -> v16.StopTransactionResponse:
        self.note("stop", request.transaction_id)
        return v16.StopTransactionResponse()

    def boot(self, request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
        self.note("boot", request.charging_station.model)
        return v201.BootNotificationResponse(current_time=now(), interval=300, status="Accepted")

    async def status(self, request: v201.StatusNotificationRequest) -> v201.StatusNotificationResponse:
        await asyncio.sleep(0)
        self.note("status", request.connector_status)
        return v201.StatusNotificationResponse()

    def event(self, request: v201.TransactionEventRequest) -> v201.TransactionEventResponse:
        self.transaction = request.transaction_info.transaction_id
        if request.event_type == "Started":
            assert request.id_token is not None
            self.note("start", request.id_token.id_token)
        elif request.event_type == "Updated":
            assert request.meter_value is not None
            self.note("meter", request.meter_value[0].sampled_value[0].value)
        else:
            self.note("stop", self.transaction)
        return v201.TransactionEventResponse()

    def transfer(
        self, request: v16.DataTransferRequest | v201.DataTransferRequest
    ) -> v16.DataTransferResponse | v201.DataTransferResponse:
        raise RefuseCall("SecurityError", "not for you")

    async def serve(self, command: list[str]) -> Steps:
        """Serves the peer's station from its first to its last step, and returns what it told."""
        server = Server(self.router, versions=[self.codec])
        async with serve(server, "127.0.0.1", 0) as [(_, port, *_)], asyncio.timeout(PATIENCE):
            at = [f"ws://127.0.0.1:{port}" if part == "URL" else part for part in command]
            async with running(at) as peer:
                await self.heard["status"].wait()
                [(identity, station)] = server.connections.items()
                assert identity == "CS1"
                old = self.version == "1.6"
                start: Any = (
                    v16.RemoteStartTransactionRequest(id_tag="TOKEN")
                    if old
                    else v201.RequestStartTransactionRequest(
                        id_token=v201.IdTokenType(id_token="TOKEN", type="Central"), remote_start_id=1, evse_id=1
                    )
                )
                self.note("remote_start", (await station.call(start)).status)
                await self.heard["meter"].wait()
                stop: Any = (
                    v16.RemoteStopTransactionRequest(transaction_id=self.transaction)
                    if old
                    else v201.RequestStopTransactionRequest(transaction_id=self.transaction)
                )
                self.note("remote_stop", (await station.call(stop)).status)
                await self.heard["stop"].wait()
                await peer.until("done")
                unlock: Any = (
                    v16.UnlockConnectorRequest(connector_id=1)
                    if old
                    else v201.UnlockConnectorRequest(evse_id=1, connector_id=1)
                )
                wrong: Any = (AnyReset16 if old else AnyReset201)(type="Sideways")
                self.note("refused", await code(station.call(unlock)))
                self.note("unknown_action", await code(station.call(NoSuchThingRequest())))
                self.note("invalid_payload", await code(station.call(wrong)))
                return peer.steps


# --- our station -----------------------------------------------------------------------------------


class Station:
    """Our station: what it has seen, by step, in the words of a peer's station."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.steps: Steps = {}
        self.started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.stopped: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.router = Router(report=lambda fault: self.steps.setdefault("faults", []).append(fault.message))
        for handler in (
            (self.remote_start16, self.remote_stop16) if version == "1.6" else (self.remote_start, self.remote_stop)
        ):
            self.router.on(handler)
        self.router.on(self.unlock)
        codec: Codec[Any] = Codec(f"ocpp{version}")
        wrong = AnyBoot16 if version == "1.6" else AnyBoot201
        self.codec = codec.extend(messages=[NoSuchThingRequest, wrong])

    def remote_start16(
        self, context: Context[Any], request: v16.RemoteStartTransactionRequest
    ) -> v16.RemoteStartTransactionResponse:
        self.steps["remote_start"] = request.id_tag
        self.started.set_result(request.id_tag)
        return v16.RemoteStartTransactionResponse(status="Accepted")

    async def remote_stop16(self, request: v16.RemoteStopTransactionRequest) -> v16.RemoteStopTransactionResponse:
        await asyncio.sleep(0)
        self.steps["remote_stop"] = request.transaction_id
        self.stopped.set_result(request.transaction_id)
        return v16.RemoteStopTransactionResponse(status="Accepted")

    def remote_start(self, request: v201.RequestStartTransactionRequest) -> v201.RequestStartTransactionResponse:
        self.steps["remote_start"] = request.id_token.id_token
        self.started.set_result(request.id_token)
        return v201.RequestStartTransactionResponse(status="Accepted")

    def remote_stop(self, request: v201.RequestStopTransactionRequest) -> v201.RequestStopTransactionResponse:
        self.steps["remote_stop"] = request.transaction_id
        self.stopped.set_result(request.transaction_id)
        return v201.RequestStopTransactionResponse(status="Accepted")

    def unlock(
        self, request: v16.UnlockConnectorRequest | v201.UnlockConnectorRequest
    ) -> v16.UnlockConnectorResponse | v201.UnlockConnectorResponse:
        raise RefuseCall("SecurityError", "not for you")

    async def play(self, command: list[str]) -> Steps:
        """Plays its part towards the peer's CSMS, and returns what that told."""
        port = free_port()
        at = [str(port) if part == "PORT" else part for part in command]
        async with asyncio.timeout(PATIENCE), running(at) as peer:
            await peer.until("listening")
            await self.connected(port)
            async with connect(f"ws://127.0.0.1:{port}", "CS1", self.router, versions=[self.codec]) as csms:
                await (self.charge16(csms) if self.version == "1.6" else self.charge(csms))
                old = self.version == "1.6"
                transfer: Any = (v16 if old else v201).DataTransferRequest(vendor_id="refuse")
                wrong: Any = (AnyBoot16 if old else AnyBoot201)()
                self.steps["refused"] = await code(csms.call(transfer))
                self.steps["unknown_action"] = await code(csms.call(NoSuchThingRequest()))
                self.steps["invalid_payload"] = await code(csms.call(wrong))
                await peer.until("done")
        return peer.steps

    async def connected(self, port: int) -> None:
        """Waits until the program takes connections: some say that they listen a moment before they do."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return

    async def charge16(self, csms: Any) -> None:
        boot = await csms.call(AnyBoot16(charge_point_model="M", charge_point_vendor="V"))
        self.steps["boot"] = boot.status
        await csms.call(v16.StatusNotificationRequest(connector_id=1, error_code="NoError", status="Available"))
        self.steps["status"] = "ok"
        token = await self.started
        start = v16.StartTransactionRequest(connector_id=1, id_tag=token, meter_start=0, timestamp=now())
        self.steps["start"] = transaction = (await csms.call(start)).transaction_id
        sample = v16.SampledValue(value="21.5", measurand="Current.Import", unit="A")
        value = v16.MeterValue(timestamp=now(), sampled_value=[sample])
        await csms.call(v16.MeterValuesRequest(connector_id=1, transaction_id=transaction, meter_value=[value]))
        self.steps["meter"] = "ok"
        await self.stopped
        await csms.call(v16.StopTransactionRequest(meter_stop=10, timestamp=now(), transaction_id=transaction))
        self.steps["stop"] = "ok"

    async def charge(self, csms: Any) -> None:
        station = v201.ChargingStationType(model="M", vendor_name="V")
        boot = await csms.call(AnyBoot201(reason="PowerUp", charging_station=station))
        self.steps["boot"] = boot.status
        await csms.call(
            v201.StatusNotificationRequest(timestamp=now(), connector_status="Available", evse_id=1, connector_id=1)
        )
        self.steps["status"] = "ok"
        token = await self.started

        def event(kind: Any, number: int, **more: Any) -> Any:
            return csms.call(
                v201.TransactionEventRequest(
                    event_type=kind,
                    timestamp=now(),
                    trigger_reason="RemoteStart",
                    seq_no=number,
                    transaction_info=v201.TransactionType(transaction_id="T1"),
                    **more,
                )
            )

        await event("Started", 0, id_token=token)
        self.steps["start"] = "T1"
        sample = v201.SampledValueType(value=21.5, measurand="Current.Import")
        await event("Updated", 1, meter_value=[v201.MeterValueType(timestamp=now(), sampled_value=[sample])])
        self.steps["meter"] = "ok"
        await self.stopped
        await event("Ended", 2)
        self.steps["stop"] = "ok"
