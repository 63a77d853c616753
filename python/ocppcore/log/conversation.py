"""Reading frames one after the other, as a conversation: answers are typed by the calls before them.

Nothing is kept but the actions of calls that are still unanswered, and of those a bounded number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .._errors import OcppError
from .._versions import model

if TYPE_CHECKING:
    from .._codec import Codec
    from .._errors import Finding

Depth = Literal["peek", "decode", "validate", "explain"]
"""How far a frame is looked into: its head alone, typed values, the first fault, or every fault."""

_MOST_OPEN_CALLS = 1 << 16

_CALL, _CALLRESULT, _CALLERROR = 2, 3, 4


class Outcome(NamedTuple):
    """What reading one frame gave. Exactly the parts that could be read are there.

    `kind` is "call", "callresult", ...; `typed` is False for an answer whose call was not seen, which is checked as JSON alone.
    `frame` is there for "decode", `findings` for "explain"; `error` is the first fault.
    """

    kind: str | None
    id: str | None
    action: str | None
    typed: bool = True
    frame: Any = None
    error: OcppError | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_faulty(self) -> bool:
        """Whether a strict decode refuses the frame; advice does not count."""
        return self.error is not None or any(found.severity == "error" for found in self.findings)


class Conversation:
    """Reads the frames of any number of connections of one version, in the order in which they were sent."""

    def __init__(self, codec: Codec[Any]) -> None:
        self.codec = codec
        version_module = "v" + codec.version.replace(".", "")
        self._kinds: dict[str, str] = model(version_module)["frames"]
        self._actions = {action for action, message in codec.messages.items() if message.kind == "call"}
        # (station, id) -> actions of the calls that wait for an answer; two when both sides use the same id at a time.
        self._open: dict[tuple[str | None, str], tuple[str, ...]] = {}

    def read(self, data: bytes, station: str | None = None, depth: Depth = "decode") -> Outcome:
        """What the frame says and what is wrong with it; raises for no data."""
        try:
            head = self.codec.peek(data)
        except OcppError as error:
            # Its head is broken, so it can neither answer a call nor be one that is answered.
            findings = tuple(self.codec.explain(data)) if depth == "explain" else ()
            return Outcome(self._kind(error.message_type), error.message_id, error.action, True, None, error, findings)
        candidates: tuple[str, ...] = ()
        if head.type in (_CALLRESULT, _CALLERROR):
            candidates = self._open.pop((station, head.id), ())
        elif head.type == _CALL and head.action in self._actions:
            self._remember(station, head.id, head.action)
        kind = self._kind(head.type)
        if head.type != _CALLRESULT:
            action = head.action or (candidates[0] if candidates else None)
            return self._judge(data, None, depth, kind, head.id, action)
        if not candidates:
            return self._judge(data, None, depth, kind, head.id, None)._replace(typed=False)
        outcomes = [self._judge(data, action, depth, kind, head.id, action) for action in candidates]
        return next((outcome for outcome in outcomes if not outcome.is_faulty), outcomes[0])

    def _judge(
        self, data: bytes, answered: str | None, depth: Depth, kind: str | None, id: str, action: str | None
    ) -> Outcome:
        if depth == "peek":
            return Outcome(kind, id, action)
        pending = None if answered is None else {id: answered}
        if depth == "explain":
            findings = tuple(self.codec.explain(data, pending))
            return Outcome(kind, id, action, findings=findings)
        try:
            frame = getattr(self.codec, depth)(data, pending)
        except OcppError as error:
            return Outcome(kind, id, action, error=error)
        return Outcome(kind, id, action, frame=frame)

    def _remember(self, station: str | None, id: str, action: str) -> None:
        key = (station, id)
        known = self._open.pop(key, ())
        self._open[key] = known if action in known else (*known, action)[-2:]
        if len(self._open) > _MOST_OPEN_CALLS:
            del self._open[next(iter(self._open))]

    def _kind(self, message_type: int | None) -> str | None:
        return self._kinds.get(str(message_type))
