"""Quirk profiles: picked by who a station says it is, with a frame from the field for each that the package brings along."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ocppcore import (
    Call,
    CallResult,
    Codec,
    Context,
    Invalid,
    OcppError,
    Policy,
    Profile,
    Quirks,
    Refused,
    Router,
    Session,
    Station,
    Tolerated,
    UntypedPayload,
    v16,
    v201,
)
from ocppcore._quirks import REWRITES
from support.corpus import CORPUS
from support.needs import ROOT

FRAMES = [json.loads(line) for line in Path(CORPUS, "field", "profiles.jsonl").read_text(encoding="utf-8").splitlines()]
BOOT_16 = '[2,"boot","BootNotification",{"chargePointVendor":"%s","chargePointModel":"%s","firmwareVersion":"%s"}]'
BOOT_201 = (
    '[2,"boot","BootNotification",{"reason":"PowerUp",'
    '"chargingStation":{"vendorName":"%s","model":"%s","firmwareVersion":"%s"}}]'
)
WHOLE_SECONDS = """
[[profile]]
name = "no fractional seconds for the old firmware of a model"
vendor = "Acme"
model = "Box*"
firmware = ["1.*", "2.0"]

[[profile.rewrite]]
rewrite = "whole_seconds"
"""


def booted(codec: Any, vendor: str, model: str = "M", firmware: str = "1", quirks: Quirks | None = None) -> Session:
    session = Session(codec, "csms", quirks=Quirks.known if quirks is None else quirks)
    form = BOOT_16 if codec.version == "1.6" else BOOT_201
    (event,) = session.receive(form % (vendor, model, firmware), 0.0)
    assert isinstance(event, Call)
    return session


# --- The starter set


@pytest.mark.parametrize("case", FRAMES, ids=lambda case: case["profile"])
def test_a_profile_s_own_frame(case: dict[str, Any], backend: str) -> None:
    strict: Any = Codec("ocpp1.6", backend=backend)
    if "sends" in case:  # a rewrite of what goes out
        frame = strict.decode(case["data"])
        assert strict.encode(frame).decode() == case["data"]
        assert booted(strict, case["vendor"]).codec.encode(frame).decode() == case["sends"]
        return
    with pytest.raises(OcppError):
        strict.decode(case["data"], case.get("pending"))
    codec = booted(strict, case["vendor"]).codec
    assert [profile.name for profile in Quirks.known.of_station(Station(case["vendor"]), "1.6")] == [case["profile"]]
    result = codec.decode_with_findings(case["data"], case.get("pending"))
    assert [[one.kind, one.path, one.verdict, *one.repair] for one in result.findings] == case["findings"]
    assert codec.encode_with_extras(result.frame, result.extras).decode() == case["encodes"]


def test_every_profile_has_its_frame_its_reason_and_its_source() -> None:
    assert sorted(case["profile"] for case in FRAMES) == sorted(profile.name for profile in Quirks.known.profiles)
    for profile in Quirks.known.profiles:
        assert len(profile.reason) > 10, profile.name
        assert "#" in profile.source, profile.name


# --- Picking


@pytest.mark.parametrize(
    ("station", "holds"),
    [
        (("Acme", "Box 7", "1.4"), True),
        (("ACME", "box", "2.0"), True),
        (("Acme", "Box", "2.0.1"), False),
        (("Acme", "A Box", "1.4"), False),
        (("Acme Ltd", "Box", "1.4"), False),
    ],
)
@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1"])
def test_vendor_model_and_firmware_pick_the_profile(
    subprotocol: str, station: tuple[str, str, str], holds: bool, backend: str
) -> None:
    codec: Any = Codec(subprotocol, backend=backend)
    session = booted(codec, *station, quirks=Quirks.from_toml(WHOLE_SECONDS))
    assert (session.codec is codec) is not holds
    time = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    if subprotocol == "ocpp1.6":
        session.reply("boot", v16.BootNotificationResponse(current_time=time, interval=60, status="Accepted"))
    else:
        session.reply("boot", v201.BootNotificationResponse(current_time=time, interval=60, status="Accepted"))
    (answer,) = session.data_to_send()
    assert (b'"2026-01-02T03:04:05Z"' in answer) is holds


def test_stations_of_one_kind_share_their_codec(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend)
    quirks = Quirks.from_toml(WHOLE_SECONDS)
    first, second = (booted(codec, "Acme", "Box", "2.0", quirks=quirks).codec for _ in range(2))
    assert first is second
    assert booted(codec.extend(max_size=10_000), "Acme", "Box", "2.0", quirks=quirks).codec is not first


def test_a_station_that_says_something_else_gets_something_else(backend: str) -> None:
    """A new firmware is a new start: the profile of the old one does not stay."""
    codec: Any = Codec("ocpp1.6", backend=backend)
    session = booted(codec, "Acme", "Box", "1.9", quirks=Quirks.from_toml(WHOLE_SECONDS))
    assert session.codec is not codec
    session.reply("boot", v16.BootNotificationResponse(current_time=datetime.now(UTC), interval=1, status="Accepted"))
    session.receive(BOOT_16 % ("Acme", "Box", "3.0"), 1.0)
    assert session.codec is codec


def test_profiles_add_to_the_policy_of_the_codec(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy([{"rule": "length", "verdict": "report"}]))
    session = booted(codec, "Legrand")
    data = '[2,"2","StatusNotification",{"connectorId":1,"errorCode":"Error","status":"Faulted","vendorId":"%s"}]'
    tolerated, event = session.receive(data % ("x" * 300), 0.0)
    assert isinstance(event, Call)
    assert isinstance(tolerated, Tolerated)
    assert (tolerated.frame, len(tolerated.findings)) == (event, 2)
    assert session.codec.policy.rules[:1] == codec.policy.rules


def test_a_session_without_quirks_keeps_its_codec(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend)
    session = Session(codec, "csms")
    session.receive(BOOT_16 % ("Legrand", "M", "1"), 0.0)
    assert session.codec is codec


def test_a_start_that_fits_no_struct_tells_its_station_too(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.observe)
    session = Session(codec, "csms", quirks=Quirks.from_toml(WHOLE_SECONDS))
    data = '[2,"b","BootNotification",{"chargePointVendor":"Acme","chargePointModel":"Box","firmwareVersion":"1.","iccid":7}]'
    _, event = session.receive(data, 0.0)
    assert isinstance(event, Call)
    assert isinstance(event.payload, UntypedPayload)
    assert session.codec is not codec
    _, event = session.receive('[2,"c","BootNotification",[{"chargePointVendor":1}]]', 0.0)
    assert isinstance(event, Call)
    assert session.codec is codec


# --- Untyped payloads in a session and a router


class Bystander:
    """Owns a connection, as a context wants it."""

    def __init__(self, session: Session) -> None:
        self.codec = session.codec
        self.call: Any = session.call
        self.reply: Any = session.reply


@pytest.mark.parametrize("action", ["Heartbeat", "Vendor.Thing"])
def test_no_handler_of_a_type_gets_what_fits_no_type(action: str, backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.observe)
    session = Session(codec, "csms")
    router = Router()
    seen: list[Any] = []

    @router.on
    def heartbeat(request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
        seen.append(request)
        return v16.HeartbeatResponse(current_time=datetime.now(UTC))

    _, event = session.receive(f'[2,"1","{action}",[1]]', 0.0)
    assert isinstance(event, Call)
    assert router.handle(event, Context(Bystander(session), "CP", event), session) is None
    assert not seen
    (answer,) = session.data_to_send()
    assert json.loads(answer)[:3] in ([4, "1", "NotSupported"], [4, "1", "NotImplemented"])


def test_a_session_takes_what_the_policy_lets_pass_and_refuses_the_rest(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.tolerant)
    session = Session(codec, "csms")
    tolerated, event = session.receive('[2,7,"Heartbeat",null]', 0.0)
    assert isinstance(tolerated, Tolerated)
    assert [one.kind for one in tolerated.findings] == ["message_id_type", "payload_missing"]
    (event_without_fault,) = session.receive('[2,"6","Heartbeat",{}]', 0.0)
    assert isinstance(event_without_fault, Call)
    assert event == Call("7", v16.HeartbeatRequest())
    (event,) = session.receive('[2,"8","Authorize",{}]', 0.0)
    assert isinstance(event, Invalid)
    _, event = session.receive('[2,"9","RemoteStopTransaction",{"transactionId":"1"}]', 0.0)
    assert isinstance(event, Refused)
    call_id = session.call(v16.GetConfigurationRequest(), 0.0)
    answer = f'[3,"{call_id}",{{"configurationKey":[{{"key":"A","readonly":false,"value":3}}]}}]'
    _, event = session.receive(answer, 1.0)
    assert isinstance(event, CallResult)
    assert event.payload.configuration_key[0].value == "3"


def test_what_gives_no_frame_is_invalid_to_a_session(backend: str) -> None:
    session = Session(Codec("ocpp1.6", backend=backend).extend(policy=Policy.observe), "csms")
    (event,) = session.receive('[2,"8","Heartbeat"', 0.0)
    assert isinstance(event, Invalid)
    assert event.error.kind == "truncated"


# --- Rewrites


def test_rewrites_change_what_they_name_and_nothing_else(backend: str) -> None:
    profile = Quirks.from_toml(
        """
