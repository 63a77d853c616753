"""A simulated station: it boots, tells its status, beats, charges cars, obeys charging profiles and remote starts."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from ... import Context, Router, v16, v21, v201
from ...aio import CallFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...aio import Endpoint
    from .clock import Clock

POWER = 11_000.0
"""What a car takes at most, in W."""
VOLTS, PHASES = 230.0, 3
SAMPLE_EVERY = 60.0
"""Seconds between two meter readings of a charge."""


class Station:
    """A station of one connector. `calls` and `failed` count its messages by action, `charges` what it has finished.

    A subclass knows how a version says things.
    """

    def __init__(self, identity: str, clock: Clock, random: Random) -> None:
        self.identity = identity
        self.clock = clock
        self.random = random
        self.calls: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.charges = 0
        self.router = Router()
        self.limit = POWER
        self.energy = 0.0  # Wh of the charge at hand
        self._wanted: asyncio.Queue[str] = asyncio.Queue(maxsize=1)  # tokens for which a charge was asked
        self._stop = asyncio.Event()

    async def live(self, csms: Endpoint) -> None:
        """What a station does from its start on, until it is cancelled."""
        interval = await self.boot(csms)
        await self.status(csms, "Available")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(csms, interval))
            tasks.create_task(self._charge_cars(csms))

    async def ask(self, csms: Endpoint, request: Any) -> Any:
        """Calls the CSMS; a refusal or a timeout is counted and gives None."""
        self.calls[request.__action__] += 1
        try:
            return await csms.call(request)
        except CallFailed:
            self.failed[request.__action__] += 1
            return None

    async def _beat(self, csms: Endpoint, interval: float) -> None:
        while True:
            await self.clock.sleep(interval)
            await self.ask(csms, self.heartbeat())

    async def _charge_cars(self, csms: Endpoint) -> None:
        while True:
            pause = self.random.uniform(60, 900)
            try:
                # Not wait_for: on 3.11 it swallows a cancellation that comes together with the token.
                async with asyncio.timeout(pause / self.clock.speed):
                    token, remote = await self._wanted.get(), True
            except TimeoutError:
                token, remote = f"TAG{self.random.randrange(10**6):06}", False
            await self._charge(csms, token, remote=remote)

    async def _charge(self, csms: Endpoint, token: str, *, remote: bool) -> None:
        self.limit, self.energy = POWER, 0.0
        self._stop.clear()
        await self.begin(csms, token, remote=remote)
        for _ in range(self.random.randrange(5, 30)):
            await self.clock.sleep(SAMPLE_EVERY)
            power = min(POWER, self.limit) * self.random.uniform(0.97, 1.0)
            self.energy += power * SAMPLE_EVERY / 3600
            await self.sample(csms, power, self.energy)
            if self._stop.is_set():
                break
        await self.end(csms, token, "Remote" if self._stop.is_set() else "EVDisconnected")
        self.charges += 1

    def remote_start(self, token: str) -> bool:
        """Whether a charge that was asked for will begin."""
        if self._wanted.full():
            return False
        self._wanted.put_nowait(token)
        return True

    def remote_stop(self) -> None:
        """Ends the charge at hand at its next reading."""
        self._stop.set()

    def set_limit(self, limit: float | None, unit: str) -> None:
        """Obeys the first period of a charging schedule."""
        if limit is not None:
            self.limit = limit if unit == "W" else limit * VOLTS * PHASES

    # What the versions say each in their way

    async def boot(self, csms: Endpoint) -> float:
        """Boots and gives the seconds between heartbeats."""
        raise NotImplementedError

    async def status(self, csms: Endpoint, status: Any) -> None:
        """Tells the connector's status."""
        raise NotImplementedError

    def heartbeat(self) -> Any:
        """A heartbeat."""
        raise NotImplementedError

    async def begin(self, csms: Endpoint, token: str, *, remote: bool) -> None:
        """Begins a transaction."""
        raise NotImplementedError

    async def sample(self, csms: Endpoint, power: float, energy: float) -> None:
        """Tells a meter reading: W, and Wh since the transaction began."""
        raise NotImplementedError

    async def end(self, csms: Endpoint, token: str, why: Any) -> None:
        """Ends the transaction."""
        raise NotImplementedError


