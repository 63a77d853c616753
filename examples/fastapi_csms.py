"""A CSMS behind an ASGI server: `uvicorn examples.fastapi_csms:app`. In FastAPI the route is `@app.websocket("/ocpp/{identity}")`."""

from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from ocppcore import Router, v201
from ocppcore.aio import Server
from ocppcore.aio.starlette import serve_websocket

router = Router()


@router.on
def boot(request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
    return v201.BootNotificationResponse(current_time=datetime.now(UTC), interval=300, status="Accepted")


@router.on
def transaction(request: v201.TransactionEventRequest) -> v201.TransactionEventResponse:
    return v201.TransactionEventResponse()


server = Server(router, versions=["ocpp2.0.1"])


async def ocpp(websocket: WebSocket) -> None:
    await serve_websocket(server, websocket)


async def connected(request: Request) -> JSONResponse:
    """Who is connected; the site's own pages stand beside the stations' door."""
    return JSONResponse(sorted(server.connections))


app = Starlette(routes=[WebSocketRoute("/ocpp/{identity}", ocpp), Route("/connected", connected)])
