"""Frames that pass between a station and its CSMS untouched: routed by their envelope, validated or not, never rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import OcppError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._codec import Codec
    from ._session import Data, Role

CALL, CALL_RESULT_ERROR = 2, 5


class Gateway:
    """Decides which frames between a station and a CSMS are handed on as they came; one for each pair of connections.

    The actions of `keep` are ours: their calls, and all that is no valid frame, belong to the session of the connection on which they
    came. With `validate` the whole frame is checked and built nowhere; without, its envelope alone is read. At most `max_open` calls in
    each direction are remembered until their answers come; what was forgotten, and answers to our own calls, are the session's.
    """

    __slots__ = ("_answered", "_codec", "_keep", "_max_open", "_open", "_validate")

    def __init__(
        self, codec: Codec[Any], *, keep: Iterable[str] = (), validate: bool = False, max_open: int = 64
    ) -> None:
        self._codec = codec
        self._keep = frozenset(keep)
        unknown = sorted(self._keep - codec.messages.keys())
        if unknown:
            raise ValueError(
                f"{', '.join(unknown)}: no such action in OCPP {codec.version}; take names of codec.messages"
            )
        if max_open < 1:
            raise ValueError(f"max_open must be at least 1, not {max_open!r}")
        self._validate = validate
        self._max_open = max_open
        # The caller -> id -> action: calls handed on that wait for an answer, and those whose answer the caller may still refuse.
        self._open: dict[Role, dict[str, str]] = {"station": {}, "csms": {}}
        self._answered: dict[Role, dict[str, str]] = {"station": {}, "csms": {}}

    def passes(self, data: Data, sender: Role) -> bool:
        """Whether to write `data` to the other side, byte for byte; if not, give it to the session of the sender's connection.

        TypeError if `data` is no str and no buffer.
        """
        try:
            return self._passes(data, sender)
        except OcppError:
            return False

    def _passes(self, data: Data, sender: Role) -> bool:
        head = self._codec.peek(data)
        action = head.action
        if action is not None:  # a CALL or a SEND
            if action in self._keep:
                return False
            if self._validate:
                self._codec.validate(data)
            if head.type == CALL:
                _remember(self._open[sender], head.id, action, self._max_open)
            return True
        if head.type == CALL_RESULT_ERROR:
            return self._answered[sender].pop(head.id, None) is not None
        caller: Role = "csms" if sender == "station" else "station"
        action = self._open[caller].pop(head.id, None)
        if action is None:
            return False
        if self._validate:
            self._codec.validate(data, {head.id: action})
        _remember(self._answered[caller], head.id, action, self._max_open)
        return True

    def waiting(self, caller: Role) -> int:
        """How many calls of `caller` were handed on and have no answer yet: while there is one, our own must wait."""
        return len(self._open[caller])


def _remember(calls: dict[str, str], id: str, action: str, most: int) -> None:
    if len(calls) >= most:
        del calls[next(iter(calls))]  # the oldest
    calls[id] = action
