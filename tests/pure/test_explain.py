"""What the walker finds when it goes on after a fault."""

from __future__ import annotations

from typing import Any

import pytest

from ocppcore import Codec

BOOT = '[2,"1","BootNotification",'


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (BOOT + "{}]", [("missing", "/chargePointVendor"), ("missing", "/chargePointModel")]),
        (
            BOOT + '{"chargePointVendor":1,"x":[1e999],"chargePointVendor":"","iccid":null}]',
            [
                ("type", "/chargePointVendor"),
                ("unknown_key", "/x"),
                ("number_range", "/x/0"),
                ("duplicate_key", "/chargePointVendor"),
                ("null", "/iccid"),
                ("missing", "/chargePointModel"),
            ],
        ),
        (BOOT + '{"chargePointVendor":1,"chargePointModel":"M"', [("type", "/chargePointVendor"), ("truncated", "")]),
        ('[2,"","Nope",[1],2] x', [(kind, "") for kind in ("message_id_length", "action_unknown", "payload_type", "arity", "syntax")]),
        ('[7,3]', [("message_type_unknown", ""), ("message_id_type", "")]),
        ('{"a":1e999}', [("frame_not_array", ""), ("number_range", "")]),
        ('[4,1,2,3,[]]', [("message_id_type", ""), *[("error_field_type", "")] * 3]),
        ('[2]', [("arity", "")]),
        ("", [("truncated", "")]),
    ],
)  # fmt: skip
def test_all_that_is_wrong_in_the_order_of_the_data(data: str, found: list[tuple[str, str]]) -> None:
    codec: Any = Codec("ocpp1.6", backend="python")
    findings = codec.explain(data)
    assert [(finding.kind, finding.path) for finding in findings] == found
    offsets = [finding.offset for finding in findings]
    assert offsets == sorted(offsets)


def test_surplus_items_are_one_finding() -> None:
    codec: Any = Codec("ocpp2.0.1", backend="python")
    data = '[2,"1","GetReport",{"requestId":"x","componentCriteria":["Active","Active","Active","x","Active","x"]}]'
    assert [(finding.kind, finding.path) for finding in codec.explain(data)] == [
        ("type", "/requestId"),
        ("enum", "/componentCriteria/3"),
        ("too_many", "/componentCriteria"),
    ]
