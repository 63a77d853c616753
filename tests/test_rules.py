"""The rules of the specification tier: each with an instance that keeps it and one that breaks it, in every version that has it."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from ocppcore import Codec, EncodeError, PayloadError, Policy, _rules
from support.emit import text_of
from support.frames import framed, pending_for
from support.instances import minimal
from support.model import Model, model

V16, V201, V21 = "v16", "v201", "v21"
TWO = (V201, V21)
ALL = (V16, V201, V21)
NUMBERS = {V16: "1.6", V201: "2.0.1", V21: "2.1"}
TIME = "2026-01-02T03:04:05Z"


class Case(NamedTuple):
    """A rule, where it holds, and what makes the smallest instance of a payload keep and break it."""

    rule: str
    modules: tuple[str, ...]
    payload: str
    good: dict[str, Any]
    bad: dict[str, Any]
    pointer: str


PROFILE = "SetChargingProfileRequest"
ABSOLUTE = {"chargingProfile.chargingProfileKind": "Absolute", "chargingProfile.chargingSchedule.0.startSchedule": TIME}
RELATIVE = {"chargingProfile.chargingProfileKind": "Relative"}
PERIODS = "chargingProfile.chargingSchedule.0.chargingSchedulePeriod"
SAMPLE = "meterValue.0.sampledValue.0"
REASON = "transactionInfo.stoppedReason"

CASES = [
    Case("int32", (V16,), "RemoteStopTransactionRequest", {"transactionId": 2**31 - 1}, {"transactionId": 2**31}, "/transactionId"),
    Case("int32", TWO, "GetReportRequest", {"requestId": -(2**31)}, {"requestId": -(2**31) - 1}, "/requestId"),
    Case("not_negative", (V16,), "StatusNotificationRequest", {"connectorId": 0}, {"connectorId": -1}, "/connectorId"),
    Case("not_negative", (V201,), "TransactionEventRequest", {"seqNo": 0}, {"seqNo": -1}, "/seqNo"),
    Case("identifier_charset", TWO, "AuthorizeRequest", {"idToken.idToken": "aZ0*-_=:+|@."}, {"idToken.idToken": "a b"}, "/idToken/idToken"),
    Case("printable_ascii", (V16,), "AuthorizeRequest", {"idTag": "~ a"}, {"idTag": "é"}, "/idTag"),
    Case("decimal_places", TWO, PROFILE, {f"{PERIODS}.0.limit": 1.000001}, {f"{PERIODS}.0.limit": 1.0000001}, f"/{PERIODS.replace('.', '/')}/0/limit"),
    Case("limit_places", (V201,), PROFILE, {f"{PERIODS}.0.limit": 16.1}, {f"{PERIODS}.0.limit": 16.15}, f"/{PERIODS.replace('.', '/')}/0/limit"),
    Case("time_fraction", TWO, "HeartbeatResponse", {"currentTime": "2026-01-02T03:04:05.678Z"}, {"currentTime": "2026-01-02T03:04:05.6789Z"}, "/currentTime"),
    Case("time_utc", ALL, "HeartbeatResponse", {"currentTime": TIME}, {"currentTime": "2026-01-02T03:04:05+02:00"}, "/currentTime"),
    Case("priority_range", TWO, "TransactionEventResponse", {"chargingPriority": -9}, {"chargingPriority": 10}, "/chargingPriority"),
    Case("severity_range", TWO, "SetMonitoringLevelRequest", {"severity": 9}, {"severity": 10}, "/severity"),
    Case("multiplier_range", TWO, "NotifyEVChargingScheduleRequest",
         {"chargingSchedule.salesTariff.salesTariffEntry.0.consumptionCost.0.cost.0.amountMultiplier": 3},
         {"chargingSchedule.salesTariff.salesTariffEntry.0.consumptionCost.0.cost.0.amountMultiplier": -4},
         "/chargingSchedule/salesTariff/salesTariffEntry/0/consumptionCost/0/cost/0/amountMultiplier"),
    Case("number_phases", (V16,), PROFILE, {"csChargingProfiles.chargingSchedule.chargingSchedulePeriod.0.numberPhases": 3},
         {"csChargingProfiles.chargingSchedule.chargingSchedulePeriod.0.numberPhases": 4},
         "/csChargingProfiles/chargingSchedule/chargingSchedulePeriod/0/numberPhases"),
    Case("number_phases", (V201,), PROFILE, {f"{PERIODS}.0.numberPhases": 1}, {f"{PERIODS}.0.numberPhases": 0}, f"/{PERIODS.replace('.', '/')}/0/numberPhases"),
    Case("state_of_charge", TWO, "MeterValuesRequest", {f"{SAMPLE}.measurand": "SoC", f"{SAMPLE}.value": 100},
         {f"{SAMPLE}.measurand": "SoC", f"{SAMPLE}.value": 100.5}, "/meterValue/0/sampledValue/0/value"),
    Case("measurand_unit", (V16,), "MeterValuesRequest", {f"{SAMPLE}.measurand": "Voltage", f"{SAMPLE}.unit": "V", f"{SAMPLE}.value": "1"},
         {f"{SAMPLE}.measurand": "Voltage", f"{SAMPLE}.unit": "A", f"{SAMPLE}.value": "1"}, "/meterValue/0/sampledValue/0/unit"),
    Case("measurand_unit", TWO, "MeterValuesRequest", {f"{SAMPLE}.measurand": "Power.Active.Import", f"{SAMPLE}.unitOfMeasure.unit": "kW"},
         {f"{SAMPLE}.measurand": "Power.Active.Import", f"{SAMPLE}.unitOfMeasure.unit": "kWh"}, "/meterValue/0/sampledValue/0/unitOfMeasure/unit"),
    Case("raw_value_number", (V16,), "MeterValuesRequest", {f"{SAMPLE}.value": "-12.5"}, {f"{SAMPLE}.value": "12,5"}, "/meterValue/0/sampledValue/0/value"),
    Case("raw_value_number", (V16,), "MeterValuesRequest", {f"{SAMPLE}.value": "a", f"{SAMPLE}.format": "SignedData"},
         {f"{SAMPLE}.value": "a", f"{SAMPLE}.format": "Raw"}, "/meterValue/0/sampledValue/0/value"),
    Case("time_of_day", (V21,), "SetDefaultTariffRequest", {"tariff.energy.prices.0.conditions.startTimeOfDay": "23:59"},
         {"tariff.energy.prices.0.conditions.startTimeOfDay": "24:00"}, "/tariff/energy/prices/0/conditions/startTimeOfDay"),
    Case("tariff_date", (V21,), "SetDefaultTariffRequest", {"tariff.energy.prices.0.conditions.validFromDate": "2026-01-31"},
         {"tariff.energy.prices.0.conditions.validFromDate": "31.1.2026"}, "/tariff/energy/prices/0/conditions/validFromDate"),
    Case("custom_vendor", TWO, "HeartbeatRequest", {"customData.vendorId": "com.example"}, {"customData.vendorId": "Example"}, "/customData/vendorId"),
    Case("authorization_key", (V16,), "ChangeConfigurationRequest", {"key": "AuthorizationKey", "value": "0f" * 20},
         {"key": "authorizationkey", "value": "password"}, "/value"),
    Case("authorization_key", (V16,), "ChangeConfigurationRequest", {"key": "HeartbeatInterval", "value": "60"},
         {"key": "AuthorizationKey", "value": "0f" * 15}, "/value"),
    Case("password_length", TWO, "SetVariablesRequest",
         {"setVariableData.0.variable.name": "BasicAuthPassword", "setVariableData.0.attributeValue": "x" * 16},
         {"setVariableData.0.variable.name": "BasicAuthPassword", "setVariableData.0.attributeValue": "x" * 15}, "/setVariableData/0/attributeValue"),
    Case("password_length", (V21,), "SetNetworkProfileRequest", {"connectionData.basicAuthPassword": "x" * 16},
         {"connectionData.basicAuthPassword": ""}, "/connectionData/basicAuthPassword"),
    Case("transaction_connector", (V16,), "StartTransactionRequest", {"connectorId": 1}, {"connectorId": 0}, "/connectorId"),
    Case("station_status", (V16,), "StatusNotificationRequest", {"connectorId": 0, "status": "Faulted"}, {"connectorId": 0, "status": "Charging"}, "/status"),
    Case("station_status", (V16,), "StatusNotificationRequest", {"connectorId": 1, "status": "Charging"}, {"connectorId": 0, "status": "Reserved"}, "/status"),
    Case("tx_profile_transaction", TWO, PROFILE, {"chargingProfile.chargingProfilePurpose": "TxProfile", "chargingProfile.transactionId": "1"},
         {"chargingProfile.chargingProfilePurpose": "TxProfile"}, "/chargingProfile/transactionId"),
    Case("transaction_tx_profile", TWO, PROFILE, {"chargingProfile.chargingProfilePurpose": "TxProfile", "chargingProfile.transactionId": "1"},
         {"chargingProfile.chargingProfilePurpose": "TxDefaultProfile", "chargingProfile.transactionId": "1"}, "/chargingProfile/transactionId"),
    Case("transaction_tx_profile", (V16,), PROFILE, {"csChargingProfiles.chargingProfilePurpose": "TxProfile", "csChargingProfiles.transactionId": 1},
         {"csChargingProfiles.chargingProfilePurpose": "TxDefaultProfile", "csChargingProfiles.transactionId": 1}, "/csChargingProfiles/transactionId"),
    Case("remote_start_purpose", (V16,), "RemoteStartTransactionRequest", {"chargingProfile.chargingProfilePurpose": "TxProfile"},
         {"chargingProfile.chargingProfilePurpose": "TxDefaultProfile"}, "/chargingProfile/chargingProfilePurpose"),
    Case("remote_start_purpose", TWO, "RequestStartTransactionRequest", {"chargingProfile.chargingProfilePurpose": "TxProfile"},
         {"chargingProfile.chargingProfilePurpose": "TxDefaultProfile"}, "/chargingProfile/chargingProfilePurpose"),
    Case("remote_start_transaction", TWO, "RequestStartTransactionRequest", {"chargingProfile.chargingProfilePurpose": "TxProfile"},
         {"chargingProfile.chargingProfilePurpose": "TxProfile", "chargingProfile.transactionId": "1"}, "/chargingProfile/transactionId"),
    Case("schedule_start", TWO, PROFILE, ABSOLUTE, {"chargingProfile.chargingProfileKind": "Recurring"}, "/chargingProfile/chargingSchedule/0/startSchedule"),
    Case("relative_start", TWO, PROFILE, RELATIVE, ABSOLUTE | RELATIVE, "/chargingProfile/chargingSchedule/0/startSchedule"),
    Case("recurrence", (V16,), PROFILE, {"csChargingProfiles.chargingProfileKind": "Recurring", "csChargingProfiles.recurrencyKind": "Daily"},
         {"csChargingProfiles.chargingProfileKind": "Absolute", "csChargingProfiles.recurrencyKind": "Daily"}, "/csChargingProfiles/recurrencyKind"),
    Case("recurrence", TWO, PROFILE, {"chargingProfile.chargingProfileKind": "Recurring", "chargingProfile.recurrencyKind": "Daily"},
         {"chargingProfile.chargingProfileKind": "Relative", "chargingProfile.recurrencyKind": "Daily"}, "/chargingProfile/recurrencyKind"),
    Case("recurrence_kind", (V16,), PROFILE, {"csChargingProfiles.chargingProfileKind": "Absolute"},
         {"csChargingProfiles.chargingProfileKind": "Recurring"}, "/csChargingProfiles/recurrencyKind"),
    Case("recurrence_kind", TWO, PROFILE, RELATIVE, {"chargingProfile.chargingProfileKind": "Recurring"}, "/chargingProfile/recurrencyKind"),
    Case("max_profile_relative", TWO, PROFILE, {"chargingProfile.chargingProfilePurpose": "ChargingStationMaxProfile", **ABSOLUTE},
         {"chargingProfile.chargingProfilePurpose": "ChargingStationMaxProfile", **RELATIVE}, "/chargingProfile/chargingProfileKind"),
    Case("max_profile_place", (V16,), PROFILE, {"connectorId": 0, "csChargingProfiles.chargingProfilePurpose": "ChargePointMaxProfile"},
         {"connectorId": 1, "csChargingProfiles.chargingProfilePurpose": "ChargePointMaxProfile"}, "/connectorId"),
    Case("max_profile_place", TWO, PROFILE, {"evseId": 0, "chargingProfile.chargingProfilePurpose": "ChargingStationMaxProfile"},
         {"evseId": 1, "chargingProfile.chargingProfilePurpose": "ChargingStationMaxProfile"}, "/evseId"),
    Case("tx_profile_place", (V16,), PROFILE, {"connectorId": 1, "csChargingProfiles.chargingProfilePurpose": "TxProfile"},
         {"connectorId": 0, "csChargingProfiles.chargingProfilePurpose": "TxProfile"}, "/connectorId"),
    Case("tx_profile_place", TWO, PROFILE, {"evseId": 1, "chargingProfile.chargingProfilePurpose": "TxProfile"},
         {"evseId": 0, "chargingProfile.chargingProfilePurpose": "TxProfile"}, "/evseId"),
    Case("first_period", TWO, PROFILE, {f"{PERIODS}.0.startPeriod": 0}, {f"{PERIODS}.0.startPeriod": 1}, f"/{PERIODS.replace('.', '/')}/0/startPeriod"),
    Case("period_order", (V16,), "GetCompositeScheduleResponse", {"chargingSchedule.chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}, {"startPeriod": 1, "limit": 1}]},
         {"chargingSchedule.chargingSchedulePeriod": [{"startPeriod": 5, "limit": 1}, {"startPeriod": 5, "limit": 1}]},
         "/chargingSchedule/chargingSchedulePeriod/1/startPeriod"),
    Case("period_order", TWO, PROFILE, {PERIODS: [{"startPeriod": 0, "limit": 1}, {"startPeriod": 60, "limit": 1}]},
         {PERIODS: [{"startPeriod": 60, "limit": 1}, {"startPeriod": 0, "limit": 1}]}, f"/{PERIODS.replace('.', '/')}/1/startPeriod"),
    Case("dynamic_single", (V21,), PROFILE, {"chargingProfile.chargingProfileKind": "Dynamic"},
         {"chargingProfile.chargingProfileKind": "Dynamic", PERIODS: [{"startPeriod": 0}, {"startPeriod": 60}]}, f"/{PERIODS.replace('.', '/')}"),
    Case("dynamic_update", (V21,), PROFILE, {"chargingProfile.chargingProfileKind": "Dynamic", "chargingProfile.dynUpdateInterval": 60},
         {**RELATIVE, "chargingProfile.dynUpdateInterval": 60}, "/chargingProfile/dynUpdateInterval"),
    Case("priority_duration", (V21,), PROFILE, {"chargingProfile.chargingProfilePurpose": "PriorityCharging"},
         {"chargingProfile.chargingProfilePurpose": "PriorityCharging", "chargingProfile.chargingSchedule.0.duration": 60},
         "/chargingProfile/chargingSchedule/0/duration"),
    Case("curve_points", (V21,), PROFILE, {f"{PERIODS}.0.v2xFreqWattCurve": [{"frequency": 49, "power": 1}, {"frequency": 51, "power": 0}]},
         {f"{PERIODS}.0.v2xFreqWattCurve": [{"frequency": 49, "power": 1}]}, f"/{PERIODS.replace('.', '/')}/0/v2xFreqWattCurve"),
    Case("composite_schedule", (V16,), "GetCompositeScheduleResponse", {"status": "Rejected"}, {"status": "Accepted"}, "/chargingSchedule"),
    Case("composite_schedule", TWO, "GetCompositeScheduleResponse", {"status": "Rejected"}, {"status": "Accepted"}, "/schedule"),
    Case("time_order", (V16,), "GetDiagnosticsRequest", {"location": "ftp://h/", "startTime": TIME, "stopTime": TIME},
         {"location": "ftp://h/", "startTime": TIME, "stopTime": "2026-01-02T03:04:05+02:00"}, "/stopTime"),
    Case("time_order", TWO, PROFILE, {"chargingProfile.validFrom": TIME, "chargingProfile.validTo": TIME},
         {"chargingProfile.validFrom": TIME, "chargingProfile.validTo": "2026-01-01T00:00:00Z"}, "/chargingProfile/validTo"),
    Case("list_version", (V16,), "SendLocalListRequest", {"listVersion": 1}, {"listVersion": 0}, "/listVersion"),
    Case("list_version", TWO, "SendLocalListRequest", {"versionNumber": 1}, {"versionNumber": 0}, "/versionNumber"),
    Case("full_list_info", (V16,), "SendLocalListRequest", {"updateType": "Differential", "localAuthorizationList.0.idTag": "a"},
         {"updateType": "Full", "localAuthorizationList.0.idTag": "a"}, "/localAuthorizationList/0/idTagInfo"),
    Case("full_list_info", TWO, "SendLocalListRequest", {"updateType": "Differential", "localAuthorizationList.0.idToken.idToken": "a"},
         {"updateType": "Full", "localAuthorizationList.0.idToken.idToken": "a"}, "/localAuthorizationList/0/idTokenInfo"),
    Case("list_unique", (V16,), "SendLocalListRequest", {"localAuthorizationList": [{"idTag": "a"}, {"idTag": "b"}]},
         {"localAuthorizationList": [{"idTag": "a"}, {"idTag": "b"}, {"idTag": "A"}]}, "/localAuthorizationList/2"),
    Case("list_unique", TWO, "SendLocalListRequest",
         {"localAuthorizationList": [{"idToken": {"idToken": "a", "type": "Local"}}, {"idToken": {"idToken": "a", "type": "Central"}}]},
         {"localAuthorizationList": [{"idToken": {"idToken": "a", "type": "Local"}}, {"idToken": {"idToken": "A", "type": "Local"}}]},
         "/localAuthorizationList/1"),
    Case("second_language", TWO, "AuthorizeResponse", {"idTokenInfo.language1": "de", "idTokenInfo.language2": "en"},
         {"idTokenInfo.language2": "en"}, "/idTokenInfo/language1"),
    Case("customer_reference", TWO, "CustomerInformationRequest", {"customerIdentifier": "a"}, {}, ""),
    Case("clear_profile_what", TWO, "ClearChargingProfileRequest", {"chargingProfileId": 1}, {}, ""),
    Case("stopped_reason", TWO, "TransactionEventRequest", {"eventType": "Ended", REASON: "Local"},
         {"eventType": "Updated", REASON: "Local"}, "/transactionInfo/stoppedReason"),
    Case("request_id", (V16,), "LogStatusNotificationRequest", {"status": "Idle"}, {"status": "Uploaded"}, "/requestId"),
    Case("request_id", TWO, "FirmwareStatusNotificationRequest", {"status": "Idle"}, {"status": "Installed"}, "/requestId"),
    Case("firmware_signature", TWO, "UpdateFirmwareRequest", {"firmware.signature": "a", "firmware.signingCertificate": "b"},
         {"firmware.signature": "a"}, "/firmware/signingCertificate"),
    Case("firmware_signature", TWO, "UpdateFirmwareRequest", {}, {"firmware.signingCertificate": "a"}, "/firmware/signature"),
    Case("published_location", TWO, "PublishFirmwareStatusNotificationRequest", {"status": "Idle"}, {"status": "Published"}, "/location"),
    Case("checksum", TWO, "UnpublishFirmwareRequest", {"checksum": "0aF9" * 8}, {"checksum": "0aF9"}, "/checksum"),
    Case("variable_value", TWO, "GetVariablesResponse", {"getVariableResult.0.attributeStatus": "Rejected"},
         {"getVariableResult.0.attributeStatus": "Accepted"}, "/getVariableResult/0/attributeValue"),
    Case("write_only", TWO, "NotifyReportRequest", {"reportData.0.variableAttribute.0.mutability": "ReadOnly", "reportData.0.variableAttribute.0.value": "a"},
         {"reportData.0.variableAttribute.0.mutability": "WriteOnly", "reportData.0.variableAttribute.0.value": "a"},
         "/reportData/0/variableAttribute/0/value"),
    Case("values_list", TWO, "NotifyReportRequest", {"reportData.0.variableCharacteristics.dataType": "string"},
         {"reportData.0.variableCharacteristics.dataType": "OptionList"}, "/reportData/0/variableCharacteristics/valuesList"),
    Case("set_variables_unique", TWO, "SetVariablesRequest", {"setVariableData": [
        {"attributeValue": "", "component": {"name": "A", "evse": {"id": n}}, "variable": {"name": "B"}} for n in (1, 2)]},
         {"setVariableData": [{"attributeValue": "", "component": {"name": "A", "evse": {"id": 1}}, "variable": {"name": n}} for n in "bB"]},
         "/setVariableData/1"),
    Case("mean_value", (V21,), "SetDERControlRequest", {"curve.voltageParams.hv10MinMeanValue": 1, "curve.voltageParams.hv10MinMeanTripDelay": 1},
         {"curve.voltageParams.hv10MinMeanValue": 1}, "/curve/voltageParams/hv10MinMeanTripDelay"),
]  # fmt: skip


def made(spec: Model, type_name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The smallest instance of a payload, with some values set; the objects on the way to them are the smallest too."""
    tree = minimal(spec, type_name)
    for path, value in changes.items():
        _put(spec, type_name, tree, path.split("."), value)
    return tree


