"""How a connection and a call of ours can fail: what `connect(...)` and `await endpoint.call(...)` raise.

    ConnectFailed        the connection could not be made
    └── NoCommonVersion  the server agreed to no subprotocol

    CallFailed
    ├── CallRefused      the peer answered with a CALLERROR
    ├── CallInvalid      the peer answered with something that is not valid
    ├── CallTimedOut     no answer came in time
    └── CallClosed       the connection ended before the answer came

A request that is not valid raises EncodeError, one that this side does not send ValueError, and a queue that is full QueueFull, as in a Session.
"""

from __future__ import annotations

from .._errors import OcppError
from .._frames import CallError


class CallFailed(Exception):
    """A call that got no valid answer; `action` says which one it was."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(action, message)
        self.action = action
        self._message = message

    def __str__(self) -> str:
        return f"{self.action}: {self._message}"


class CallRefused(CallFailed):
    """The peer answered with a CALLERROR: `answer`. Its `canonical_code` is the same in every version."""

    def __init__(self, action: str, answer: CallError) -> None:
        text = f"refused with {answer.code}"
        super().__init__(action, f"{text}: {answer.description}" if answer.description else text)
        self.args = (action, answer)
        self.answer = answer


class CallInvalid(CallFailed):
    """The peer answered, but not validly: `error` says what is wrong, and its `message_id` to which call it belongs."""

    def __init__(self, action: str, error: OcppError) -> None:
        super().__init__(action, f"the answer is not valid: {error}")
        self.args = (action, error)
        self.error = error


class CallTimedOut(CallFailed):
    """No answer came in time."""

    def __init__(self, action: str, message: str = "no answer came in time") -> None:
        super().__init__(action, message)


class CallClosed(CallFailed):
    """The connection was closed before an answer came; whether the peer has acted on the call is not known."""

    def __init__(self, action: str, message: str = "the connection was closed before an answer came") -> None:
        super().__init__(action, message)


class ConnectFailed(ConnectionError):
    """A connection could not be made; `status` is the HTTP status of the server that refused it, None if it did not come that far."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NoCommonVersion(ConnectFailed):
    """The server agreed to none of the subprotocols that were offered; the connection was closed again."""