class Station16(Station):
    """A station that speaks OCPP 1.6."""

    subprotocol = "ocpp1.6"

    def __init__(self, identity: str, clock: Clock, random: Random) -> None:
        super().__init__(identity, clock, random)
        self._transaction = 0
        on = self.router.on
        on(self._on_start)
        on(self._on_stop)
        on(self._on_profile)

    def _on_start(self, request: v16.RemoteStartTransactionRequest) -> v16.RemoteStartTransactionResponse:
        accepted = self.remote_start(request.id_tag)
        return v16.RemoteStartTransactionResponse(status="Accepted" if accepted else "Rejected")

    def _on_stop(self, request: v16.RemoteStopTransactionRequest) -> v16.RemoteStopTransactionResponse:
        self.remote_stop()
        return v16.RemoteStopTransactionResponse(status="Accepted")

    def _on_profile(self, request: v16.SetChargingProfileRequest) -> v16.SetChargingProfileResponse:
        schedule = request.cs_charging_profiles.charging_schedule
        self.set_limit(schedule.charging_schedule_period[0].limit, schedule.charging_rate_unit)
        return v16.SetChargingProfileResponse(status="Accepted")

    async def boot(self, csms: Endpoint) -> float:
        answer = await self.ask(
            csms, v16.BootNotificationRequest(charge_point_vendor="ocppcore", charge_point_model="Simulated 1.6")
        )
        return float(answer.interval) if answer is not None else SAMPLE_EVERY

    async def status(self, csms: Endpoint, status: Any) -> None:
        await self.ask(
            csms,
            v16.StatusNotificationRequest(
                connector_id=1, error_code="NoError", status=status, timestamp=self.clock.now()
            ),
        )

    def heartbeat(self) -> Any:
        return v16.HeartbeatRequest()

    async def begin(self, csms: Endpoint, token: str, *, remote: bool) -> None:
        await self.status(csms, "Preparing")
        await self.ask(csms, v16.AuthorizeRequest(id_tag=token))
        start = v16.StartTransactionRequest(connector_id=1, id_tag=token, meter_start=0, timestamp=self.clock.now())
        answer = await self.ask(csms, start)
        self._transaction = answer.transaction_id if answer is not None else 0
        await self.status(csms, "Charging")

    async def sample(self, csms: Endpoint, power: float, energy: float) -> None:
        samples = [
            v16.SampledValue(value=f"{power:.1f}", measurand="Power.Active.Import", unit="W"),
            v16.SampledValue(value=f"{energy:.1f}", measurand="Energy.Active.Import.Register", unit="Wh"),
        ]
        value = v16.MeterValue(timestamp=self.clock.now(), sampled_value=samples)
        await self.ask(
            csms, v16.MeterValuesRequest(connector_id=1, transaction_id=self._transaction, meter_value=[value])
        )

    async def end(self, csms: Endpoint, token: str, why: Any) -> None:
        await self.ask(
            csms,
            v16.StopTransactionRequest(
                transaction_id=self._transaction,
                id_tag=token,
                meter_stop=round(self.energy),
                timestamp=self.clock.now(),
                reason=why,
            ),
        )
        await self.status(csms, "Available")