def _put(spec: Model, type_name: str, tree: dict[str, Any], path: list[str], value: Any) -> None:
    name, *rest = path
    if not rest:
        tree[name] = value
        return
    field = next(field for field in spec.types[type_name]["fields"] if field["name"] == name)
    if "items" in field:
        items = tree.setdefault(name, [])
        if not items:
            items.append(minimal(spec, field["ref"]))
        if len(rest) == 1:
            items[0] = value
        else:
            _put(spec, field["ref"], items[int(rest[0])], rest[1:], value)
    else:
        _put(spec, field["ref"], tree.setdefault(name, minimal(spec, field["ref"])), rest, value)


def explained(module: str, backend: str, type_name: str, tree: Any) -> list[Any]:
    """What is said of a payload in a frame of its kind."""
    spec = model(module)
    payload = next(payload for payload in spec.payloads() if payload.type_name == type_name)
    codec: Any = Codec(spec.subprotocol, backend=backend)
    return list(codec.explain(framed(payload, text_of(tree)), pending_for(payload)))


PAIRS = [(case, module) for case in CASES for module in case.modules]


@pytest.mark.parametrize(
    ("case", "module"), PAIRS, ids=[f"{case.rule} {module} {case.pointer}" for case, module in PAIRS]
)
def test_a_rule_holds_for_the_good_and_not_for_the_bad(case: Case, module: str, backend: str) -> None:
    good = explained(module, backend, case.payload, made(model(module), case.payload, case.good))
    assert [finding for finding in good if finding.tier == "schema" or finding.rule == case.rule] == []
    bad = explained(module, backend, case.payload, made(model(module), case.payload, case.bad))
    assert [finding for finding in bad if finding.tier == "schema"] == []
    assert [finding.path for finding in bad if finding.rule == case.rule] == [case.pointer]


