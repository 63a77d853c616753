"""Accelerated and plain `ocpp` side by side: the same values, exceptions, codes and texts, but for the documented switches."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import warnings
from importlib import import_module, metadata
from typing import Any

import pytest

from ocppcore.compat.ocpp import Acceleration, accelerate, restore
from support.corpus import corpus
from support.emit import text_of
from support.instances import full
from support.model import MODULES, all_payloads, model
from support.needs import need_module
from support.peer import (
    LIKE_THE_PEER,
    charge_point,
    dataclass_of,
    fields_of,
    generated,
    outcome_of_call,
    outcome_of_frame,
    outcomes,
)

need_module("ocpp", "the package ocpp")


@pytest.fixture(autouse=True)
def restored() -> Any:
    """No test leaves the package patched."""
    yield
    restore()


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer validates without its threads."""
    monkeypatch.setattr("ocpp.messages.ASYNC_VALIDATION", False)


def both(outcome: Any, *arguments: Any, **switches: bool) -> tuple[Any, Any]:
    """The outcome of the plain and of the accelerated peer."""
    plain = outcome("ocpp", *arguments)
    with accelerate(**(switches or LIKE_THE_PEER)):
        return plain, outcome("ocpp", *arguments)


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("module", MODULES)
def test_every_frame_of_the_corpus_has_the_same_outcome(module: str) -> None:
    need_module(f"ocpp.{module}", "ocpp 2.1.0, the first that has OCPP 2.1,")
    cases = [case for case in corpus() if case.module == module]
    assert len(cases) > 250
    for case in cases:
        data = case.data if len(case.data) % 2 else case.data.decode("utf-8", "replace")
        plain, fast = both(outcome_of_frame, module, data)
        assert fast == plain, case


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("module", MODULES)
def test_generated_payloads_have_the_same_outcome(module: str) -> None:
    """Received, called and answered; the long tier has a hundred thousand of them."""
    need_module(f"ocpp.{module}", "ocpp 2.1.0, the first that has OCPP 2.1,")
    accepted = count = 0
    payloads = [payload for payload in all_payloads() if payload.module == module]
    for payload, text in generated(f"short {module}", 1, payloads):
        count += 1
        plain, fast = both(outcomes, payload, text)
        assert fast == plain, (payload, text)
        accepted += not any("Error" in str(part) for part in plain)
    assert count == 2 * len(payloads)
    assert 40 < accepted < count


def test_what_is_valid_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(*_: Any) -> Any:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.run_in_executor", no_thread)
    frame = '[2,"1","Heartbeat",{}]'
    assert "thread" in outcome_of_frame("ocpp", "v16", frame)[3]
    with accelerate():
        seen, sent, _, raised = outcome_of_frame("ocpp", "v16", frame)
    assert (seen, raised) == (["{}"], None)
    assert sent == ['[4,"1","GenericError","seen",{"count":1}]']


def test_what_is_refused_has_the_same_outcome_in_the_peer_s_threads() -> None:
    assert messages().ASYNC_VALIDATION
    for frame in ('[2,"1","Heartbeat",{"x":1}]', '[2,"1","Reset",{"type":"Soft"}]', '[2,"1","Reset",{"type":1}]'):
        plain, fast = both(outcome_of_frame, "v16", frame)
        assert fast == plain


# --- the switches ------------------------------------------------------------------------------------


def messages() -> Any:
    return import_module("ocpp.messages")


PERIOD = {"start_period": 0, "limit": 16.0, "limit_l2": 15.5, "limit_l3": 15.0}
SCHEDULE = {"id": 1, "charging_rate_unit": "A", "charging_schedule_period": [PERIOD]}
PROFILE = {
    "id": 1,
    "stack_level": 0,
    "charging_profile_purpose": "TxProfile",
    "charging_profile_kind": "Relative",
    "charging_schedule": [SCHEDULE],
}