[[profile]]
name = "all of them"

[[profile.rewrite]]
rewrite = "replace"
action = "ChangeConfiguration"
pointer = "/key"
values = { ConnectionTimeOut = "ConnectionTimeout" }

[[profile.rewrite]]
rewrite = "replace"
action = "GetConfiguration"
pointer = "/configurationKey/*/key"
values = { ConnectionTimeout = "ConnectionTimeOut" }
direction = "in"

[[profile.rewrite]]
rewrite = "drop"
action = "Reserve*"
pointer = "/parentIdTag"
"""
    ).profiles[0]
    plain: Any = Codec("ocpp1.6", backend=backend)
    codec: Any = plain.extend(profile=profile)
    change = Call("1", v16.ChangeConfigurationRequest(key="ConnectionTimeOut", value="ConnectionTimeOut"))
    assert (
        codec.encode(change) == b'[2,"1","ChangeConfiguration",{"key":"ConnectionTimeout","value":"ConnectionTimeOut"}]'
    )
    assert codec.encode_payload(change.payload) == b'{"key":"ConnectionTimeout","value":"ConnectionTimeOut"}'
    answer = b'[3,"7",{"configurationKey":[{"key":"ConnectionTimeout","readonly":false},{"key":"B","readonly":true}]}]'
    frame = codec.decode(answer, {"7": "GetConfiguration"})
    assert [key.key for key in frame.payload.configuration_key] == ["ConnectionTimeOut", "B"]
    assert codec.resolve(codec.decode(answer), "GetConfiguration") == frame
    assert codec.decode_with_findings(answer, {"7": "GetConfiguration"}).frame == frame
    assert codec.decode_payload(answer[7:-1], "GetConfiguration", "response") == frame.payload
    assert codec.encode(frame) == plain.encode(frame)  # inward alone
    reserve = v16.ReserveNowRequest(
        connector_id=1, expiry_date=datetime(2026, 1, 1, tzinfo=UTC), id_tag="A", parent_id_tag="B", reservation_id=1
    )
    assert b"parentIdTag" not in codec.encode(Call("1", reserve))
    assert codec.encode(Call("1", v16.ClearCacheRequest())) == b'[2,"1","ClearCache",{}]'
    error = codec.decode('[4,"1","GenericError","",{}]')
    assert codec.encode(error) == b'[4,"1","GenericError","",{}]'
    again = pickle.loads(pickle.dumps(codec))
    assert again.encode(change) == codec.encode(change)
    assert copy.copy(codec) is codec


def test_the_page_lists_every_rewrite() -> None:
    page = (ROOT / "docs/tolerance.md").read_text(encoding="utf-8")
    assert "\n".join(f"| `{name}` | {says} |" for name, (says, _) in REWRITES.items()) + "\n\n" in page


# --- As values


def test_quirks_are_values() -> None:
    more = Quirks.from_toml(WHOLE_SECONDS)
    both = Quirks.known | more
    assert both.profiles == (*Quirks.known.profiles, *more.profiles)
    assert pickle.loads(pickle.dumps(both)) == both
    assert hash(both) == hash(Quirks(both.profiles))
    with pytest.raises(AttributeError, match=r"quirks \| other"):
        both.profiles = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        both | 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "needs its name"),
        ({"name": "n", "vender": "x"}, "did you mean 'vendor'"),
        ({"name": "n", "vendor": []}, "a name or a list of names"),
        ({"name": "n", "rule": [{"verdict": "accept"}]}, "verdict is one of"),
        ({"name": "n", "rewrite": [{"rewrite": "whole_second"}]}, "did you mean 'whole_seconds'"),
        ({"name": "n", "rewrite": [{"rewrite": "drop", "path": "/x"}]}, "unknown setting 'path'"),
        ({"name": "n", "rewrite": [{"rewrite": "drop", "direction": "outward"}]}, "direction is one of"),
        ({"name": "n", "rewrite": [{"rewrite": "replace"}]}, "needs `values`"),
        ({"name": "n", "rewrite": [1]}, "a table of settings"),
    ],
)
def test_a_wrong_profile_says_what_to_change(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Profile.of(entry)


def test_a_station_may_leave_out_what_it_says_as_its_message_does() -> None:
    boot = v16.BootNotificationRequest(charge_point_vendor="Acme", charge_point_model="Box")
    station = Station(boot.charge_point_vendor, boot.charge_point_model, boot.firmware_version)
    assert station.firmware is None
    of_all = Profile(name="all", vendor=("acme",))
    of_one = Profile(name="one", vendor=("acme",), firmware=("1.*",))
    assert Quirks([of_all, of_one]).of_station(station, "1.6") == (of_all,)


def test_toml_that_holds_no_profiles_is_told_so() -> None:
    for text in ("[[profile]", "[[profiles]]"):
        with pytest.raises(ValueError, match=r"^quirks: "):
            Quirks.from_toml(text)
