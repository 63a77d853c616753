"""A CSMS for OCPP 1.6 and 2.0.1: `python examples/csms.py [PORT]`."""

import asyncio
import logging
import sys
from datetime import UTC, datetime

from ocppcore import Context, RefuseCall, Router, v16, v201
from ocppcore.aio import CallFailed, Endpoint, Server, serve

router = Router()
KNOWN_VENDORS = {"Vendor", "ocppcore"}


@router.on
def boot(context: Context[Endpoint], request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
    print(context.identity, "boots:", request.charging_station.vendor_name, request.charging_station.model)
    known = request.charging_station.vendor_name in KNOWN_VENDORS
    return v201.BootNotificationResponse(
        current_time=datetime.now(UTC), interval=300, status="Accepted" if known else "Rejected"
    )


@router.on
def boot_16(context: Context[Endpoint], request: v16.BootNotificationRequest) -> v16.BootNotificationResponse:
    print(context.identity, "boots:", request.charge_point_vendor, request.charge_point_model)
    known = request.charge_point_vendor in KNOWN_VENDORS
    return v16.BootNotificationResponse(
        current_time=datetime.now(UTC), interval=300, status="Accepted" if known else "Rejected"
    )


@router.on  # one handler for two versions
def heartbeat(
    context: Context[Endpoint], request: v16.HeartbeatRequest | v201.HeartbeatRequest
) -> v16.HeartbeatResponse | v201.HeartbeatResponse:
    answer = v16.HeartbeatResponse if context.subprotocol == "ocpp1.6" else v201.HeartbeatResponse
    return answer(current_time=datetime.now(UTC))


@router.on
def status(request: v201.StatusNotificationRequest) -> v201.StatusNotificationResponse:
    return v201.StatusNotificationResponse()


@router.on
async def transaction(
    context: Context[Endpoint], request: v201.TransactionEventRequest
) -> v201.TransactionEventResponse:
    print(context.identity, request.event_type, request.transaction_info.transaction_id)
    if request.event_type == "Started":
        # Calls back on the same connection, while this handler runs on.
        try:
            answer = await context.call(v201.GetTransactionStatusRequest(), timeout=10)
            print(context.identity, "has messages in its queue:", answer.messages_in_queue)
        except CallFailed as error:
            print(context.identity, error)
    return v201.TransactionEventResponse()


@router.on
def transfer(
    request: v16.DataTransferRequest | v201.DataTransferRequest,
) -> v16.DataTransferResponse | v201.DataTransferResponse:
    raise RefuseCall("SecurityError", "this CSMS takes no vendor's data")


async def main(port: int) -> None:
    server = Server(router, versions=["ocpp2.0.1", "ocpp1.6"])
    async with serve(server, "127.0.0.1", port) as [(host, bound, *_)]:
        print(f"listening at ws://{host}:{bound}/IDENTITY", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9000))
