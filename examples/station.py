"""A station of OCPP 2.0.1 that charges once: `python examples/station.py [URL] [IDENTITY]`."""

import asyncio
import sys
from datetime import UTC, datetime

from ocppcore import Router, v201
from ocppcore.aio import Endpoint, stay_connected

router = Router()
charged = asyncio.Event()


@router.on
def transaction_status(request: v201.GetTransactionStatusRequest) -> v201.GetTransactionStatusResponse:
    return v201.GetTransactionStatusResponse(messages_in_queue=False)


@router.on
def reset(request: v201.ResetRequest) -> v201.ResetResponse:
    return v201.ResetResponse(status="Scheduled")


async def connected(csms: Endpoint) -> None:
    """What to do on a connection; when it breaks, `stay_connected` makes another and comes here again."""
    station = v201.ChargingStationType(vendor_name="Vendor", model="Model")
    boot = await csms.call(v201.BootNotificationRequest(reason="PowerUp", charging_station=station))
    print("boot:", boot.status)
    kinds: tuple[v201.TransactionEventEnumType, ...] = ("Started", "Updated", "Ended")
    for number, kind in enumerate(kinds):
        await csms.call(event(kind, number, 100.0 * number))
        print("told:", kind, flush=True)
    charged.set()


def event(kind: v201.TransactionEventEnumType, number: int, energy: float) -> v201.TransactionEventRequest:
    now = datetime.now(UTC)
    return v201.TransactionEventRequest(
        event_type=kind,
        timestamp=now,
        trigger_reason="CablePluggedIn" if kind == "Started" else "MeterValuePeriodic",
        seq_no=number,
        transaction_info=v201.TransactionType(transaction_id="T1"),
        meter_value=[v201.MeterValueType(timestamp=now, sampled_value=[v201.SampledValueType(value=energy)])],
    )


async def main(url: str, identity: str) -> None:
    connection = asyncio.create_task(stay_connected(url, identity, router, connected, versions=["ocpp2.0.1"]))
    await charged.wait()
    connection.cancel()
    await asyncio.wait((connection,))


if __name__ == "__main__":
    asyncio.run(main(*(sys.argv[1:] + ["ws://127.0.0.1:9000", "CP001"][len(sys.argv) - 1 :])))