class Station2(Station):
    """A station that speaks OCPP 2.0.1 or 2.1, whose messages have the same names."""

    subprotocol = "ocpp2.0.1"
    module: Any = v201

    def __init__(self, identity: str, clock: Clock, random: Random) -> None:
        super().__init__(identity, clock, random)
        self._transaction = ""
        self._number = 0
        on = self.router.on
        on(self.module.RequestStartTransactionRequest, self._on_start)
        on(self.module.RequestStopTransactionRequest, self._on_stop)
        on(self.module.SetChargingProfileRequest, self._on_profile)

    def _on_start(self, context: Context[Any], request: Any) -> Any:
        accepted = self.remote_start(request.id_token.id_token)
        return self.module.RequestStartTransactionResponse(status="Accepted" if accepted else "Rejected")

    def _on_stop(self, context: Context[Any], request: Any) -> Any:
        self.remote_stop()
        return self.module.RequestStopTransactionResponse(status="Accepted")

    def _on_profile(self, context: Context[Any], request: Any) -> Any:
        schedule = request.charging_profile.charging_schedule[0]
        self.set_limit(schedule.charging_schedule_period[0].limit, schedule.charging_rate_unit)
        return self.module.SetChargingProfileResponse(status="Accepted")

    async def boot(self, csms: Endpoint) -> float:
        station = self.module.ChargingStationType(vendor_name="ocppcore", model=f"Simulated {csms.codec.version}")
        answer = await self.ask(csms, self.module.BootNotificationRequest(reason="PowerUp", charging_station=station))
        return float(answer.interval) if answer is not None else SAMPLE_EVERY

    async def status(self, csms: Endpoint, status: Any) -> None:
        await self.ask(
            csms,
            self.module.StatusNotificationRequest(
                timestamp=self.clock.now(), connector_status=status, evse_id=1, connector_id=1
            ),
        )

    def heartbeat(self) -> Any:
        return self.module.HeartbeatRequest()

    def _event(self, kind: str, trigger: str, **more: Any) -> Any:
        self._number += 1
        ended = kind == "Ended"
        return self.module.TransactionEventRequest(
            event_type=kind,
            timestamp=self.clock.now(),
            trigger_reason=trigger,
            seq_no=self._number - 1,
            transaction_info=self.module.TransactionType(
                transaction_id=self._transaction,
                charging_state="Idle" if ended else "Charging",
                stopped_reason=more.pop("stopped_reason", None),
            ),
            evse=self.module.EVSEType(id=1, connector_id=1),
            **more,
        )

    async def begin(self, csms: Endpoint, token: str, *, remote: bool) -> None:
        id_token = self.module.IdTokenType(id_token=token, type="Central" if remote else "ISO14443")
        await self.ask(csms, self.module.AuthorizeRequest(id_token=id_token))
        await self.status(csms, "Occupied")
        self._transaction, self._number = f"{self.random.getrandbits(64):016x}", 0
        trigger = "RemoteStart" if remote else "Authorized"
        await self.ask(csms, self._event("Started", trigger, id_token=id_token))

    async def sample(self, csms: Endpoint, power: float, energy: float) -> None:
        sampled, unit = self.module.SampledValueType, self.module.UnitOfMeasureType
        samples = [
            sampled(value=round(power, 1), measurand="Power.Active.Import", unit_of_measure=unit(unit="W")),
            sampled(value=round(energy, 1), measurand="Energy.Active.Import.Register", unit_of_measure=unit(unit="Wh")),
        ]
        value = self.module.MeterValueType(timestamp=self.clock.now(), sampled_value=samples)
        await self.ask(csms, self._event("Updated", "MeterValuePeriodic", meter_value=[value]))

    async def end(self, csms: Endpoint, token: str, why: Any) -> None:
        await self.ask(
            csms, self._event("Ended", "RemoteStop" if why == "Remote" else "EVDeparted", stopped_reason=why)
        )
        await self.status(csms, "Available")


class Station21(Station2):
    """A station that speaks OCPP 2.1, and streams its voltage by SEND while it charges."""

    subprotocol = "ocpp2.1"
    module = v21

    async def boot(self, csms: Endpoint) -> float:
        interval = await super().boot(csms)
        stream = v21.ConstantStreamDataType(
            id=1, variable_monitoring_id=1, params=v21.PeriodicEventStreamParamsType(interval=60, values=3)
        )
        await self.ask(csms, v21.OpenPeriodicEventStreamRequest(constant_stream_data=stream))
        return interval

    async def sample(self, csms: Endpoint, power: float, energy: float) -> None:
        await super().sample(csms, power, energy)
        values = [
            v21.StreamDataElementType(t=20.0 * number, v=f"{self.random.gauss(VOLTS, 1):.1f}") for number in range(3)
        ]
        told = v21.NotifyPeriodicEventStream(id=1, pending=0, basetime=self.clock.now(), data=values)
        self.calls[told.__action__] += 1
        await csms.send(told)


STATIONS: dict[str, Callable[[str, Clock, Random], Station16 | Station2]] = {
    "1.6": Station16,
    "2.0.1": Station2,
    "2.1": Station21,
}
"""OCPP version -> the station that speaks it."""
