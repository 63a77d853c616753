"""A CSMS that says yes: every token may charge, every transaction is kept in mind, all versions are served by one router."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ... import Context, Router, v16, v21, v201
from ...aio import CallClosed, CallFailed

if TYPE_CHECKING:
    from ...aio import Endpoint, Server

INTERVAL = 300
"""Seconds between two heartbeats of a station."""


@dataclass
class StationState:
    """What the CSMS knows of a station."""

    identity: str
    ocpp: str
    model: str = ""
    status: str = ""
    transaction: str | int | None = None
    power: float = 0.0  # W
    energy: float = 0.0  # Wh since the transaction began
    limit: float | None = None  # W that were asked for
    limited: str | int | None = None  # the transaction for which


class Csms:
    """Handlers of a CSMS and what they have learnt: `stations` by identity, `heard` and `said` messages by action.

    `now` tells the time that stations are told.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.stations: dict[str, StationState] = {}
        self.heard: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.sessions = 0
        self.energy = 0.0  # Wh of all transactions that have ended
        self.router = Router()
        self.router.use(self._count)
        self._transactions = itertools.count(1)
        self._register_16()
        for module in (v201, v21):
            self._register_2(module)
        self.router.on(v21.OpenPeriodicEventStreamRequest, self._open_stream)
        self.router.on(v21.NotifyPeriodicEventStream, self._stream)

    def state(self, context: Context[Any]) -> StationState:
        """What is known of the station at hand."""
        state = self.stations.get(context.identity)
        if state is None:
            state = self.stations[context.identity] = StationState(context.identity, context.connection.codec.version)
        return state

    async def _count(self, context: Context[Any], request: Any, proceed: Any) -> Any:
        self.heard[context.action] += 1
        return await proceed(context, request)

    # OCPP 1.6

    def _register_16(self) -> None:
        on = self.router.on

        @on
        def boot(context: Context[Any], request: v16.BootNotificationRequest) -> v16.BootNotificationResponse:
            self.state(context).model = f"{request.charge_point_vendor} {request.charge_point_model}"
            return v16.BootNotificationResponse(status="Accepted", current_time=self.now(), interval=INTERVAL)

        @on
        def status(context: Context[Any], request: v16.StatusNotificationRequest) -> v16.StatusNotificationResponse:
            if request.connector_id:
                self.state(context).status = request.status
            return v16.StatusNotificationResponse()

        @on
        def heartbeat(request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
            return v16.HeartbeatResponse(current_time=self.now())

        @on
        def authorize(request: v16.AuthorizeRequest) -> v16.AuthorizeResponse:
            return v16.AuthorizeResponse(id_tag_info=v16.IdTagInfo(status="Accepted"))

        @on
        def start(context: Context[Any], request: v16.StartTransactionRequest) -> v16.StartTransactionResponse:
            transaction = next(self._transactions)
            self._begin(context, transaction)
            return v16.StartTransactionResponse(
                transaction_id=transaction, id_tag_info=v16.IdTagInfo(status="Accepted")
            )

        @on
        def meter(context: Context[Any], request: v16.MeterValuesRequest) -> v16.MeterValuesResponse:
            for value in request.meter_value:
                for sample in value.sampled_value:
                    self._measured(context, sample.measurand, float(sample.value))
            return v16.MeterValuesResponse()

        @on
        def stop(context: Context[Any], request: v16.StopTransactionRequest) -> v16.StopTransactionResponse:
            self._end(context)
            return v16.StopTransactionResponse()

    # OCPP 2.0.1 and 2.1, whose messages have the same names

    def _register_2(self, module: Any) -> None:
        def boot(context: Context[Any], request: Any) -> Any:
            station = request.charging_station
            self.state(context).model = f"{station.vendor_name} {station.model}"
            return module.BootNotificationResponse(status="Accepted", current_time=self.now(), interval=INTERVAL)

        def status(context: Context[Any], request: Any) -> Any:
            self.state(context).status = request.connector_status
            return module.StatusNotificationResponse()

        def heartbeat(context: Context[Any], request: Any) -> Any:
            return module.HeartbeatResponse(current_time=self.now())

        def authorize(context: Context[Any], request: Any) -> Any:
            return module.AuthorizeResponse(id_token_info=module.IdTokenInfoType(status="Accepted"))

        def event(context: Context[Any], request: Any) -> Any:
            if request.event_type == "Started":
                self._begin(context, request.transaction_info.transaction_id)
            for value in request.meter_value or ():
                for sample in value.sampled_value:
                    self._measured(context, sample.measurand, sample.value)
            if request.event_type == "Ended":
                self._end(context)
            return module.TransactionEventResponse()

        on = self.router.on
        on(module.BootNotificationRequest, boot)
        on(module.StatusNotificationRequest, status)
        on(module.HeartbeatRequest, heartbeat)
        on(module.AuthorizeRequest, authorize)
        on(module.TransactionEventRequest, event)

    def _open_stream(self, request: v21.OpenPeriodicEventStreamRequest) -> v21.OpenPeriodicEventStreamResponse:
        return v21.OpenPeriodicEventStreamResponse(status="Accepted")

    def _stream(self, payload: v21.NotifyPeriodicEventStream) -> None:
        """Its values are counted, like every message."""

    # Transactions

    def _begin(self, context: Context[Any], transaction: str | int) -> None:
        state = self.state(context)
        state.transaction, state.power, state.energy = transaction, 0.0, 0.0
        self.sessions += 1

    def _measured(self, context: Context[Any], measurand: str | None, value: float) -> None:
        state = self.state(context)
        if measurand == "Power.Active.Import":
            state.power = value
        elif measurand in (None, "Energy.Active.Import.Register"):
            state.energy = value

    def _end(self, context: Context[Any]) -> None:
        state = self.state(context)
        self.energy += state.energy
        state.transaction, state.power = None, 0.0

    # What it asks for by itself

    async def manage(self, server: Server, *, capacity: float, token: str, every: float) -> None:
        """Shares `capacity` (W) among all that charge, and starts a charge at an idle station now and then; runs until it is cancelled."""
        for turn in itertools.count():
            await asyncio.sleep(every)
            charging = [state for state in self.stations.values() if state.transaction is not None]
            share = float(round(capacity / len(charging))) if charging else 0.0
            for state in charging:
                endpoint = server.connections.get(state.identity)
                if endpoint is None or (state.limit, state.limited) == (share, state.transaction):
                    continue
                state.limit, state.limited = share, state.transaction
                await self.ask(endpoint, _limit(endpoint, state.transaction, share))
            idle = [
                state for state in self.stations.values() if state.transaction is None and state.status == "Available"
            ]
            if idle and turn % 3 == 0:
                endpoint = server.connections.get(idle[turn % len(idle)].identity)
                if endpoint is not None:
                    await self.ask(endpoint, _start(endpoint, token))

    async def ask(self, endpoint: Endpoint, request: Any) -> Any:
        """Calls a station; a failure is counted."""
        self.said[request.__action__] += 1
        try:
            return await endpoint.call(request)
        except CallClosed:  # the station has left, which is no refusal
            return None
        except CallFailed:
            self.failed[request.__action__] += 1
            return None


def _limit(endpoint: Endpoint, transaction: Any, watts: float) -> Any:
    """A charging profile for a transaction."""
    version = endpoint.codec.version
    if version == "1.6":
        schedule = v16.ChargingSchedule(
            charging_rate_unit="W", charging_schedule_period=[v16.ChargingSchedulePeriod(start_period=0, limit=watts)]
        )
        profile = v16.ChargingProfile(
            charging_profile_id=1,
            transaction_id=transaction,
            stack_level=0,
            charging_profile_purpose="TxProfile",
            charging_profile_kind="Relative",
            charging_schedule=schedule,
        )
        return v16.SetChargingProfileRequest(connector_id=1, cs_charging_profiles=profile)
    module: Any = v201 if version == "2.0.1" else v21
    period = module.ChargingSchedulePeriodType(start_period=0, limit=watts)
    return module.SetChargingProfileRequest(
        evse_id=1,
        charging_profile=module.ChargingProfileType(
            id=1,
            stack_level=0,
            charging_profile_purpose="TxProfile",
            charging_profile_kind="Relative",
            transaction_id=transaction,
            charging_schedule=[
                module.ChargingScheduleType(id=1, charging_rate_unit="W", charging_schedule_period=[period])
            ],
        ),
    )


def _start(endpoint: Endpoint, token: str) -> Any:
    """The request to start a charge."""
    version = endpoint.codec.version
    if version == "1.6":
        return v16.RemoteStartTransactionRequest(id_tag=token, connector_id=1)
    module: Any = v201 if version == "2.0.1" else v21
    return module.RequestStartTransactionRequest(
        id_token=module.IdTokenType(id_token=token, type="Central"), remote_start_id=1, evse_id=1
    )
