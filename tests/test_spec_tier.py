"""Rules of the specification tier in a policy: what an entry for them means, and what it does to everything else."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ocppcore import (
    Call,
    Codec,
    EncodeError,
    OcppError,
    PayloadError,
    Policy,
    PolicyRule,
    Session,
    Tolerated,
    v16,
    v201,
)
from ocppcore._quirks import Profile, Rewrite
from support.frames import sample_frames
from support.model import MODULES

SUBPROTOCOLS = {"v16": "ocpp1.6", "v201": "ocpp2.0.1", "v21": "ocpp2.1"}
EVERY: dict[str, Any] = {"rule": "@spec", "verdict": "report"}
START = (
    '[2,"1","StartTransaction",{"connectorId":%s,"idTag":"%s","meterStart":%s,"timestamp":"2026-01-01T00:00:00Z"%s}]'
)
METER = '[2,"1","MeterValues",{"connectorId":1,"transactionId":99999999999,"meterValue":[]}]'


def codec(backend: str, *rules: dict[str, Any] | Policy, subprotocol: str = "ocpp1.6") -> Any:
    policy = Policy()
    for rule in rules:
        policy |= rule if isinstance(rule, Policy) else Policy([rule])
    return Codec(subprotocol, backend=backend).extend(policy=policy)


def start(connector: str = "1", tag: str = "a", meter: str = "0", more: str = "") -> str:
    return START % (connector, tag, meter, more)


def told(result: Tolerated[Any]) -> list[tuple[str, str, str | None]]:
    return [(one.rule, one.path, one.verdict) for one in result.findings]


HUGE = start(meter="99999999999")


def test_every_rule_means_those_of_the_schemas_alone(backend: str) -> None:
    strict: Any = Codec("ocpp1.6", backend=backend)
    for policy in (Policy.strict, Policy.tolerant, Policy.observe, Policy([{"verdict": "refuse"}])):
        graded = strict.extend(policy=policy)
        assert not policy.names_spec_rules
        assert type(graded).__name__.startswith("Tolerant")  # nothing looks for what nobody has asked for
        assert graded.decode_with_findings(HUGE) == Tolerated(strict.decode(HUGE), [], {})
    with pytest.raises(PayloadError) as caught:
        codec(backend, {"rule": ["*", "int32"], "verdict": "refuse"}).decode(HUGE)
    assert caught.value.rule == "int32"


@pytest.mark.parametrize("module", MODULES)
def test_an_observer_who_asks_for_all_is_told_what_explain_tells(module: str, backend: str) -> None:
    strict: Any = Codec(SUBPROTOCOLS[module], backend=backend)
    asked = strict.extend(policy=Policy.observe | Policy([EVERY]))
    told_of = 0
    for data, pending in sample_frames(module):
        findings = strict.explain(data, pending)
        as_reported = [msgspec.structs.replace(finding, verdict="report") for finding in findings]
        assert asked.decode_with_findings(data, pending).findings == as_reported
        told_of += len(findings)
    assert told_of > 20


def test_what_nobody_names_is_let_pass(backend: str) -> None:
    asked = codec(backend, {"rule": "printable_ascii", "verdict": "refuse"})
    assert asked.decode_with_findings(HUGE) == Tolerated(asked.decode(HUGE), [], {})


def test_every_rule_of_the_specification_tier_has_one_name(backend: str) -> None:
    data = start(connector="0", tag="\N{LATIN SMALL LETTER E WITH ACUTE}", meter="99999999999")
    expected = ["transaction_connector", "printable_ascii", "int32"]
    assert told(codec(backend, EVERY).decode_with_findings(data)) == [
        (rule, path, "report") for rule, path in zip(expected, ("/connectorId", "/idTag", "/meterStart"), strict=True)
    ]
    strict: Any = Codec("ocpp1.6", backend=backend)
    assert [finding.rule for finding in strict.explain(data)] == expected


def test_the_last_entry_that_matches_decides(backend: str) -> None:
    refuse = {"rule": "int32", "verdict": "refuse"}
    for ignored in (
        {"action": "StartTransaction"},
        {"action": "@transaction"},
        {"pointer": "**/meterStart"},
        {"direction": "in"},
    ):
        asked = codec(backend, Policy.tolerant, refuse, {"rule": "int32", "verdict": "ignore", **ignored})
        assert asked.decode_with_findings(HUGE).findings == []
        asked.validate(HUGE)
    for kept in ({"action": "MeterValues"}, {"pointer": "/connectorId"}, {"direction": "out"}):
        asked = codec(backend, refuse, {"rule": "int32", "verdict": "ignore", **kept})
        with pytest.raises(PayloadError) as caught:
            asked.decode(HUGE)
        assert (caught.value.rule, caught.value.offset) == ("int32", HUGE.index("99999999999"))
    with pytest.raises(PayloadError):  # an empty list of meter values is let pass, the number is not
        codec(backend, Policy.tolerant, EVERY, refuse).decode(METER)


def test_the_first_that_is_refused_is_told(backend: str) -> None:
    data = start(connector="0", tag="\N{LATIN SMALL LETTER E WITH ACUTE}", meter="99999999999")
    asked = codec(backend, EVERY, {"rule": ["int32", "printable_ascii"], "verdict": "refuse"})
    for given in (data, data.encode(), bytearray(data.encode())):
        with pytest.raises(PayloadError) as caught:
            asked.decode(given)
        error = caught.value
        assert (error.rule, error.path, error.code) == ("printable_ascii", "/idTag", "PropertyConstraintViolation")
        assert data.encode()[error.offset : error.end] == '"\N{LATIN SMALL LETTER E WITH ACUTE}"'.encode()
    with pytest.raises(OcppError) as refused:  # what a schema refuses comes first: the rest is not looked at
        asked.decode(data.replace("meterStart", "meterStarts"))
    assert refused.value.rule == refused.value.kind == "unknown_key"


def test_what_was_repaired_is_looked_at_as_it_came_to_be(backend: str) -> None:
    data = start(connector='"0"', tag="\N{LATIN SMALL LETTER E WITH ACUTE}" * 30, more=',"vendor":{"a":[1]}')
    data = data.replace("00:00:00Z", "00:00:00+02").replace("2026-01-01T", "2026-01-01 ")
    for given in (data, data.encode()):
        result = codec(backend, Policy.tolerant, EVERY).decode_with_findings(given)
        assert told(result) == [
            ("type", "/connectorId", "repair"),
            ("transaction_connector", "/connectorId", "report"),
            ("length", "/idTag", "report"),
            ("printable_ascii", "/idTag", "report"),
            ("format", "/timestamp", "repair"),
            ("time_utc", "/timestamp", "report"),
            ("unknown_key", "/vendor", "report"),
        ]
        assert result.extras == {"/vendor": {"a": [1]}}
        for one in result.findings:  # each stands where it stood
            assert data.encode()[one.offset : one.end].decode().startswith((one.found or "").rstrip("…"))
            assert one.found is not None
    with pytest.raises(PayloadError) as caught:
        codec(backend, Policy.tolerant, {"rule": "transaction_connector", "verdict": "refuse"}).decode(data)
    assert (caught.value.rule, caught.value.found) == ("transaction_connector", '"0"')


def test_a_mended_text_and_an_untyped_payload_are_looked_at_too(backend: str) -> None:
    asked = codec(backend, Policy.tolerant, {"rule": "int32", "verdict": "refuse"})
    for data in (
        HUGE.replace('"idTag"', '"reservationId":,"idTag"'),
        HUGE.replace('"a"', '{"not":"a tag"}'),
        HUGE.replace('[2,"1"', "[2,1"),
    ):
        assert isinstance(codec(backend, Policy.tolerant).decode(data), Call)
        with pytest.raises(PayloadError) as caught:
            asked.decode(data)
        assert (caught.value.rule, caught.value.path) == ("int32", "/meterStart")
        assert data[caught.value.offset : caught.value.end] == caught.value.found == "99999999999"
    scalar = '[2,"1","StartTransaction",7]'
    untyped = codec(backend, Policy.observe, EVERY).decode_with_findings(scalar)
    assert told(untyped) == [("payload_type", "", "report")]
    nothing = codec(backend, Policy.observe, EVERY).decode_with_findings("[2,")
    assert (nothing.frame, told(nothing)) == (None, [("truncated", "", "report")])


def test_an_answer_is_looked_at_when_it_is_known_what_it_answers(backend: str) -> None:
    data = '[3,"1",{"transactionId":"99999999999","idTagInfo":{"status":"Accepted"}}]'
    asked = codec(backend, Policy.tolerant, {"rule": "int32", "verdict": "refuse"})
    with pytest.raises(PayloadError) as caught:
        asked.resolve(asked.decode(data), "StartTransaction")
    error = caught.value
    assert (error.rule, error.message_id, error.action) == ("int32", "1", "StartTransaction")
    assert data[error.offset : error.end] == error.found == '"99999999999"'
    frame = Codec("ocpp1.6", backend=backend).decode(data.replace('"99999999999"', "1"), {"1": "StartTransaction"})
    assert asked.resolve(frame, "StartTransaction") is frame
    with pytest.raises(PayloadError):
        asked.decode_payload(
            '{"transactionId":"99999999999","idTagInfo":{"status":"Accepted"}}', "StartTransaction", "response"
        )
    refusal = '[4,"1","GenericError","",{}]'
    assert asked.decode_with_findings(refusal).findings == []
    assert asked.encode(asked.decode(refusal)) == refusal.encode()


def test_what_goes_out_is_looked_at_as_it_is_written(backend: str) -> None:
    request = v16.StartTransactionRequest(
        connector_id=0, id_tag="a" * 30, meter_start=0, timestamp=datetime(2026, 1, 1, tzinfo=UTC)
    )
    rule = {"rule": "transaction_connector", "direction": "out", "verdict": "refuse"}
    asked = codec(backend, Policy.tolerant, rule)
    with pytest.raises(EncodeError) as caught:
        asked.encode(Call("1", request))
    error = caught.value
    assert (error.rule, error.path, error.offset, error.end, error.found) == (
        "transaction_connector", "/connectorId", None, None, None,
    )  # fmt: skip
    assert str(error) == (
        "/connectorId: connector 0, which is the station as a whole; expected at least 1 (StartTransaction, id '1'). "
        "Send the number of the connector."
    )
    assert (error.reply(), shown_again(error)) == (None, str(error))
    with pytest.raises(EncodeError):
        asked.encode_payload(request)
    inward = codec(backend, Policy.tolerant, {**rule, "direction": "in"})
    assert b'"connectorId":0' in inward.encode(Call("1", request))


def shown_again(error: OcppError) -> str:
    return str(pickle.loads(pickle.dumps(error)))


def test_a_profile_adds_rules_and_rewrites_come_before_what_goes_out(backend: str) -> None:
    rules = Policy([PolicyRule(rule=("limit_places",), verdict="refuse")])
    rewrites = (Rewrite(rewrite="whole_numbers", pointer=("**/limit",)),)
    period = v201.ChargingSchedulePeriodType(start_period=0, limit=16.25)
    schedule = v201.ChargingScheduleType(id=1, charging_rate_unit="A", charging_schedule_period=[period])
    profile = v201.ChargingProfileType(
        id=1, stack_level=0, charging_profile_purpose="TxDefaultProfile", charging_profile_kind="Relative",
        charging_schedule=[schedule],
    )  # fmt: skip
    frame = Call("1", v201.SetChargingProfileRequest(evse_id=1, charging_profile=profile))
    strict: Any = Codec("ocpp2.0.1", backend=backend)
    with pytest.raises(EncodeError):
        strict.extend(profile=Profile(name="as it is", policy=rules)).encode(frame)
    both = strict.extend(profile=Profile(name="rounded", policy=rules, rewrites=rewrites))
    assert b'"limit":16}' in both.encode(frame)
    with pytest.raises(PayloadError):
        both.decode(strict.encode(frame))
    again = pickle.loads(pickle.dumps(both))
    assert type(again) is type(both)
    with pytest.raises(PayloadError):
        again.decode(strict.encode(frame))


def test_many_frames_are_looked_at_one_by_one(backend: str) -> None:
    frames = [start(), HUGE, "[2,", METER.replace("99999999999", "1"), start(tag="a" * 30)]
    asked = codec(backend, Policy.tolerant, {"rule": "int32", "verdict": "refuse"})
    decoded = asked.decode_many(frames)
    assert [one.rule if isinstance(one, OcppError) else "" for one in decoded] == ["", "int32", "truncated", "", ""]
    for threads in (1, 3):
        assert list(asked.validate_many(frames, threads=threads)) == [
            (1, "number_range", HUGE.index("99999999999")),
            (2, "truncated", 3),
        ]
    assert list(asked.validate_many("\n".join(frames))) == list(asked.validate_many(frames))


def test_a_session_answers_what_is_refused_and_tells_what_is_reported(backend: str) -> None:
    refusing = Session(codec(backend, {"rule": "int32", "verdict": "refuse"}), "csms")
    refusing.receive(HUGE, 0.0)
    assert refusing.data_to_send() == [
        b'[4,"1","PropertyConstraintViolation",'
        b'"/meterStart: an integer that does not fit 32 bits; expected -2147483648 to 2147483647",{}]'
    ]
    telling = Session(codec(backend, EVERY), "csms")
    tolerated, event = telling.receive(HUGE, 0.0)
    assert isinstance(tolerated, Tolerated)
    assert told(tolerated) == [("int32", "/meterStart", "report")]
    assert tolerated.frame == event


def test_codes_of_one_s_own_hold_for_these_rules_too(backend: str) -> None:
    own = codec(backend, {"rule": "int32", "verdict": "refuse"}).extend(codes={"number_range": "GenericError"})
    with pytest.raises(PayloadError) as caught:
        own.decode(HUGE)
    assert caught.value.code == "GenericError"
    assert shown_again(caught.value) == str(caught.value)


def test_what_a_peer_writes_does_not_stay_in_memory(backend: str) -> None:
    asked = codec(backend, Policy.observe, EVERY)
    for number in range(500):
        asked.decode_with_findings(f'[2,"1","Action{number}",{{}}]')
    assert len(asked._tier._subjects) < 100


def test_a_policy_with_such_rules_prints_as_what_it_is_read_from() -> None:
    policy = Policy([EVERY, {"rule": ["int32", "enum"], "verdict": "refuse", "action": "A*", "direction": "out"}])
    assert str(policy).startswith('[[rule]]\nrule = "@spec"\nverdict = "report"\n')
    assert Policy.from_toml(str(policy)) == policy == pickle.loads(pickle.dumps(policy))
    assert policy.names_spec_rules
    assert (Policy.strict | policy).names_spec_rules


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"rule": "int32", "verdict": "repair", "repair": "integral"}, "no repair serves int32: rules of the specification tier"),
        ({"rule": ["type", "@spec"], "verdict": "repair", "repair": "integral"}, "no repair serves @spec"),
        ({"rule": "int_32", "verdict": "report"}, "unknown rule 'int_32'; did you mean 'int32'"),
        ({"rule": "spec", "verdict": "report"}, "unknown rule 'spec'"),
    ],
)  # fmt: skip
def test_a_wrong_entry_says_what_to_change(entry: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match="policy: ") as caught:
        Policy([entry])
    assert says in str(caught.value)