def test_every_rule_is_tried_in_every_version_that_has_it() -> None:
    tried = {(case.rule, NUMBERS[module]) for case, module in PAIRS}
    known = {(rule.id, version) for rule in _rules.catalogue() if rule.tier == "spec" for version in rule.section}
    assert tried == known


# --- Asked for by a policy

# Rules that nothing breaks on its way out: times are written in UTC and cut to milliseconds.
NEVER_OUT = ("time_utc", "time_fraction")


@cache
def asking(subprotocol: str, backend: str, rule: str, verdict: str, direction: str) -> Any:
    """A codec whose policy names one rule of the specification tier."""
    policy = Policy([{"rule": rule, "verdict": verdict, "direction": direction}])
    return Codec(subprotocol, backend=backend).extend(policy=policy)


def shown(error: Any) -> list[Any]:
    """What an error or a finding tells."""
    names = ("rule", "kind", "path", "offset", "end", "expected", "found", "suggestion", "code", "action", "message_id")
    return [getattr(error, name) for name in (*names, "message_type", "version")]


@pytest.mark.parametrize(
    ("case", "module"), PAIRS, ids=[f"{case.rule} {module} {case.pointer}" for case, module in PAIRS]
)
def test_a_policy_refuses_reports_and_ignores_a_rule_in_both_directions(case: Case, module: str, backend: str) -> None:
    spec = model(module)
    payload = next(payload for payload in spec.payloads() if payload.type_name == case.payload)
    strict: Any = Codec(spec.subprotocol, backend=backend)
    pending = pending_for(payload)
    good, text = (text_of(made(spec, case.payload, tree)) for tree in (case.good, case.bad))
    data = framed(payload, text)
    frame = strict.decode(data, pending)
    finding = next(one for one in strict.explain(data, pending) if one.rule == case.rule)

    def codec(verdict: str, direction: str = "both") -> Any:
        return asking(spec.subprotocol, backend, case.rule, verdict, direction)

    refusing = codec("refuse", "in")
    with pytest.raises(PayloadError) as caught:
        refusing.decode(data, pending)
    error = caught.value
    assert shown(error) == shown(finding)
    assert (str(error), error.redact(), error.reply()) == (finding.text, finding.redact().text, finding.reply())
    assert shown(pickle.loads(pickle.dumps(error))) == shown(error)
    for refuse in (refusing.validate, refusing.decode_with_findings):
        with pytest.raises(PayloadError) as caught:
            refuse(data, pending)
        assert shown(caught.value) == shown(error)
    assert shown(refusing.decode_many([data], pending)[0]) == shown(error)
    with pytest.raises(PayloadError) as caught:
        refusing.decode_payload(text, payload.action, payload.kind)
    assert (caught.value.rule, caught.value.path) == (case.rule, case.pointer)
    if payload.kind == "response":
        assert list(refusing.validate_many([data])) == []  # nobody knows what it answers
        with pytest.raises(PayloadError) as caught:
            refusing.resolve(refusing.decode(data), payload.action)
        assert shown(caught.value) == shown(error)
    else:
        assert list(refusing.validate_many([data])) == [(0, finding.kind, finding.offset)]
    whole = framed(payload, good)
    assert refusing.decode(whole, pending) == strict.decode(whole, pending)
    assert refusing.encode(frame) == strict.encode(frame)

    refusing = codec("refuse", "out")
    assert refusing.decode(data, pending) == frame
    if case.rule not in NEVER_OUT:
        for encode, value in ((refusing.encode, frame), (refusing.encode_payload, frame.payload)):
            with pytest.raises(EncodeError) as unwritten:
                encode(value)
            assert (unwritten.value.rule, unwritten.value.path) == (case.rule, case.pointer)
            assert unwritten.value.code == error.code
        with pytest.raises(EncodeError):
            refusing.encode_with_extras(frame, {})
    assert refusing.encode(strict.decode(whole, pending)) == strict.encode(strict.decode(whole, pending))

    for verdict in ("report", "ignore"):
        tolerated = codec(verdict).decode_with_findings(data, pending)
        assert tolerated.frame == frame == codec(verdict).decode(data, pending)
        told = [msgspec.structs.replace(finding, verdict="report")] if verdict == "report" else []
        assert [one for one in tolerated.findings if one.path == case.pointer] == told
        assert {one.rule for one in tolerated.findings} <= {case.rule}
        assert codec(verdict).encode(frame) == strict.encode(frame)
        assert codec(verdict).validate(data, pending) is None
