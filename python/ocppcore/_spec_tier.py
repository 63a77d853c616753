"""The rules of the specification tier in codecs whose policy names some of them.

They are looked for in what the schemas and the rest of the policy have let pass: in the text as it came, with what was repaired in it, or as it is
about to be sent. The Python walker reads that text once more, on both backends, and only where an entry and a check may hold for the message:
others cost a look-up, and codecs whose policy names no such rule have nothing of this.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from . import _rules, _versions
from ._advice import advise
from ._batch import check_each, decode_each, frames_of
from ._errors import Finding, OcppError, refusal_of
from ._explain import finding_of, goes_to_station
from ._frames import Call, CallResult, Send
from ._policy import SPEC
from ._pure.engine import FARTHEST, Head, text_or_bytes
from ._pure.text import Scanner
from ._pure.tree import read_tree
from ._pure.walk import Walk
from ._tolerant import RESULT, Text
from ._tolerated import Tolerated

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._errors import Rules
    from ._pure.schema import ObjectType
    from ._tolerant import Outcome, Tolerance

Direction = Literal["in", "out"]

# The frames that have a payload: the kind of it, and the kind of frame, as a schema has them.
_CARRIED: tuple[tuple[type[Any], str, str], ...] = (
    (Call, "request", "call"),
    (CallResult, "response", "callresult"),
    (Send, "send", "send"),
)


class _Subject(NamedTuple):
    """The payloads of an action: their type, the checks that are to be made, and whether a station is to receive them."""

    type: ObjectType
    checks: _rules.Checks
    to_station: bool


class _Characters(Walk):
    """A walk whose places are characters of its text, not bytes."""

    __slots__ = ()

    def offset(self, at: int) -> int:
        """The character itself."""
        return at


class SpecTier:
    """What a codec's policy asks for of the rules of the specification tier. `tolerance` gives the codec's second look."""

    def __init__(self, tolerance: Callable[[], Tolerance], version: _versions.Version, rules: Rules) -> None:
        self._tolerance = tolerance
        self._version = version
        self._rules = rules
        # By action and kind of payload, direction, and whether reports are wanted; None where there is nothing to look for.
        self._subjects: dict[tuple[str, str, Direction, bool], _Subject | None] = {}

    def frame(
        self,
        frame: Any,
        data: Any,
        outcome: Outcome[Any] | None = None,
        *,
        direction: Direction = "in",
        reports: bool = False,
    ) -> list[Finding]:
        """What is reported of the payload of a frame, if `reports` are wanted; raises the OcppError for the first rule that is refused.

        `outcome` is what the policy has made of `data` before, None where that was valid.
        """
        for cls, kind, kind_of_frame in _CARRIED:
            if isinstance(frame, cls):
                action: str | None = getattr(frame.payload, "__action__", None)  # a raw payload has none
                subject = None if action is None else self._subject(action, kind, direction, reports)
                if subject is None:
                    return []
                frames = self._tolerance().schema.frames
                number = next(number for number, known in frames.items() if known == kind_of_frame)
                head = Head(number, frame.id, action)
                return self._findings(subject, data, outcome, head, direction, reports, in_frame=True)
        return []

    def payload(
        self,
        kind: str,
        head: Head,
        data: Any,
        outcome: Outcome[Any] | None = None,
        *,
        direction: Direction = "in",
        offset: int = 0,
    ) -> None:
        """Raises the OcppError for the first rule that is refused in a payload, which stood at `offset` of the frame of `head`, if in one."""
        subject = self._subject(head.action or "", kind, direction, False)
        if subject is not None:
            self._findings(subject, data, outcome, head, direction, False, offset=offset)

    def looks_at(self, action: str | None, *, reports: bool = False) -> bool:
        """Whether there may be something to look for in a message that comes in; None for an action that could not be read."""
        if action is None:
            return True
        return any(self._subject(action, kind, "in", reports) is not None for _, kind, _ in _CARRIED)

    def _findings(
        self,
        subject: _Subject,
        data: Any,
        outcome: Outcome[Any] | None,
        head: Head,
        direction: Direction,
        reports: bool,
        *,
        in_frame: bool = False,
        offset: int = 0,
    ) -> list[Finding]:
        tolerance, action = self._tolerance(), head.action or ""
        given = text_or_bytes(data)
        scanner = Scanner(given)
        text = Text(scanner.text[: scanner.end]) if outcome is None or outcome.text is None else outcome.text
        walk = _Characters(tolerance.schema, text.text, tolerance.limits, [])
        if in_frame:
            walk.head()
            walk.payload_element()
        if walk.begins() != "{":
            return []  # it has come untyped
        tree = read_tree(walk, subject.type, walk.at)
        told = frozenset((fault.path, fault.kind) for fault in (outcome.left if outcome is not None else ()))
        transaction = tolerance.is_transaction(action)
        raw = b""
        found: list[Finding] = []
        for one in sorted(advise(tree, subject.checks, subject.to_station, told), key=lambda one: one.start):
            entry = next(tolerance.policy.entries(one.rule, action, transaction, one.path, direction), None)
            if entry is None or entry.verdict == "ignore" or (entry.verdict == "report" and not reports):
                continue
            if direction == "out":
                raise refusal_of(finding_of(one, None, head, self._rules), self._rules)
            if not raw:
                encoded = given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass")
                raw = b" " * offset + encoded if offset <= FARTHEST else b""  # as it stood in its frame
            start = offset + scanner.offset(text.original(one.start))
            end = offset + scanner.offset(text.original(one.end))
            if text.text[one.start : one.end].encode("utf-8", "surrogatepass") != raw[start:end]:  # it was rewritten
                end = tolerance.make_error(one.kind, one.path, start, None, raw, None, None, None).end or start
            finding = finding_of(one._replace(start=start, end=end), raw, head, self._rules)
            if entry.verdict == "refuse":
                raise refusal_of(finding, self._rules)
            found.append(msgspec.structs.replace(finding, verdict="report"))
        return found

    def _subject(self, action: str, kind: str, direction: Direction, reports: bool) -> _Subject | None:
        key = (action, kind, direction, reports)
        if key not in self._subjects:
            subject = self._made_subject(*key)
            if subject is None and action not in self._tolerance().schema.actions:
                return None  # a peer's own word is not kept
            self._subjects[key] = subject
        return self._subjects[key]

    def _made_subject(self, action: str, kind: str, direction: Direction, reports: bool) -> _Subject | None:
        tolerance = self._tolerance()
        type_ = tolerance.schema.payloads.get((action, kind))
        if type_ is None:
            return None
        verdicts = ("refuse", "report") if reports else ("refuse",)
        transaction = tolerance.is_transaction(action)
        wanted = {
            name
            for entry in tolerance.policy.rules
            if entry.verdict in verdicts and entry.is_for(action, transaction, direction)
            for name in entry.rule
        }
        known = _rules.checks(self._version.number)
        types, kinds = _parts_of(type_)
        checks = _rules.Checks(_chosen(known.by_type, types, wanted), _chosen(known.by_kind, kinds, wanted))
        if not checks.by_type and not checks.by_kind:
            return None
        return _Subject(type_, checks, goes_to_station(self._version, action, kind == "response"))


def _chosen(checks: dict[str, list[_rules.Check]], keys: set[str], wanted: set[str]) -> dict[str, list[_rules.Check]]:
    """The checks of some rules, of types or kinds that there are."""
    chosen = {key: [one for one in checks.get(key, ()) if SPEC in wanted or one.rule in wanted] for key in keys}
    return {key: found for key, found in chosen.items() if found}


def _parts_of(type_: ObjectType) -> tuple[set[str], set[str]]:
    """The names of the types in a payload, and the kinds of its values."""
    types: dict[str, ObjectType] = {}
    kinds: set[str] = set()
    waiting = [type_]
    while waiting:
        found = waiting.pop()
        if found.name in types:
            continue
        types[found.name] = found
        for field in found.by_name.values():
            inner = field.item or field
            kinds.add(inner.kind)
            if inner.kind == "object":
                waiting.append(inner.type)
    return set(types), kinds


@cache
def checking(base: Any) -> Any:
    """The class of the codecs that also look for rules of the specification tier, on top of one that has a policy."""

    class CheckingCodec(base):  # type: ignore[misc]
        __slots__ = ("_tier",)

        if TYPE_CHECKING:
            _tier: SpecTier  # a slot

        def decode(self, data: Any, pending: Any = None) -> Any:
            return self._looked_at(data, pending)

        def validate(self, data: Any, pending: Any = None) -> None:
            self._looked_at(data, pending)

        def _looked_at(self, data: Any, pending: Any) -> Any:
            """The frame, once neither tier refuses it."""
            try:
                frame = self._strict.decode(data, pending)
            except OcppError as error:
                again = self._again(error, data, pending, reports=False)
            else:
                self._tier.frame(frame, data)
                return frame
            if again is None:
                return base.decode(self, data, pending)
            frame = again.accepted()
            self._tier.frame(frame, data, again)
            return frame

        def _again(self, error: OcppError, data: Any, pending: Any, *, reports: bool) -> Outcome[Any] | None:
            """What the policy makes of data that breaks a schema, with the text that it comes to; None where nobody would look at that."""
            if not self._tier.looks_at(error.action, reports=reports):
                return None
            outcome: Outcome[Any] = self._tolerance().frame(text_or_bytes(data), pending)
            return outcome

        def decode_many(self, frames: Any, pending: Any = None) -> Any:
            return decode_each(self.decode, frames, pending)

        def _check_many(self, frames: Any, threads: int) -> tuple[bytes, bytes]:
            return check_each(self.validate, frames_of(frames))

        def decode_with_findings(self, data: Any, pending: Any = None) -> Any:
            try:
                frame = self._strict.decode(data, pending)
            except OcppError as error:
                again = self._again(error, data, pending, reports=True)
            else:
                return Tolerated(frame, self._tier.frame(frame, data, reports=True), {})
            if again is None:
                return base.decode_with_findings(self, data, pending)
            if again.refused:
                again.accepted()
            findings = [*again.findings(), *self._tier.frame(again.value, data, again, reports=True)]
            findings.sort(key=lambda finding: -1 if finding.offset is None else finding.offset)
            return Tolerated(again.value, findings, again.extras)

        def resolve(self, frame: Any, action: Any) -> Any:
            again: Outcome[Any] | None = None
            resolved: Any = None
            try:
                resolved = self._strict.resolve(frame, action)
            except OcppError:
                again = self._tolerance().resolved(frame, action)
            if again is not None:
                resolved = again.accepted()
            if resolved is not frame:
                raw = frame.payload
                head = Head(RESULT, frame.id, resolved.payload.__action__)
                self._tier.payload("response", head, raw.data, again, offset=raw.offset)
            return resolved

        def decode_payload(self, data: Any, action: str, kind: str) -> Any:
            again: Outcome[Any] | None = None
            payload: Any = None
            try:
                payload = self._strict.decode_payload(data, action, kind)
            except OcppError:
                again = self._tolerance().payload(data, action, kind)
            if again is not None:
                payload = again.accepted()
            self._tier.payload(kind, Head(action=action), data, again)
            return payload

        def encode(self, frame: Any) -> Any:
            data = base.encode(self, frame)
            self._tier.frame(frame, data, direction="out")
            return data

        def encode_with_extras(self, frame: Any, extras: Any) -> Any:
            data = base.encode_with_extras(self, frame, extras)
            self._tier.frame(frame, data, direction="out")
            return data

        def encode_payload(self, payload: Any) -> Any:
            data = base.encode_payload(self, payload)
            action, kind, _ = self._tolerance().schema.role_of(payload)
            self._tier.payload(kind, Head(action=action), data, direction="out")
            return data

    CheckingCodec.__name__ = CheckingCodec.__qualname__ = f"Checking{base.__name__}"
    return CheckingCodec
