"""What explain says: every fault by its rule at its place, several at once, what was meant, and nothing that must not show."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppcore import Codec, Finding, OcppError, _explain, _rules
from support.backends import codec
from support.combined import combined, disagreement
from support.frames import full_frames, sample_frames
from support.instances import full
from support.model import MODULES, all_payloads, fault_kinds, model
from support.mutants import faults, spread
from support.needs import need_module

PAYLOADS, SINGLE_EACH, LARGEST = 60, 3, 50_000


@pytest.mark.parametrize("module", MODULES)
def test_every_fault_is_named_by_its_rule_at_its_place(module: str) -> None:
    """Mutants with one fault, two and three, of a full instance of every payload; tests/long takes all of them."""
    rng = Random(f"explain {module}")
    reader = codec(module, "python")
    wrong: list[str | None] = []
    several = 0
    spec = model(module)
    for payload in rng.sample(spec.payloads(), PAYLOADS):
        instance = full(spec, payload.type_name)
        mutants = [one for one in faults(spec, payload.type_name, instance, rng) if len(str(one.tree)) < LARGEST]
        singles = spread(mutants, SINGLE_EACH, rng)
        wrong += [disagreement(reader, payload, mutant.tree, [mutant], alone=True) for mutant in singles]
        sound = [mutant for mutant in spread(mutants, 60, rng) if mutant.path]
        for count in (2, 3):
            tree, chosen = combined(instance, sound, count, rng)
            several += len(chosen) == count
            if chosen:
                wrong.append(disagreement(reader, payload, tree, chosen, alone=True))
    assert [one for one in wrong if one is not None] == []
    assert len(wrong) > 200
    assert several > 80


@pytest.mark.parametrize("module", MODULES)
def test_both_backends_say_the_same_and_in_order_of_bytes(module: str) -> None:
    need_module("ocppcore._native", "the native backend")
    native, python = codec(module, "native"), codec(module, "python")
    for data, pending in sample_frames(module):
        findings = native.explain(data, pending)
        assert findings == python.explain(data, pending)
        assert findings == native.explain(data.decode(), pending)
        offsets = [finding.offset for finding in findings]
        assert offsets == sorted(offsets)
        assert all(finding.severity != "error" for finding in findings)


def one(reader: Any, data: str | bytes, rule: str, **options: Any) -> Finding:
    """The only finding of a rule."""
    (found,) = (finding for finding in reader.explain(data, **options) if finding.rule == rule)
    assert isinstance(found, Finding)
    return found


@pytest.mark.parametrize(
    ("data", "rule", "suggestion"),
    [
        ('[2,"1","BootNotification",{"chargePointVender":"a","chargePointModel":"b"}]', "unknown_key", "chargePointVendor"),
        ('[2,"1","BootNotification",{"chargepointvendor":"a","chargePointModel":"b"}]', "unknown_key", "chargePointVendor"),
        ('[2,"1","CertificateSigned",{"cert":"a"}]', "unknown_key", "certificateChain"),
        ('[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":['
         '{"value":"1","measurand":"Energy.Active.Import.Registr"}]}]}]', "enum", "Energy.Active.Import.Register"),
        ('[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":['
         '{"value":"1","unit":"%"}]}]}]', "enum", "Percent"),
        ('[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":['
         '{"value":"1","measurand":"Energy.Active.Import"}]}]}]', "enum", "Energy.Active.Import.Register"),
        ('[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-02T03:04:05Z","sampledValue":['
         '{"value":"1","measurand":"Voltage","unit":"kWh"}]}]}]', "measurand_unit", "V"),
        ('[2,"1","BootNotificaton",{}]', "action_unknown", "BootNotification"),
        ('[2,"1","Authorize",{"idTag":"a","zzz":1}]', "unknown_key", None),
    ],
)  # fmt: skip
def test_what_was_meant_is_suggested(data: str, rule: str, suggestion: str | None, backend: str) -> None:
    found = one(codec("v16", backend), data, rule)
    assert found.suggestion == suggestion
    assert suggestion is None or suggestion in found.text


@pytest.mark.parametrize(
    ("data", "hint", "suggestion"),
    [
        ("", "empty message", None),
        ('[2,"1","Heartbeat",{}', "closes the [ of byte 0", "]"),
        ('[2,"1","Heartbeat",{"a":[1', "closes the [ of byte 24 and what is around it", "]}]"),
        ('[2,"1","Heart', "string that begins at byte 7 is not closed", '"]'),
        ('[2,"1","Heartbeat",{"a":1,}]', "comma of byte 25 has nothing behind it", None),
        ('[2,"1","Heartbeat",{"a" 1}]', "colon is needed", ":"),
        ('[2,"1","Heartbeat",{"a":}]', "value is missing behind the colon", None),
        ('[2,"1","Heartbeat",{"a":1 "b":2}]', "comma or the }", ","),
        ('[2,"1","Heartbeat",{"a":1]', "closes the { of byte 19", "}"),
        ('[2,"1","Heartbeat",{a:1}]', "key is needed here, in double quotes", '"'),
        ("[2,'1']", "double quotes", '"'),
        ('[2 "1"]', "comma", ","),
        ('[2,"1","Heartbeat",{"a":True}]', "JSON writes this true", "true"),
        ('[2,"1","Heartbeat",{"a":NaN}]', "no such number", None),
        ('[2,"1","Heartbeat",{"a":nulx}]', "true, false and null alone", None),
        ('[2,"1","Heartbeat",{"a":02}]', "not written as JSON writes numbers", None),
        ('[2,"1","Heartbeat",{"a":"x\ty"}]', "control character", "\\t"),
        ('[2,"1","Heartbeat",{"a":"x\ny"}]', "not closed on its line", "\\n"),
        ('[2,"1","Heartbeat",{"a":"\\q"}]', "are escapes", "\\\\"),
        ('[2,"1","Heartbeat",{"a":"\\u12"}]', "four hexadecimal digits", None),
        ('[2,"1","Heartbeat",{}] x', "frame ended before", None),
        ('\ufeff[2,"1","Heartbeat",{}]', "byte order mark", None),
        ('[2,"1",/* x */"Heartbeat",{}]', "no comments", None),
    ],
)
def test_a_broken_text_is_explained_at_its_byte(data: str, hint: str, suggestion: str | None, backend: str) -> None:
    last = codec("v16", backend).explain(data)[-1]
    assert last.kind in ("syntax", "truncated")
    assert last.hint is not None
    assert hint in last.hint
    assert last.suggestion == suggestion


def test_a_range_of_bytes_holds_what_is_at_fault(backend: str) -> None:
    data = '[2,"1","Authorize",{"é":1,"idTag":[1,{"a":"]"}],"ü":2}]'.encode()
    ranges = [data[found.offset : found.end] for found in codec("v16", backend).explain(data)]
    assert ranges == ['"é"'.encode(), b'[1,{"a":"]"}]', '"ü"'.encode()]
    missing = codec("v16", backend).explain('[2,"1","Authorize",{}]')[0]
    assert (missing.offset, missing.end) == (20, 21)
    truncated = codec("v16", backend).explain("[2")[0]
    assert (truncated.offset, truncated.end) == (2, 2)


@pytest.mark.parametrize("module", MODULES)
def test_an_answer_made_of_a_finding_is_short_and_echoes_nothing(module: str) -> None:
    reader: Any = codec(module, "python")
    spec = model(module)
    answered = 0
    marker = "SECRETWORD"
    for payload in (payload for payload in all_payloads() if payload.module == module and payload.kind == "request"):
        tree = full(spec, payload.type_name)
        text = json.dumps({**tree, marker: marker}, default=str).replace("Text 1", marker)
        for finding in reader.explain(f'[2,"1","{payload.action}",{text}]'):
            reply = finding.reply()
            assert reply is not None
            wire = reader.encode(reply)
            assert len(wire) < 1024
            assert len(reply.description) < 255
            assert marker not in wire.decode()
            answered += 1
    assert answered > 50


@pytest.mark.parametrize("module", MODULES)
@settings(max_examples=60, deadline=None)
@given(
    id=st.text(max_size=120),
    key=st.text(max_size=400),
    value=st.text(min_size=1, max_size=400),
    seed=st.integers(0, 1000),
)
def test_whatever_a_peer_writes_its_answer_is_short_and_echoes_none_of_it(
    module: str, id: str, key: str, value: str, seed: int
) -> None:
    reader: Any = codec(module, "python")
    spec = model(module)
    payload = Random(seed).choice([one for one in spec.payloads() if one.kind == "request"])
    mark = "Zq9-mark"  # ASCII: of other letters a description has question marks
    tree = {f"{mark}{key}": f"{mark}{value}", **dict.fromkeys(full(spec, payload.type_name), f"{mark}{value}")}
    for data in (
        f'[2,{json.dumps(id)},"{payload.action}",{json.dumps(tree)}]',
        f'[2,{json.dumps(id)},"{payload.action}",{json.dumps(tree)}',
        f"[2,{json.dumps(id)},{json.dumps(mark + key)},{json.dumps(tree)}]",
        json.dumps([2, mark + id, mark, mark + value, mark]),
    ):
        findings = reader.explain(data)
        assert findings
        for finding in findings:
            reply = finding.reply()
            if reply is not None:
                wire = reader.encode(reply)
                assert len(wire) < 1024
                assert len(reply.description) < 255
                assert mark not in reply.description
                assert reply.details == {}
                assert mark not in json.dumps(json.loads(wire)[2:], ensure_ascii=False)


def test_a_finding_answers_as_its_error_does(backend: str) -> None:
    for data in ('[2,"1","Authorize",{"idTag":1}]', '[2,"1","Nothing",{}]', '[2,"1"', '[9,"1"]', "x", '[3,"1",1]'):
        for module in MODULES:
            reader = codec(module, backend)
            with pytest.raises(OcppError) as caught:
                reader.decode(data)
            finding = reader.explain(data)[0]
            assert finding.reply() == caught.value.reply()
            assert finding.code == caught.value.code


def test_redacting_hides_tokens_and_passwords(backend: str) -> None:
    token = "0123456789ABCDEF-SECRET"
    for module, data in (
        ("v16", f'[2,"1","Authorize",{{"idTag":"{token}"}}]'),
        ("v16", f'[2,"1","Authorize",{{"idTagg":"{token}"}}]'),
        ("v16", f'[2,"1","Authorize",{{"idTag":["{token}"]}}]'),
        ("v16", f'[2,"1","ChangeConfiguration",{{"key":"authorizationKey","value":"{token}"}}]'),
        ("v16", f'[2,"1","Authorize",{{"idTag":"{token}",}}]'),
        ("v201", f'[2,"1","Authorize",{{"idToken":{{"idToken":"{token} ","type":"Local"}}}}]'),
        ("v21", f'[2,"1","SetVariables",{{"setVariableData":[{{"attributeValue":"{token[:9]}","component":{{"name":"SecurityCtrlr"}},'
         '"variable":{"name":"BasicAuthPassword"}}]}]'),
    ):  # fmt: skip
        reader = codec(module, backend)
        plain, hidden = reader.explain(data), reader.explain(data, redact=True)
        assert [(found.rule, found.offset, found.end) for found in plain] == [
            (found.rule, found.offset, found.end) for found in hidden
        ]
        assert hidden, data
        assert not [found for found in hidden if token[:9] in repr(found)]
    shown = codec("v16", backend).explain('[2,"1","Reset",{"type":"Medium"}]', redact=True)[0]
    assert shown.found == '"Medium"'


@pytest.mark.parametrize(
    "data",
    [
        '[2,"1","Authorize",{"idTag":SECRET}]',
        '[2,"1","Authorize",{"idTag":[SECRET]}]',
        '[2,"1","Authorize",{"idTag":SECRET,}]',
        '[2,"1","Authorize",{"idTag":"a"SECRET"}]',
        '[2,"1","Authorize",{"idTag":"SECRET',
        '[2,"1","Authorize",{"idTag":"a\\"SECRET","x:1}]',
        "[2,'1','Authorize',{'idTag':'SECRET'}]",
        '[2,"1","Authorize",{idTag:SECRET}]',
        '[2,"1","Authorise",{"idTag":"SECRET"}]',
        '[2,"1","Authorise",{"idTag":8675309}]',
        '[2,"1","Authorize",{"idTag":8675309,}]',
        '[3,"1","SECRET"',
        '[3,"1",{"parentIdTag":SECRET}]',
        "SECRET",
        '{"idTag":"SECRET"}',
    ],
)
def test_redacting_hides_what_is_broken(data: str, backend: str) -> None:
    """Whatever is no key, no bracket and not of the frame's head, quoted or not; in the findings and in the quoted frame."""
    reader = codec("v16", backend)
    raw = data.encode()
    shown = bytearray(raw)
    for start, end in _explain.hidden_in(reader, raw, None):
        shown[start:end] = b"*" * (end - start)
    findings = reader.explain(data, redact=True)
    assert findings
    for text in (shown.decode(), repr(findings)):
        assert "SECRET" not in text
        assert "8675309" not in text
    if '"Auth' in data:
        assert '"1","Authori' in shown.decode()


