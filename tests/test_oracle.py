"""Strict verdicts against jsonschema-rs over the official schemas, and the place and rule of each fault.

A few thousand payloads and single-fault mutants per version on each backend; tests/long holds the million.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from support.deliberate import STRICTER
from support.instances import full, instance_set
from support.judge import Judge
from support.model import MODULES, all_payloads, fault_kinds, model
from support.mutants import faults, put, spread
from support.needs import ROOT

PAYLOADS = {module: [p for p in all_payloads() if p.module == module] for module in MODULES}
MUTANTS_EACH = 12


def test_there_are_387_schemas() -> None:
    assert {module: len(payloads) for module, payloads in PAYLOADS.items()} == {"v16": 78, "v201": 128, "v21": 181}


@pytest.mark.parametrize("module", MODULES)
def test_verdicts_agree_with_the_oracle(module: str, backend: str) -> None:
    rng = Random(f"oracle {module}")
    judge = Judge(module, backend)
    for payload in PAYLOADS[module]:
        for instance in instance_set(model(module), payload.type_name, rng):
            judge.accepted(payload, instance, rng.choice((None, rng)))
        instance = instance_set(model(module), payload.type_name, rng)[rng.choice((1, 3))]
        for mutant in spread(faults(model(module), payload.type_name, instance, rng), MUTANTS_EACH, rng):
            judge.refused(payload, mutant, rng.choice((None, rng)))
    assert not judge.failures, judge.report()
    assert judge.payloads > 300
    assert judge.mutants > 900


def test_every_kind_of_payload_fault_and_every_deliberate_difference_occurs(backend: str) -> None:
    """Every sort of mutant of a full instance of the richest payloads, so that no kind is met by luck alone."""
    seen: Counter[str] = Counter()
    rng = Random(2)
    payloads = [p for p in all_payloads() if p.type_name in RICH]
    for payload in payloads:
        judge = Judge(payload.module, backend)
        instance = full(model(payload.module), payload.type_name)
        for mutant in spread(faults(model(payload.module), payload.type_name, instance, rng), 400, rng):
            judge.refused(payload, mutant, None)
        assert not judge.failures, judge.report()
        seen += judge.kinds + judge.differences
    of_payloads = {kind for kind, entry in fault_kinds()["kinds"].items() if entry["scope"] == "payload"}
    assert of_payloads <= seen.keys()
    assert STRICTER.keys() <= seen.keys()


def test_the_deliberate_differences_are_documented() -> None:
    rows = [
        f"| {name} | `{entry.example}` | {', '.join(entry.kinds)} | {entry.reason} |"
        for name, entry in STRICTER.items()
    ]
    page = (ROOT / "docs/strictness.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| ")][1:] == rows


RICH = {
    "SetChargingProfileRequest",
    "UpdateFirmwareRequest",
    "SignedUpdateFirmwareRequest",
    "TransactionEventRequest",
    "NotifyEVChargingNeedsRequest",
    "SetDERControlRequest",
    "DataTransferRequest",
}


@pytest.mark.parametrize("module", MODULES)
def test_lists_and_strings_exactly_at_their_limit(module: str, backend: str) -> None:
    """Each bounded list with exactly as many items as allowed is accepted, with one more refused at the surplus item."""
    judge = Judge(module, backend)
    bounded = 0
    for payload in PAYLOADS[module]:
        instance = full(model(module), payload.type_name)
        for mutant in faults(model(module), payload.type_name, instance, Random(3)):
            if mutant.name == "too many":
                path = mutant.spot.path[:-1]
                judge.accepted(payload, put(mutant.tree, path, lambda items: items[:-1]), None)
                judge.refused(payload, mutant, None)
                bounded += 1
    assert not judge.failures, judge.report()
    assert module == "v16" or bounded > 20


@pytest.mark.parametrize("module", MODULES)
def test_each_enumeration_value_is_accepted(module: str, backend: str) -> None:
    version = model(module)
    judge = Judge(module, backend)
    met: set[tuple[str, str]] = set()
    for payload in PAYLOADS[module]:
        for turn in range(version.largest_enum(payload.type_name)):
            instance = full(version, payload.type_name)
            instance = _with_enum_values(version, payload.type_name, instance, turn, met)
            judge.accepted(payload, instance, None)
    assert not judge.failures, judge.report()
    assert {name for name, _ in met} == set(version.enums)
    assert len(met) == sum(map(len, version.enums.values()))


def _with_enum_values(version, type_name, node, turn, met):
    for field in version.types[type_name]["fields"]:
        value = node.get(field["name"])
        if value is None or field["kind"] not in ("enum", "object"):
            continue
        items = value if "items" in field else [value]
        if field["kind"] == "enum":
            values = version.enums[field["ref"]]
            new = [values[turn % len(values)]] * len(items)
            met.update((field["ref"], v) for v in new)
        else:
            new = [_with_enum_values(version, field["ref"], item, turn, met) for item in items]
        node[field["name"]] = new if "items" in field else new[0]
    return node
