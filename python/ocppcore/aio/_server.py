"""The server's part of a connection's start, for every library alike: who connects, in which version, and may they?

A skin hands in what the HTTP request says (a Handshake), gets an Admission or a Refusal, and hands in the open transport.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from .. import _versions
from .._codec import Codec
from .._session import Session
from ._endpoint import Endpoint
from ._standard import IDENTITY_CHARACTERS, LONGEST_IDENTITY
from ._transport import require_close_code

if TYPE_CHECKING:
    from .._router import Router
    from ._observe import Observer
    from ._transport import Transport

log = logging.getLogger("ocppcore.aio")

NEWEST_FIRST = tuple(version.subprotocol for version in reversed(_versions.VERSIONS))
"""Every subprotocol that ocppcore speaks, the newest first."""


class Handshake(NamedTuple):
    """What a WebSocket request says: the path still percent-encoded, the subprotocols offered, and proofs of who it is.

    `authorization` is that header; `certificate` the client's, as `ssl.SSLSocket.getpeercert()` gives it, None without TLS or without one.
    """

    path: str
    offered: tuple[str, ...] = ()
    authorization: str | None = None
    certificate: Mapping[str, Any] | None = None


class Admission(NamedTuple):
    """A station that may connect: its identity, and the codec of the version that was agreed on.

    `agreed` is the subprotocol to answer with, None where the station offered none and the server's default is taken. `welcome` is False
    for one whose connection is to be opened and closed at once, the standard's way to say that no version is common.
    """

    identity: str
    codec: Codec[Any]
    agreed: str | None
    welcome: bool = True


class Refusal(Exception):
    """A handshake that is answered with an HTTP status instead of a connection."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


Authenticate = Callable[[Admission, Handshake], "bool | Awaitable[bool]"]
"""Whether the station is who it says it is; it may also raise a Refusal of its own, with 404 for one that is not known."""


def csms_session(codec: Codec[Any]) -> Session:
    """The session of a CSMS, as long as nobody asks for another."""
    return Session(codec, "csms")


def codecs_of(versions: Iterable[str | Codec[Any]], default: str | None) -> dict[str, Codec[Any]]:
    """The codecs to speak with by their subprotocol. ValueError where there is none, or not the `default`."""
    if isinstance(versions, str):
        raise ValueError(f"versions is a list of subprotocols, not one: [{versions!r}]")
    codecs = [version if isinstance(version, Codec) else Codec(version) for version in versions]
    by_name = {codec.subprotocol: codec for codec in codecs}
    if not by_name:
        raise ValueError("versions is empty; name at least one subprotocol, 'ocpp2.0.1' say")
    if default is not None and default not in by_name:
        raise ValueError(f"default is {default!r}, which is not among versions: {', '.join(by_name)}")
    return by_name


