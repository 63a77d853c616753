"""Faulty data and what must be said of it, rule by rule of docs/semantics.md: both backends satisfy every row.

In the rows `▶` stands before the character at whose byte the fault lies, and is not part of the data; `cases()` gives every row with the
mark taken out and the byte counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MARK = "▶"


class Case(NamedTuple):
    """One row, its mark replaced by the offset that it stood for."""

    module: str
    data: str | bytes
    pending: dict[str, str] | None
    kind: str
    path: str
    offset: int
    expected: Any


BOOT_16 = '[2,"1","BootNotification",'
BOOT = '[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"'
STATUS_16 = '[2,"1","StatusNotification",{"connectorId":'
LIMIT_16 = '[2,"1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":'
LIMIT_PATH = "/csChargingProfiles/chargingSchedule/chargingSchedulePeriod/0/limit"
UPDATE_16 = '[2,"1","UpdateFirmware",{"retrieveDate":"2026-01-02T03:04:05Z","location":'
BATTERY_SWAP = '[2,"1","BatterySwap",{"batteryData":[{"soC":'
TIME = '[3,"1",{"currentTime":'
HEARTBEAT = {"1": "Heartbeat"}
IDS = (2, 3, 4)
PATH_RAW = "/a"

# Text: the first byte that cannot continue.
TEXT: list[tuple[str, str]] = [
    ("", "truncated"),
    (" \t\r\n▶", "truncated"),
    ("[▶", "truncated"),
    ("[2▶", "truncated"),
    ("[2,▶", "truncated"),
    ('[2,"1▶', "truncated"),
    ('[2,"1"▶', "truncated"),
    ('[2,"1\\▶', "truncated"),
    ('[2,"1\\u▶', "truncated"),
    ('[2,"1\\u004▶', "truncated"),
    ('[2,"1\\ud83d▶', "truncated"),
    ('[2,"1\\ud83d\\▶', "truncated"),
    ('[2,"1\\ud83d\\u▶', "truncated"),
    ('[2,"1\\ud83d\\ude0▶', "truncated"),
    ('[2,"1","Heartbeat"▶', "truncated"),
    ('[2,"1","Heartbeat",▶', "truncated"),
    ('[2,"1","Heartbeat",{▶', "truncated"),
    ('[2,"1","Heartbeat",{}▶', "truncated"),
    ('[2,"1","Heartbeat",{} ▶', "truncated"),
    ('[3,"1",{"a▶', "truncated"),
    ('[3,"1",{"a"▶', "truncated"),
    ('[3,"1",{"a":▶', "truncated"),
    ('[3,"1",{"a":t▶', "truncated"),
    ('[3,"1",{"a":-▶', "truncated"),
    ('[3,"1",{"a":1▶', "truncated"),
    ('[3,"1",{"a":1.▶', "truncated"),
    ('[3,"1",{"a":1e▶', "truncated"),
    ('[3,"1",{"a":1E+▶', "truncated"),
    ('[3,"1",{"a":[▶', "truncated"),
    ('[3,"1",{"a":[1,▶', "truncated"),
    ("▶\ufeff[2]", "syntax"),
    ("▶\x00", "syntax"),
    ("▶x", "syntax"),
    ("▶]", "syntax"),
    ("▶é", "syntax"),
    ("▶'2'", "syntax"),
    ("n▶ope", "syntax"),
    ("[▶,2]", "syntax"),
    ("[2 ▶3]", "syntax"),
    ('[0▶2,"1"]', "syntax"),
    ('[2▶:"1"]', "syntax"),
    ("[2,▶]", "syntax"),
    ('[2,"1",▶}', "syntax"),
    ('[2,"1"▶;"Heartbeat",{}]', "syntax"),
    ('[2,"▶\n1","Heartbeat",{}]', "syntax"),
    ('[2,"▶\x001","Heartbeat",{}]', "syntax"),
    ('[2,"1\\▶q","Heartbeat",{}]', "syntax"),
    ('[2,"1\\u00▶gg","Heartbeat",{}]', "syntax"),
    ('[2,"1\\▶\x00","Heartbeat",{}]', "syntax"),
    ('[2,"1","Heartbeat",{}▶}', "syntax"),
    ('[2,"1","Heartbeat",{}]▶]', "syntax"),
    ('[2,"1","Heartbeat",{}] ▶x', "syntax"),
    ('[2,"1","Heartbeat",{}]▶\x00', "syntax"),
    ('[2,"1","Heartbeat",{▶1:2}]', "syntax"),
    ('[2,"1","Heartbeat",{▶,}]', "syntax"),
    ('[3,"1",{"a" ▶1}]', "syntax"),
    ('[3,"1",{"a"▶,1}]', "syntax"),
    ('[3,"1",{"a":▶}]', "syntax"),
    ('[3,"1",{"a":1,▶}]', "syntax"),
    ('[3,"1",{"a":1▶]', "syntax"),
    ('[3,"1",{"a":1 ▶"b":2}]', "syntax"),
    ('[3,"1",{"a":[1,▶]}]', "syntax"),
    ('[3,"1",{"a":[1▶}]', "syntax"),
    ('[3,"1",{"a":0▶2}]', "syntax"),
    ('[3,"1",{"a":-0▶2}]', "syntax"),
    ('[3,"1",{"a":▶+2}]', "syntax"),
    ('[3,"1",{"a":▶.5}]', "syntax"),
    ('[3,"1",{"a":-▶x}]', "syntax"),
    ('[3,"1",{"a":-▶.5}]', "syntax"),
    ('[3,"1",{"a":1.▶}]', "syntax"),
    ('[3,"1",{"a":1.▶e1}]', "syntax"),
    ('[3,"1",{"a":1.5▶.5}]', "syntax"),
    ('[3,"1",{"a":1e▶}]', "syntax"),
    ('[3,"1",{"a":1e-▶x}]', "syntax"),
    ('[3,"1",{"a":1e5▶e5}]', "syntax"),
    ('[3,"1",{"a":1▶x}]', "syntax"),
    ('[3,"1",{"a":▶NaN}]', "syntax"),
    ('[3,"1",{"a":▶Infinity}]', "syntax"),
    ('[3,"1",{"a":nul▶x}]', "syntax"),
    ('[3,"1",{"a":t▶}]', "syntax"),
    ('[3,"1",{"a":fals▶"}]', "syntax"),
    ('[3,"1",{"a":true▶r}]', "syntax"),
    ('[3,"1",{"a":1▶é}]', "syntax"),
    ('[2,"▶\\ud83d","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ude00","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ud83d\\n","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ud83dx","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ud83d\\u0041","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ud83d\\u00gg","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\\ud83d\\ud83d\\ude00","Heartbeat",{}]', "surrogate"),
    ('[2,"é▶\ud800","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\udc80","Heartbeat",{}]', "surrogate"),
    ('[2,"▶\ud83d\ude00","Heartbeat",{}]', "surrogate"),
    ('[3,"1",{"▶\udfff":1}]', "surrogate"),
    ("[▶\ud800]", "syntax"),
]

# Bytes that are no text, with the offset spelled out.
BYTES: list[tuple[bytes, str, int]] = [
    (b'[2,"\xff"', "utf8", 4),
    (b'[2,"a\x80"', "utf8", 5),
    (b'[2,"\xc0\x80"', "utf8", 4),
    (b'[2,"\xc3"', "utf8", 4),
    (b'[2,"\xc3', "utf8", 4),
    (b'[2,"\xc3\xa9\xe2\x82"', "utf8", 6),
    (b'[2,"\xe0\x80\x80"', "utf8", 4),
    (b'[2,"\xf0\x9f\x98"', "utf8", 4),
    (b'[2,"\xf4\x90\x80\x80"', "utf8", 4),
    (b'[2,"\xf5"', "utf8", 4),
    (b'[2,"\xed\xa0"', "utf8", 4),
    (b'[2,"\xed\xa0\x80"', "surrogate", 4),
    (b'[2,"\xed\xbf\xbf"', "surrogate", 4),
    (b'[2,"\xed\xa0\xbd\xed\xb8\x80"', "surrogate", 4),
    (b'[3,"1",{"\xff":1}]', "utf8", 9),
    (b'[3,"1",{"a":"x\xe9"}]', "utf8", 14),
    (b"\xff", "syntax", 0),
    (b"\xef\xbb\xbf[2]", "syntax", 0),
    (b"[2,\xed\xa0\x80]", "syntax", 3),
]

# Frames: (version, data, kind, expected).
FRAMES: list[tuple[str, str, str, Any]] = [
    ("v16", "▶{}", "frame_not_array", None),
    ("v16", " ▶2", "frame_not_array", None),
    ("v16", '▶"[2]"', "frame_not_array", None),
    ("v16", "▶true", "frame_not_array", None),
    ("v16", "tru▶", "truncated", None),
    ("v16", "[nul▶x]", "syntax", None),
    ("v16", "[2,f▶1]", "syntax", None),
    ("v16", '[2,"1",t▶,{}]', "syntax", None),
    ("v16", '[2,"1","Heartbeat",n▶]', "syntax", None),
    ("v16", '[4,"1",nul▶,"",{}]', "syntax", None),
    ("v16", '[4,"1","","",fals▶x]', "syntax", None),
    ("v16", "[▶]", "message_type_invalid", IDS),
    ("v201", "[▶]", "message_type_invalid", IDS),
    ("v21", "[ ▶]", "message_type_invalid", (2, 3, 4, 5, 6)),
    ("v16", '[▶"2","1"]', "message_type_invalid", IDS),
    ("v16", '[▶2.0,"1"]', "message_type_invalid", IDS),
    ("v16", '[▶2e0,"1"]', "message_type_invalid", IDS),
    ("v16", '[▶null,"1"]', "message_type_invalid", IDS),
    ("v16", "[▶[2]]", "message_type_invalid", IDS),
    ("v16", '[▶1,"1"]', "message_type_unknown", IDS),
    ("v16", '[▶-2,"1"]', "message_type_unknown", IDS),
    ("v16", '[▶5,"1","","",{}]', "message_type_unknown", IDS),
    ("v201", '[▶6,"1","NotifyPeriodicEventStream",{}]', "message_type_unknown", IDS),
    ("v21", '[▶7,"1"]', "message_type_unknown", (2, 3, 4, 5, 6)),
    ("v16", "[▶99999999999999999999999999]", "message_type_unknown", IDS),
    ("v16", "[2▶]", "arity", 4),
    ("v16", "[3▶]", "arity", 3),
    ("v16", "[4▶]", "arity", 5),
    ("v16", '[2,▶1,"Heartbeat",{}]', "message_id_type", "string"),
    ("v16", '[2,▶null,"Heartbeat",{}]', "message_id_type", "string"),
    ("v16", '[2,▶["1"],"Heartbeat",{}]', "message_id_type", "string"),
    ("v16", '[2,▶"","Heartbeat",{}]', "message_id_length", 36),
    ("v16", f'[2,▶"{"x" * 37}","Heartbeat",{{}}]', "message_id_length", 36),
    ("v201", f'[3,▶"{"é" * 37}",{{}}]', "message_id_length", 36),
    ("v16", '[2,"1"▶]', "arity", 4),
    ("v16", '[2,"1",▶null,{}]', "action_type", "string"),
    ("v16", '[2,"1",▶["Heartbeat"],{}]', "action_type", "string"),
    ("v16", '[2,"1",▶{},{}]', "action_type", "string"),
    ("v16", '[2,"1",▶"",{}]', "action_unknown", None),
    ("v16", '[2,"1",▶"heartbeat",{}]', "action_unknown", None),
    ("v16", '[2,"1",▶"TransactionEvent",{}]', "action_unknown", None),
    ("v16", '[2,"1",▶"Heartbeat\\u0000",{}]', "action_unknown", None),
    ("v16", '[2,"1",▶"Nope"]', "action_unknown", None),
    ("v21", '[2,"1",▶"NotifyPeriodicEventStream",{}]', "action_unknown", None),
    ("v21", '[6,"1",▶"Heartbeat",{}]', "action_unknown", None),
    ("v16", '[2,"1","Heartbeat"▶]', "payload_missing", "object"),
    ("v16", '[2,"1","Heartbeat",▶null]', "payload_missing", "object"),
    ("v16", '[2,"1","Heartbeat",▶[]]', "payload_type", "object"),
    ("v16", '[2,"1","Heartbeat",▶true]', "payload_type", "object"),
    ("v16", '[2,"1","Heartbeat",▶"{}"]', "payload_type", "object"),
    ("v16", '[3,"1"▶]', "payload_missing", "object"),
    ("v16", '[3,"1",▶null]', "payload_missing", "object"),
    ("v16", '[3,"1",▶1]', "payload_type", "object"),
    ("v21", '[6,"1","NotifyPeriodicEventStream"▶]', "payload_missing", "object"),
    ("v16", '[2,"1","Heartbeat",{},▶1]', "arity", 4),
    ("v16", '[2,"1","Heartbeat",{},▶]', "syntax", None),
    ("v16", '[3,"1",{},▶{}]', "arity", 3),
    ("v16", '[4,"1"▶]', "arity", 5),
    ("v16", '[4,"1","GenericError"▶]', "arity", 5),
    ("v16", '[4,"1","GenericError",""▶]', "arity", 5),
    ("v16", '[4,"1","GenericError","",{},▶0]', "arity", 5),
    ("v16", '[4,"1",▶null,"",{}]', "error_field_type", "string"),
    ("v16", '[4,"1","GenericError",▶1,{}]', "error_field_type", "string"),
    ("v16", '[4,"1","GenericError","",▶null]', "error_field_type", "object"),
    ("v16", '[4,"1","GenericError","",▶[]]', "error_field_type", "object"),
    ("v21", '[5,"1",▶{},"",{}]', "error_field_type", "string"),
    ("v16", '[4,"1","GenericError","",{"a":▶1e999}]', "number_range", None),
]

# Payloads: (version, data, pending, kind, path, expected).
PAYLOADS: list[tuple[str, str, dict[str, str] | None, str, str, Any]] = [
    # presence
    ("v16", BOOT_16 + "{▶}]", None, "missing", "/chargePointVendor", "chargePointVendor"),
    ("v16", BOOT_16 + '{"chargePointVendor":"V" ▶}]', None, "missing", "/chargePointModel", "chargePointModel"),
    ("v201", '[2,"1","BootNotification",{"chargingStation":{▶}}]', None, "missing", "/chargingStation/model", "model"),
    ("v201", BOOT + ',"customData":{▶}}}]', None, "missing", "/chargingStation/customData/vendorId", "vendorId"),
    ("v16", "[3,\"1\",{▶}]", HEARTBEAT, "missing", "/currentTime", "currentTime"),
    # keys
    ("v16", '[2,"1","Heartbeat",{▶"a":1}]', None, "unknown_key", "/a", ()),
    ("v16", '[2,"1","Heartbeat",{▶"a"!', None, "unknown_key", "/a", ()),
    ("v16", '[2,"1","Heartbeat",{▶"":1}]', None, "unknown_key", "/", ()),
    ("v16", '[2,"1","Heartbeat",{▶"a/b~c":1}]', None, "unknown_key", "/a~1b~0c", ()),
    ("v16", '[2,"1","Heartbeat",{▶"\\u0061":nope', None, "unknown_key", "/a", ()),
    ("v16", TIME + '"2026-01-02T03:04:05Z",▶"CurrentTime":1}]', HEARTBEAT, "unknown_key", "/CurrentTime", ("currentTime",)),
    ("v16", TIME + '"2026-01-02T03:04:05Z",▶"currentTime":1}]', HEARTBEAT, "duplicate_key", "/currentTime", None),
    ("v16", TIME + '"2026-01-02T03:04:05Z",▶"current\\u0054ime"x', HEARTBEAT, "duplicate_key", "/currentTime", None),
    ("v201", BOOT + ',"customData":{"vendorId":"v",▶"vendorId":"w"}}}]', None, "duplicate_key", "/chargingStation/customData/vendorId", None),
    # types
    ("v16", BOOT_16 + '{"chargePointVendor":▶1}]', None, "type", "/chargePointVendor", "string"),
    ("v16", BOOT_16 + '{"chargePointVendor":▶true}]', None, "type", "/chargePointVendor", "string"),
    ("v16", BOOT_16 + '{"chargePointVendor":▶[}]', None, "type", "/chargePointVendor", "string"),
    ("v16", BOOT_16 + '{"chargePointVendor":▶null}]', None, "null", "/chargePointVendor", "string"),
    ("v16", BOOT_16 + '{"chargePointVendor":nul▶k}]', None, "syntax", "", None),
    ("v16", BOOT_16 + '{"chargePointVendor":▶1.x}]', None, "type", "/chargePointVendor", "string"),
    ("v16", STATUS_16 + '▶"1"}]', None, "type", "/connectorId", "integer"),
    ("v16", STATUS_16 + "▶null}]", None, "null", "/connectorId", "integer"),
    ("v16", STATUS_16 + "▶1.0}]", None, "type", "/connectorId", "integer"),
    ("v16", STATUS_16 + "▶1e0}]", None, "type", "/connectorId", "integer"),
    ("v16", STATUS_16 + "1.▶}]", None, "syntax", "", None),
    ("v16", STATUS_16 + "▶9223372036854775808}]", None, "number_range", "/connectorId", None),
    ("v16", STATUS_16 + "▶" + "9" * 5000 + "}]", None, "number_range", "/connectorId", None),
    ("v16", LIMIT_16 + '▶"16"', None, "type", LIMIT_PATH, "number"),
    ("v16", LIMIT_16 + "▶null", None, "null", LIMIT_PATH, "number"),
    ("v16", LIMIT_16 + "▶false", None, "type", LIMIT_PATH, "number"),
    ("v16", LIMIT_16 + "▶1e400", None, "number_range", LIMIT_PATH, None),
    ("v16", LIMIT_16 + "▶-9223372036854775809", None, "number_range", LIMIT_PATH, None),
    ("v16", LIMIT_16 + "▶21.45", None, "multiple_of", LIMIT_PATH, "0.1"),
    ("v16", LIMIT_16 + "▶1e-400", None, "multiple_of", LIMIT_PATH, "0.1"),
    ("v16", LIMIT_16 + "▶0.30000000000000004", None, "multiple_of", LIMIT_PATH, "0.1"),
    ("v16", LIMIT_16 + "▶2145e-2", None, "multiple_of", LIMIT_PATH, "0.1"),
    ("v201", BOOT + ',"modem":▶[]}}]', None, "type", "/chargingStation/modem", "object"),
    ("v201", BOOT + ',"modem":▶null}}]', None, "null", "/chargingStation/modem", "object"),
    ("v201", BOOT + ',"customData":▶"x"}}]', None, "type", "/chargingStation/customData", "object"),
    ("v201", BOOT + ',"customData":{"vendorId":▶1}}}]', None, "type", "/chargingStation/customData/vendorId", "string"),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":▶{}}]', None, "type", "/meterValue", "array"),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":▶null}]', None, "null", "/meterValue", "array"),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":[▶null]}]', None, "null", "/meterValue/0", "object"),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":[▶1]}]', None, "type", "/meterValue/0", "object"),
    ("v201", '[2,"1","MeterValues",{"evseId":▶1.5,"meterValue":[]}]', None, "type", "/evseId", "integer"),
    ("v201", '[2,"1","MeterValues",{"evseId":▶1e19,"meterValue":[]}]', None, "number_range", "/evseId", None),
    ("v201", '[2,"1","MeterValues",{"evseId":▶1e99999999999999999999,"meterValue":[]}]', None, "number_range", "/evseId", None),
    ("v201", '[2,"1","GetBaseReport",{"requestId":1.0,"reportBase":▶"full"}]', None, "enum", "/reportBase", ("ConfigurationInventory", "FullInventory", "SummaryInventory")),
    ("v201", '[2,"1","SetVariables",{"setVariableData":[{"attributeValue":"1","component":▶"x"}]}]', None, "type", "/setVariableData/0/component", "object"),
    # enumerations
    ("v16", '[2,"1","Reset",{"type":▶"hard"}]', None, "enum", "/type", ("Hard", "Soft")),
    ("v16", '[2,"1","Reset",{"type":▶""}]', None, "enum", "/type", ("Hard", "Soft")),
    ("v16", '[2,"1","Reset",{"type":▶"Hard "}]', None, "enum", "/type", ("Hard", "Soft")),
    ("v16", '[2,"1","Reset",{"type":▶"\\u0068ard"}]', None, "enum", "/type", ("Hard", "Soft")),
    ("v16", '[2,"1","Reset",{"type":▶1}]', None, "type", "/type", "string"),
    # lengths
    ("v16", BOOT_16 + '{"chargePointVendor":▶"' + "x" * 21 + '"}]', None, "length", "/chargePointVendor", 20),
    ("v16", BOOT_16 + '{"chargePointVendor":▶"' + "😀" * 21 + '"}]', None, "length", "/chargePointVendor", 20),
    ("v16", BOOT_16 + '{"chargePointVendor":▶"' + "\\ud83d\\ude00" * 21 + '"}]', None, "length", "/chargePointVendor", 20),
    ("v16", BOOT_16 + '{"chargePointVendor":"' + "\\n" * 20 + '","chargePointModel":▶"' + "é" * 21 + '"}]', None, "length", "/chargePointModel", 20),
    ("v201", BOOT + ',"customData":{"vendorId":▶"' + "x" * 256 + '"}}}]', None, "length", "/chargingStation/customData/vendorId", 255),
    ("v16", BOOT_16 + '{"chargePointVendor":"' + "x" * 30 + "▶", None, "truncated", "", None),
    # lists
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":[▶]}]', None, "too_few", "/meterValue", 1),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[ ▶]}]}]', None, "too_few", "/meterValue/0/sampledValue", 1),
    ("v201", '[2,"1","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":[{"value":1},{"value":▶null}]}]}]', None, "null", "/meterValue/0/sampledValue/1/value", "number"),
    ("v201", '[2,"1","SetVariables",{"setVariableData":[▶]}]', None, "too_few", "/setVariableData", 1),
    ("v201", '[2,"1","GetReport",{"requestId":1,"componentCriteria":["Active","Active","Active","Active",▶"Active"]}]', None, "too_many", "/componentCriteria", 4),
    ("v201", '[2,"1","GetReport",{"requestId":1,"componentCriteria":["Active","Active","Active","Active",▶{', None, "too_many", "/componentCriteria", 4),
    ("v201", '[2,"1","GetReport",{"requestId":1,"componentCriteria":["Active","Active","Active","Active",▶]}]', None, "syntax", "", None),
    ("v201", '[2,"1","GetReport",{"requestId":1,"componentCriteria":["Active",▶"active"', None, "enum", "/componentCriteria/1", ("Active", "Available", "Enabled", "Problem")),
    ("v21", '[2,"1","Get15118EVCertificate",{"prioritizedEMAIDs":["a",▶"' + "x" * 256 + '"]}]', None, "length", "/prioritizedEMAIDs/1", 255),
    # bounds
    ("v21", '[2,"1","CancelReservation",{"reservationId":▶-1}]', None, "minimum", "/reservationId", 0),
    ("v21", '[2,"1","CancelReservation",{"reservationId":▶-1.0}]', None, "minimum", "/reservationId", 0),
    ("v21", '[2,"1","CancelReservation",{"reservationId":▶-1.5}]', None, "type", "/reservationId", "integer"),
    ("v21", '[2,"1","ClearVariableMonitoring",{"id":[0,▶-1]}]', None, "minimum", "/id/1", 0),
    ("v21", '[2,"1","ReportDERControl",{"curve":[{"curve":{"priority":▶-1', None, "minimum", "/curve/0/curve/priority", 0),
    ("v21", BATTERY_SWAP + "▶100.1", None, "maximum", "/batteryData/0/soC", 100.0),
    ("v21", BATTERY_SWAP + "▶-1e-9", None, "minimum", "/batteryData/0/soC", 0.0),
    ("v16", STATUS_16 + "-0▶2}]", None, "syntax", "", None),
    # free-form values
    ("v16", '[3,"1",{"a":▶1e999}]', None, "number_range", PATH_RAW, None),
    ("v16", '[3,"1",{"a":[0,{"b":▶9223372036854775808}]}]', None, "number_range", "/a/1/b", None),
    ("v16", '[3,"1",{"a":▶-9223372036854775809}]', None, "number_range", PATH_RAW, None),
    ("v201", BOOT + ',"customData":{"vendorId":"v","k":[▶1e400]}}}]', None, "number_range", "/chargingStation/customData/k/0", None),
    # depth
    ("v16", "[3,\"1\"," + '{"a":' * 63 + "▶[", None, "depth", "", 64),
    ("v16", "[3,\"1\"," + '{"a":' * 63 + "▶{", None, "depth", "", 64),
    ("v16", '[3,"1",{"a":' + "[" * 62 + "▶[", None, "depth", "", 64),
    ("v201", BOOT + ',"customData":{"vendorId":"v","k":' + "[" * 60 + "▶[", None, "depth", "", 64),
    ("v16", '[4,"1","","",{"a":' + "[" * 62 + "▶[", None, "depth", "", 64),
    # order: the first fault in the document
    ("v16", BOOT_16 + '{▶"x":1,"chargePointVendor":5', None, "unknown_key", "/x", ("chargePointVendor", "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber", "firmwareVersion", "iccid", "imsi", "meterType", "meterSerialNumber")),
    ("v16", BOOT_16 + '{"chargePointVendor":▶5,"x":1}', None, "type", "/chargePointVendor", "string"),
    ("v16", LIMIT_16 + "▶1.23}]}}}", None, "multiple_of", LIMIT_PATH, "0.1"),
]  # fmt: skip

# Texts that are no date-times, and no URIs.
NOT_DATE_TIMES = [
    "",
    "2026-01-02",
    "2026-01-02T03:04:05",
    "2026-01-02 03:04:05Z",
    "2026-01-02T03:04Z",
    "2026-01-02T03:04:60Z",
    "2026-01-02T24:00:00Z",
    "2026-01-02T03:60:00Z",
    "2026-02-29T03:04:05Z",
    "2026-04-31T03:04:05Z",
    "2026-13-02T03:04:05Z",
    "2026-00-02T03:04:05Z",
    "2026-01-00T03:04:05Z",
    "0000-01-02T03:04:05Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "9999-12-31T23:59:59.9999995Z",
    "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05,5Z",
    "2026-01-02T03:04:05+02",
    "2026-01-02T03:04:05+0200",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+01:60",
    "2026-01-02T03:04:05ZZ",
    "2026-01-02T03:04:05Z ",
    " 2026-01-02T03:04:05Z",
    "2026-1-2T03:04:05Z",
    "+2026-01-02T03:04:05Z",
    "٢٠٢٦-01-02T03:04:05Z",
    "20260102T030405Z",
]
NOT_URIS = [
    "",
    "x",
    "/a",
    "//a/b",
    "1a:b",
    "a b:c",
    "http://a b",
    "http://a/%2",
    "http://a/%zz",
    "http://[::1",
    "http://[::g]/",
    "http://[::1]x",
    "http://[1::2::3]/",
    "http://[v.a]/",
    "http://a:b/",
    "http://a@b@c/",
    "http://ä/",
    "a:<",
    "a:b#c#d",
    "a:\\u0000",
    "http://[fe80::1%25eth0]/",
]


def cases() -> list[Case]:
    """Every row."""
    found = [
        _case("v16", data, None, kind, "", _text_expected(kind)) for data, kind in TEXT if MARK in data or not data
    ]
    found += [Case("v16", data, None, kind, "", offset, None) for data, kind, offset in BYTES]
    found += [_case(module, data, None, kind, "", expected) for module, data, kind, expected in FRAMES]
    found += [_case(*row) for row in PAYLOADS]
    found += [
        _case("v16", f'{TIME}{MARK}"{text}"}}]', HEARTBEAT, "format", "/currentTime", "date-time")
        for text in NOT_DATE_TIMES
    ]
    found += [_case("v16", f'{UPDATE_16}{MARK}"{text}"}}]', None, "format", "/location", "uri") for text in NOT_URIS]
    return found


def _text_expected(kind: str) -> Any:
    return IDS if kind == "message_type_unknown" else None


def _case(module: str, data: str, pending: dict[str, str] | None, kind: str, path: str, expected: Any) -> Case:
    before, _, after = data.partition(MARK)
    return Case(module, before + after, pending, kind, path, len(before.encode("utf-8", "surrogatepass")), expected)
