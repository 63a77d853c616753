"""What a peer gets for everything it may send, through session and router, in all three versions: the whole table in one place.

The rows follow the spec's rules of answering and the choices of design and docs/semantics.md; None means that nothing may be sent.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppcore import Call, Codec, Context, Router, Send, Session
from support.backends import SUBPROTOCOLS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSIONS = ("v16", "v201", "v21")
BOOT = {
    "v16": '"chargePointModel":"M","chargePointVendor":"V"',
    "v201": '"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}',
    "v21": '"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}',
}
ENUM = {
    "v16": '[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]',
    "v201": '[2,"1","BootNotification",{"reason":"Sleeping","chargingStation":{"model":"M","vendorName":"V"}}]',
    "v21": '[2,"1","BootNotification",{"reason":"Sleeping","chargingStation":{"model":"M","vendorName":"V"}}]',
}
FEW = {
    "v16": '[2,"1","SignedFirmwareStatusNotification",{}]',
    "v201": '[2,"1","NotifyEvent",{"generatedAt":"2026-03-01T12:00:00Z","seqNo":0,"eventData":[]}]',
    "v21": '[2,"1","NotifyEvent",{"generatedAt":"2026-03-01T12:00:00Z","seqNo":0,"eventData":[]}]',
}
LONG_ID = "x" * 37

# What comes in, and (id, code) of the answer in 1.6, 2.0.1 and 2.1.
Reply = tuple[str, str] | None
NO_ID_201 = ("-1", "RpcFrameworkError")
ROWS: dict[str, tuple[Any, tuple[Reply, Reply, Reply]]] = {
    # Nothing can be read of it.
    "not UTF-8": (b'\xff["2"]', (None, NO_ID_201, NO_ID_201)),
    "not JSON": ("hello", (None, NO_ID_201, NO_ID_201)),
    "nothing": ("", (None, NO_ID_201, NO_ID_201)),
    "not an array": ('{"a":1}', (None, NO_ID_201, NO_ID_201)),
    "an empty array": ("[]", (None, NO_ID_201, NO_ID_201)),
    "a type that is no integer": ('["2","1","Heartbeat",{}]', (None, NO_ID_201, NO_ID_201)),
    "very deep": ("[" * 50_000, (None, NO_ID_201, NO_ID_201)),
    # A CALL that is broken, whose id can be read.
    "cut off": (
        '[2,"1","Heartbeat",{',
        (("1", "FormationViolation"), ("1", "FormatViolation"), ("1", "FormatViolation")),
    ),
    "an id of 37": (
        f'[2,"{LONG_ID}","Heartbeat",{{}}]',
        ((LONG_ID, "FormationViolation"), (LONG_ID, "RpcFrameworkError"), (LONG_ID, "RpcFrameworkError")),
    ),
    "an id that is a number": ('[2,1,"Heartbeat",{}]', (None, NO_ID_201, NO_ID_201)),
    "too few elements": (
        '[2,"1","Heartbeat"]',
        (("1", "FormationViolation"), ("1", "FormatViolation"), ("1", "FormatViolation")),
    ),
    "too many elements": (
        '[2,"1","Heartbeat",{},1]',
        (("1", "FormationViolation"), ("1", "RpcFrameworkError"), ("1", "RpcFrameworkError")),
    ),
    "an action that is a list": (
        '[2,"1",["Heartbeat"],{}]',
        (("1", "FormationViolation"), ("1", "RpcFrameworkError"), ("1", "RpcFrameworkError")),
    ),
    "a payload that is null": (
        '[2,"1","Heartbeat",null]',
        (("1", "FormationViolation"), ("1", "FormatViolation"), ("1", "FormatViolation")),
    ),
    "a payload that is a list": (
        '[2,"1","Heartbeat",[]]',
        (("1", "FormationViolation"), ("1", "ProtocolError"), ("1", "ProtocolError")),
    ),
    # A CALL that is understood and not wanted.
    "an unknown action": ('[2,"1","Hartbeat",{}]', (("1", "NotImplemented"),) * 3),
    "an action of the other direction": ('[2,"1","ClearCache",{}]', (("1", "NotSupported"),) * 3),
    "a known action without a handler": (
        '[2,"1","DataTransfer",{"vendorId":"V"}]',
        (("1", "NotSupported"),) * 3,
    ),
    "a handler that fails": ('[2,"1","Authorize",TOKEN]', (("1", "InternalError"),) * 3),
    # A payload that is not valid.
    "a field is missing": (
        '[2,"1","BootNotification",{}]',
        (
            ("1", "OccurenceConstraintViolation"),
            ("1", "OccurrenceConstraintViolation"),
            ("1", "OccurrenceConstraintViolation"),
        ),
    ),
    "a field too many": (
        '[2,"1","Heartbeat",{"extra":1}]',
        (("1", "FormationViolation"), ("1", "FormatViolation"), ("1", "FormatViolation")),
    ),
    "a wrong type": (
        '[2,"1","FirmwareStatusNotification",{"status":7}]',
        (("1", "TypeConstraintViolation"),) * 3,
    ),
    "an unknown value": (ENUM, (("1", "PropertyConstraintViolation"),) * 3),
    "too few": (
        FEW,
        (
            ("1", "OccurenceConstraintViolation"),
            ("1", "OccurrenceConstraintViolation"),
            ("1", "OccurrenceConstraintViolation"),
        ),
    ),
    # What is never answered, or on some versions only.
    "an unknown message type": ('[9,"1","Heartbeat",{}]', (None, ("1", "MessageTypeNotSupported"), None)),
    "a SEND with an unknown action": (
        '[6,"1","Hartbeat",{}]',
        (None, ("1", "MessageTypeNotSupported"), None),
    ),
    "a CALLRESULTERROR": (
        '[5,"1","GenericError","",{}]',
        (None, ("1", "MessageTypeNotSupported"), None),
    ),
    "an answer to nothing": ('[3,"1",{}]', (None, None, None)),
    "a broken answer to nothing": ('[3,"1",{]', (None, None, None)),
    "a refusal of nothing": ('[4,"1","GenericError","",{}]', (None, None, None)),
    "a broken refusal": ('[4,"1"]', (None, None, None)),
}
TOKEN = {
    "v16": '{"idTag":"T"}',
    "v201": '{"idToken":{"idToken":"T","type":"Central"}}',
    "v21": '{"idToken":{"idToken":"T","type":"Central"}}',
}


class Desk:
    """A CSMS that handles Heartbeat and fails at Authorize."""

    def __init__(self, module: str, backend: str) -> None:
        self.codec: Codec[Any] = Codec(SUBPROTOCOLS[module], backend=backend)
        self.session = Session(self.codec, "csms", new_id=lambda: "c1")
        self.router = Router(report=lambda _: None)
        messages = self.codec.messages
        self.router.on(messages["Heartbeat"].request, lambda _: messages["Heartbeat"].response(current_time=NOW))
        self.router.on(messages["Authorize"].request, lambda _: {}["nothing"])

    def call(self, payload: Any, *, timeout: float | None = None) -> Any:
        raise NotImplementedError

    def reply(self, id: str, payload: Any) -> None:
        self.session.reply(id, payload)

    def hear(self, data: Any) -> list[Any]:
        """What goes back for one message: its elements."""
        for event in self.session.receive(data, 0.0):
            if isinstance(event, Call | Send):
                assert self.router.handle(event, Context(self, "CS1", event), self.session) is None
        return [json.loads(data) for data in self.session.data_to_send()]


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("module", VERSIONS)
def test_the_answer_is_that_of_the_table(name: str, module: str, backend: str) -> None:
    data, answers = ROWS[name]
    if isinstance(data, dict):
        data = data[module]
    if isinstance(data, str):
        data = data.replace("TOKEN", TOKEN[module])
    wanted = answers[VERSIONS.index(module)]
    desk = Desk(module, backend)
    got = desk.hear(data)
    if wanted is None:
        assert got == []
    else:
        [[kind, id, code, *_]] = got
        assert (kind, (id, code)) == (4, wanted)
    # Whatever it was, the conversation goes on.
    [result] = desk.hear('[2,"next","Heartbeat",{}]')
    assert result[:2] == [3, "next"]


@pytest.mark.parametrize("module", VERSIONS)
def test_an_invalid_result_is_answered_on_21_alone(module: str, backend: str) -> None:
    desk = Desk(module, backend)
    clear = desk.codec.messages["ClearCache"].request
    desk.session.call(clear(), 0.0)
    desk.session.data_to_send()
    answers = desk.hear('[3,"c1",{"status":"Perhaps"}]')
    if module == "v21":
        assert [answer[:3] for answer in answers] == [[5, "c1", "PropertyConstraintViolation"]]
    else:
        assert answers == []
    assert desk.session.deadline is None  # our call has ended


@pytest.mark.parametrize(
    ("module", "code"), [("v16", "GenericError"), ("v201", "RpcFrameworkError"), ("v21", "RpcFrameworkError")]
)
def test_an_id_that_is_being_handled_is_refused(module: str, code: str, backend: str) -> None:
    desk = Desk(module, backend)
    desk.session.receive('[2,"1","Heartbeat",{}]', 0.0)  # nobody has answered yet
    [answer] = desk.hear('[2,"1","Heartbeat",{}]')
    assert answer[:3] == [4, "1", code]