class Server:
    """The connections of a CSMS, whichever library carries them.

    `versions` are the subprotocols to speak, or codecs for them, in order of preference; unless given, all, the newest first. A station that
    offers none of them is refused; one that offers nothing is too, unless `default` says which version it is then taken to speak.
    Refused is with HTTP 400, as the certification tests want it; with `no_common="close"` the connection is opened without a
    subprotocol and closed at once, as the standard's text has it (OCPP-J 1.6 §3.2, 2.x Part 4 §3.3).

    `authenticate` is asked for each station (`ocppcore.aio.security` has the standard's ways); False is answered with 401. `identify` reads
    the identity from the path, `identity_of` unless given. When a second connection of one identity comes, `keep` says which of the two stays.
    `make_session` makes the session of each connection, `partial(Session, role="csms", max_open=4)` say; `drain`, `stall` and `observer`
    are the Endpoint's.

    `connections` holds the endpoint of every identity that is connected: `await server.connections["CP001"].call(...)`.
    """

    def __init__(
        self,
        router: Router,
        *,
        versions: Iterable[str | Codec[Any]] = NEWEST_FIRST,
        default: str | None = None,
        no_common: Literal["refuse", "close"] = "refuse",
        authenticate: Authenticate | None = None,
        identify: Callable[[str, str], str] | None = None,
        keep: Literal["new", "old"] = "new",
        make_session: Callable[[Codec[Any]], Session] = csms_session,
        drain: float = 10.0,
        stall: float = 30.0,
        observer: Observer | None = None,
    ) -> None:
        if not hasattr(router, "handle"):
            raise TypeError(f"a server takes a Router, whose handlers answer its stations, not {type(router).__name__}")
        self._router = router
        self._codecs = codecs_of(versions, default)
        if keep not in ("new", "old"):
            raise ValueError(f'keep is "new" or "old", not {keep!r}')
        if no_common not in ("refuse", "close"):
            raise ValueError(f'no_common is "refuse" or "close", not {no_common!r}')
        self._default = default
        self._no_common = no_common
        self._authenticate = authenticate
        self._identify = identify or identity_of
        self._keep = keep
        self._make_session = make_session
        self._drain = drain
        self._stall = stall
        self._observer = observer
        self._connections: dict[str, Endpoint] = {}
        self._running: set[Endpoint] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> Mapping[str, Endpoint]:
        """Identity -> endpoint of what is connected now, a live view."""
        return types.MappingProxyType(self._connections)

    @property
    def max_size(self) -> int:
        """The bytes that a message may have: the most that one of the codecs takes. A WebSocket library is told it too."""
        return max(codec.max_size for codec in self._codecs.values())

    async def admit(self, handshake: Handshake) -> Admission:
        """Who connects and in which version; raises Refusal. It waits for nothing but `authenticate`."""
        admission = self._negotiate(handshake)
        if not admission.welcome:
            return admission
        identity = self._identify(handshake.path, admission.codec.version)
        admission = admission._replace(identity=identity)
        if self._authenticate is not None:
            try:
                genuine = self._authenticate(admission, handshake)
                if inspect.isawaitable(genuine):
                    genuine = await genuine
            except Refusal:
                raise
            except Exception:
                log.exception("%s: is refused, since authenticate failed", identity)
                raise Refusal(500, "the server cannot check who this is") from None
            if not genuine:
                log.warning("%s: is refused, its credentials are missing or wrong", identity)
                raise Refusal(401, "credentials are missing or wrong", {"WWW-Authenticate": 'Basic realm="OCPP"'})
        if self._keep == "old" and identity in self._connections:
            raise Refusal(409, f"{identity!r} is connected already")
        return admission

    def _negotiate(self, handshake: Handshake) -> Admission:
        for name, codec in self._codecs.items():
            if name in handshake.offered:
                return Admission("", codec, name)
        if not handshake.offered and self._default is not None:
            return Admission("", self._codecs[self._default], None)
        for name in handshake.offered:
            try:
                _versions.version_of(name)
            except ValueError as advice:
                log.warning("%s: is refused: %s", handshake.path, advice)
        if self._no_common == "close":
            return Admission("", next(iter(self._codecs.values())), None, welcome=False)
        why = "no common subprotocol" if handshake.offered else "no subprotocol was offered"
        raise Refusal(400, f"{why}; this server speaks {', '.join(self._codecs)}")

    async def run(self, transport: Transport, admission: Admission) -> None:
        """Serves an admitted connection until it has ended."""
        if not admission.welcome:
            await transport.close(1002, "no common subprotocol")
            return
        identity = admission.identity
        session = self._make_session(admission.codec)
        endpoint = Endpoint(
            transport,
            session,
            self._router,
            identity,
            drain=self._drain,
            stall=self._stall,
            observer=self._observer,
        )
        before = self._connections.get(identity)
        if before is not None:
            if self._keep == "old":
                await transport.close(1008, "connected already")
                return
            log.info("%s: connects anew, the connection before is closed", identity)
            # It may be half dead, and take its time.
            task = asyncio.create_task(before.close(1000, "replaced by a new connection", drain=0.0))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._connections[identity] = endpoint
        self._running.add(endpoint)
        try:
            await endpoint.run()
        finally:
            self._running.discard(endpoint)
            # The late end of a connection that was replaced must not take the new one away.
            if self._connections.get(identity) is endpoint:
                del self._connections[identity]

    async def close(self, code: int = 1001, reason: str = "the server closes") -> None:
        """Closes every connection in good order, and returns when all have ended. ValueError as for `Endpoint.close`."""
        require_close_code(code)
        endpoints = tuple(self._running)
        for task in [asyncio.create_task(endpoint.close(code, reason)) for endpoint in endpoints]:
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if self._closing:
            await asyncio.wait(tuple(self._closing))
        for endpoint in endpoints:
            await endpoint.wait_closed()


def identity_of(path: str, version: str) -> str:
    """The station's identity: the last segment of the path, percent-decoded (OCPP-J 1.6 §3.1.1, 2.x Part 4 §3.1.1).

    Refusal where there is none, or where it is not one of the version's.
    """
    raw = path.partition("?")[0].rpartition("/")[2]
    try:
        identity = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(404, "the identity in the URL is not UTF-8") from None
    if not identity:
        raise Refusal(404, "the URL must end with the station's identity")
    if len(identity) > LONGEST_IDENTITY[version]:
        raise Refusal(404, f"the identity in the URL has more than {LONGEST_IDENTITY[version]} characters")
    if not identity.isprintable():
        raise Refusal(404, "the identity in the URL holds characters that cannot be printed")
    if version != "1.6" and not IDENTITY_CHARACTERS.issuperset(identity):
        raise Refusal(404, f"the identity in the URL holds characters that OCPP {version} does not allow in one")
    return identity
