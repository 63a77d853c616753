"""What can be seen of a connection: one protocol of callbacks, and the ready observers that need no extra.

`ocppcore.aio.otel` and `ocppcore.aio.prometheus` are observers that need one.
"""

from __future__ import annotations

import logging
from typing import Literal, Protocol

from .._errors import Finding, OcppError

Received = Literal["answered", "refused", "deferred", "handled", "failed", "invalid", "unwanted", "answer"]
"""What became of a message of the peer.

A CALL was answered with a CALLRESULT, refused with a CALLERROR, deferred, or its handling failed (cancelled at the end of the connection);
a SEND was handled; anything may be invalid; unwanted is what the session did not take: a CALL that it refused, an answer that belongs
to nothing; answer is one to a CALL of ours, and what that became is told by `called`.
"""

Called = Literal["answered", "refused", "invalid", "timed out", "cancelled", "closed"]
"""How a CALL of ours ended."""


class Observer(Protocol):
    """Is told what happens on connections, of any number of them. A callback that raises is logged, and hurts nothing else.

    `identity` is the station's. `action` is one that the version knows, or None. Sizes are in bytes (of a `str` in characters), durations in
    seconds. `finding` says what was wrong with a message that is invalid.
    """

    def connected(self, identity: str, subprotocol: str) -> None:
        """A connection begins to be served."""
        ...

    def disconnected(self, identity: str, subprotocol: str) -> None:
        """It has ended."""
        ...

    def frame_in(
        self,
        identity: str,
        action: str | None,
        size: int,
        outcome: Received,
        duration: float,
        finding: OcppError | None,
    ) -> None:
        """A message of the peer was dealt with; `duration` is from when it came until its answer was given."""
        ...

    def tolerated(self, identity: str, action: str | None, finding: Finding) -> None:
        """The codec's policy has let something pass, or repaired it, in a message of the peer; its `frame_in` comes later."""
        ...

    def frame_out(self, identity: str, size: int) -> None:
        """A message was sent."""
        ...

    def called(self, identity: str, action: str, outcome: Called, duration: float, finding: OcppError | None) -> None:
        """A CALL of ours has ended; `duration` counts from `call()`, its wait for its turn included."""
        ...


class LoggingObserver:
    """Writes what happens to a logger: what is in order at `level`, what is not as a warning."""

    def __init__(self, logger: logging.Logger | None = None, level: int = logging.DEBUG) -> None:
        self._logger = logger or logging.getLogger("ocppcore.aio.traffic")
        self._level = level

    def connected(self, identity: str, subprotocol: str) -> None:
        self._logger.log(self._level, "%s: connected, %s", identity, subprotocol)

    def disconnected(self, identity: str, subprotocol: str) -> None:
        self._logger.log(self._level, "%s: disconnected", identity)

    def frame_in(
        self,
        identity: str,
        action: str | None,
        size: int,
        outcome: Received,
        duration: float,
        finding: OcppError | None,
    ) -> None:
        level = self._level if outcome in ("answered", "deferred", "handled", "answer") else logging.WARNING
        if self._logger.isEnabledFor(level):
            # Nothing that the peer wrote: a log is read by people and machines that trust it.
            why = "" if finding is None else f": {finding.format(redact=True)}"
            text = "%s: in  %s, %d bytes, %s in %.1f ms%s"
            self._logger.log(level, text, identity, action or "?", size, outcome, duration * 1e3, why)

    def tolerated(self, identity: str, action: str | None, finding: Finding) -> None:
        text = "%s: let pass in %s (%s): %s at %s"
        # The pointer may hold keys that the peer made up, so the rule stands for what they are.
        place = "a field of its own" if finding.kind == "unknown_key" else finding.path or "the frame"
        self._logger.log(self._level, text, identity, action or "?", finding.verdict, finding.rule, place)

    def frame_out(self, identity: str, size: int) -> None:
        self._logger.log(self._level, "%s: out %d bytes", identity, size)

    def called(self, identity: str, action: str, outcome: Called, duration: float, finding: OcppError | None) -> None:
        level = self._level if outcome in ("answered", "cancelled") else logging.WARNING
        self._logger.log(level, "%s: our %s %s after %.1f ms", identity, action, outcome, duration * 1e3)


class Observers:
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def connected(self, identity: str, subprotocol: str) -> None:
        for observer in self._observers:
            observer.connected(identity, subprotocol)

    def disconnected(self, identity: str, subprotocol: str) -> None:
        for observer in self._observers:
            observer.disconnected(identity, subprotocol)

    def frame_in(
        self,
        identity: str,
        action: str | None,
        size: int,
        outcome: Received,
        duration: float,
        finding: OcppError | None,
    ) -> None:
        for observer in self._observers:
            observer.frame_in(identity, action, size, outcome, duration, finding)

    def tolerated(self, identity: str, action: str | None, finding: Finding) -> None:
        for observer in self._observers:
            observer.tolerated(identity, action, finding)

    def frame_out(self, identity: str, size: int) -> None:
        for observer in self._observers:
            observer.frame_out(identity, size)

    def called(self, identity: str, action: str, outcome: Called, duration: float, finding: OcppError | None) -> None:
        for observer in self._observers:
            observer.called(identity, action, outcome, duration, finding)