def test_decoding_reads_no_catalogue(backend: str) -> None:
    script = (
        "import sys, ocppcore\n"
        f"codec = ocppcore.Codec('ocpp1.6', backend={backend!r})\n"
        """codec.decode('[2,"1","Authorize",{"idTag":"a"}]')\n"""
        """try: codec.decode('[2,"1","Authorize",{}]')\nexcept ocppcore.OcppError as error: error.reply()\n"""
        "from ocppcore import _versions\n"
        "assert _versions.rules.cache_info().currsize == 0\n"
        "assert not {'ocppcore._explain', 'ocppcore._advice', 'ocppcore._rules', 'ocppcore._syntax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_hostile_frames_are_explained_in_good_time() -> None:
    keys = ",".join(f'"chargePointVendo{n:05}":1' for n in range(5_000))
    findings = codec("v16", "python").explain(f'[2,"1","BootNotification",{{{keys}}}]')
    assert len(findings) == 5_002
    assert sum(finding.suggestion is not None for finding in findings) == 200


def test_every_kind_of_fault_is_described_and_every_rule_has_its_words() -> None:
    rules = _rules.catalogue()
    assert {rule.id for rule in rules if rule.tier == "schema"} == fault_kinds()["kinds"].keys()
    assert len([rule for rule in rules if rule.tier == "spec"]) >= 25
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.section.keys() == rule.codes.keys()
        assert all(text.endswith(".") for text in (rule.why, rule.fix)), rule.id
        assert not any(text.endswith(".") for text in (rule.title, rule.says)), rule.id
    with pytest.raises(ValueError, match="did you mean 'int32'"):
        _rules.rule("int23")


def test_a_finding_knows_its_section_and_what_to_do(backend: str) -> None:
    reader: Any = Codec("ocpp2.0.1", backend=backend)
    found = one(reader, '[2,"1","ClearChargingProfile",{}]', "clear_profile_what")
    assert (found.tier, found.severity, found.section) == ("spec", "warning", "Part 2 K10")
    assert found.fix in found.text
    refused = one(reader, '[2,"1","Reset",{}]', "missing")
    assert (refused.tier, refused.severity) == ("schema", "error")
    assert refused.section is not None
    for data, pending in full_frames("v201"):
        assert all(finding.section and finding.fix for finding in reader.explain(data, pending))