def test_names_that_the_peer_cannot_write_are_mended() -> None:
    need_module("ocpp.v21", "ocpp 2.1.0, the first that has OCPP 2.1,")
    arguments = {"evse_id": 1, "charging_profile": PROFILE}
    sent, raised = outcome_of_call("ocpp", "v21", "SetChargingProfile", arguments)
    assert not sent
    assert "limitL2" in raised
    with accelerate():
        sent, raised = outcome_of_call("ocpp", "v21", "SetChargingProfile", arguments)
    assert "TimeoutError" in raised
    period = json.loads(sent[0])[3]["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    assert period == {"startPeriod": 0, "limit": 16.0, "limit_L2": 15.5, "limit_L3": 15.0}


def test_every_name_of_the_schemas_can_be_sent() -> None:
    """Each optional field alone in its message, given by the name under which a handler gets it."""
    need_module("ocpp.v21", "ocpp 2.1.0, the first that has OCPP 2.1,")
    with accelerate(keep_vendor_keys=True):
        for payload in all_payloads():
            if payload.kind == "request":
                text = text_of(full(model(payload.module), payload.type_name))
                fields = fields_of(text)
                assert fields is not None
                sent, raised = outcome_of_call("ocpp", payload.module, payload.action, fields)
                assert "TimeoutError" in raised, (payload, raised)
                assert json.loads(sent[0])[3] == json.loads(text)


def test_what_comes_in_is_never_mended() -> None:
    frame = json.dumps([2, "1", "BootNotification", {"charge_point_vendor": "V", "chargePointModel": "M"}])
    plain, fast = both(outcome_of_frame, "v16", frame, mend_names=True)
    assert fast == plain
    assert not fast[0]


def test_formats_are_checked_when_asked_for() -> None:
    frame = '[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"yesterday","sampledValue":[{"value":"1"}]}]}]'
    plain, fast = both(outcome_of_frame, "v16", frame, check_formats=False)
    assert fast == plain
    assert fast[0]
    with accelerate(check_formats=True):
        seen, sent, _, _ = outcome_of_frame("ocpp", "v16", frame)
    assert not seen
    assert json.loads(sent[0])[2] == "FormatViolation"
    assert "/meterValue/0/timestamp" in sent[0]


VENDOR = {"vendorId": "v", "SCREAMING_CASE": {"HTTPServer": None}, "already_snake": [{"aB": 1}]}


def test_vendor_keys_are_kept_when_asked_for() -> None:
    frame = json.dumps([2, "1", "DataTransfer", {"vendorId": "v", "data": VENDOR, "customData": VENDOR}])
    plain, fast = both(outcome_of_frame, "v201", frame, keep_vendor_keys=False)
    assert fast == plain
    assert "screaming_case" in fast[0][0]
    kept = {"vendor_id": "v", "data": VENDOR, "custom_data": VENDOR}
    with accelerate(keep_vendor_keys=True):
        assert outcome_of_frame("ocpp", "v201", frame)[0] == [repr(kept)]
        sent, _ = outcome_of_call("ocpp", "v201", "DataTransfer", kept)
    assert json.loads(sent[0])[3] == {"vendorId": "v", "data": VENDOR, "customData": VENDOR}


KILLERS = (
    "[" * 100_000,
    "9" * 5_000,
    '[2,"1",["Heartbeat"],{}]',
    '[2,"1",{"a":1},{}]',
)


@pytest.mark.parametrize("frame", KILLERS, ids=("depth", "digits", "a list as action", "an object as action"))
def test_a_frame_that_ends_the_peer_s_loop_is_survived(frame: str) -> None:
    plain, fast = both(outcome_of_frame, "v16", frame)
    assert plain[3] is not None
    assert fast == plain
    with accelerate():
        _, sent, _, raised = outcome_of_frame("ocpp", "v16", frame)
    assert raised is None
    assert [json.loads(text)[:3] for text in sent] == (
        [[4, "1", "InternalError"]] if "Heart" in frame or "{" in frame else []
    )


@pytest.mark.parametrize("limit", ["1e300", "NaN"])
def test_a_number_that_ends_the_peer_s_loop_is_survived(limit: str) -> None:
    frame = (
        '[2,"1","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,'
        '"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":'
        '{"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":LIMIT}]}}}]'
    ).replace("LIMIT", limit)
    plain, fast = both(outcome_of_frame, "v16", frame)
    assert plain[3] is not None
    assert fast == plain
    with accelerate():
        _, sent, _, raised = outcome_of_frame("ocpp", "v16", frame)
    assert raised is None
    assert json.loads(sent[0])[:3] == [4, "1", "InternalError"]


def test_stray_answers_do_not_exhaust_the_stack() -> None:
    async def run() -> Any:
        point = charge_point("ocpp", "v16")
        point._response_timeout = 5
        for number in range(3_000):
            await point.route_message(f'[3,"stray {number}",{{}}]')
        await point.route_message('[3,"mine",{"status":"Accepted"}]')
        return await point.call(dataclass_of("Reset", {"type": "Soft"}), unique_id="mine")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what the exhausted stack leaves behind was never awaited
        with pytest.raises(RecursionError):
            asyncio.run(run())
        gc.collect()
    with accelerate():
        assert asyncio.run(run()).status == "Accepted"


def test_a_call_of_2_1_without_a_handler_is_answered() -> None:
    need_module("ocpp.v21", "ocpp 2.1.0, the first that has OCPP 2.1,")

    async def sent(frame: str) -> Any:
        point = charge_point("ocpp", "v21")
        await point.route_message(frame)
        return point._connection.sent

    for action, code in (("Heartbeat", "NotImplemented"), ("Nothing", "NotSupported")):
        frame = f'[2,"1","{action}",{{}}]'
        assert asyncio.run(sent(frame)) == []
        with accelerate():
            assert json.loads(asyncio.run(sent(frame))[0])[2] == code


# --- on and off --------------------------------------------------------------------------------------

PATCHED = {
    "ocpp.messages": ("unpack", "validate_payload", "_validate_payload"),
    "ocpp.charge_point": ("unpack", "validate_payload", "camel_to_snake_case", "snake_to_camel_case"),
}
METHODS = ("route_message", "_handle_call", "call", "_get_specific_response")


def standing() -> list[Any]:
    """Everything that accelerate() replaces, as it stands."""
    functions = [getattr(import_module(module), name) for module, names in PATCHED.items() for name in names]
    return functions + [vars(import_module("ocpp.charge_point").ChargePoint)[name] for name in METHODS]


def test_restore_puts_everything_back() -> None:
    before = standing()
    accelerate()
    assert not {id(f) for f in before} & {id(f) for f in standing()}
    restore()
    assert standing() == before
    restore()  # nothing is left to undo
    assert standing() == before


def test_the_context_manager_restores_after_an_exception_too() -> None:
    before = standing()
    with pytest.raises(ZeroDivisionError), accelerate() as acceleration:
        _ = 1 / (not isinstance(acceleration, Acceleration))
    assert standing() == before


def test_a_second_call_changes_nothing_and_other_switches_are_refused() -> None:
    first = accelerate()
    after = standing()
    assert accelerate() is first
    assert standing() == after
    with pytest.raises(RuntimeError, match=r"other switches: call restore\(\) first"):
        accelerate(check_formats=True)
    first.restore()
    with accelerate(check_formats=True):
        assert standing() != after


def test_restore_leaves_what_others_have_put_there(monkeypatch: pytest.MonkeyPatch) -> None:
    acceleration = accelerate()
    monkeypatch.setattr("ocpp.messages.unpack", len)
    acceleration.restore()
    assert messages().unpack is len


@pytest.mark.parametrize("version", ["1.0.0", "2.2.0", "3.0.0", "2.1.1", "2.1.0rc1"])
def test_other_versions_are_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = standing()
    monkeypatch.setattr(metadata, "version", lambda _: version)
    with pytest.raises(RuntimeError, match=rf"ocpp {version} is installed.*2\.0\.0 to 2\.1\.0"):
        accelerate()
    assert standing() == before


def test_a_missing_peer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(RuntimeError, match=r"no ocpp to accelerate"):
        accelerate()


def test_importing_ocppcore_loads_neither_the_peer_nor_this() -> None:
    code = "import sys, ocppcore; from ocppcore import Session; ocppcore.v16; print([n for n in sys.modules if 'ocpp.' in n or n == 'ocpp' or 'compat' in n])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
