"""Which version a text is read in: the one asked for, the one it names, the one that accepts its frames."""

from __future__ import annotations

import pytest

from ocppcore.log.layouts import recognise
from ocppcore.log.traffic import recognise_version, version_named

HEARTBEAT = b'in [2,"1","Heartbeat",{}]'


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b"both sides agree on ocpp1.6", "1.6"),
        (b"ocpp-version = 2.0.1", "2.0.1"),
        (b"sec-websocket-protocol: ocpp2.1", "2.1"),
        (b"speaking OCPP-J v2.0.1", "2.0.1"),
        (b'"ocpp_version": "2.1"', "2.1"),
    ],
)
def test_a_version_that_the_text_names_decides(line: bytes, number: str) -> None:
    sample = [b"begin", line, HEARTBEAT]
    version, reason = recognise_version(sample, recognise(sample))
    assert (version.number, reason) == (number, "named in line 2")


@pytest.mark.parametrize("line", [b"ocpp2.0.12", b"ocpp 1.65", b"offers ocpp1.6, ocpp2.0.1", b"ocpp"])
def test_other_words_and_several_versions_decide_nothing(line: bytes) -> None:
    sample = [line, HEARTBEAT]
    version, reason = recognise_version(sample, recognise(sample))
    assert version.number == "1.6"
    assert reason.startswith("2.0.1 and 2.1 would accept")


@pytest.mark.parametrize(
    ("frame", "number"),
    [
        (b'[2,"1","StartTransaction",{"connectorId":1,"idTag":"a","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}]', "1.6"),
        (b'[2,"1","GetBaseReport",{"requestId":1,"reportBase":"FullInventory"}]', "2.0.1"),
        (b'[2,"1","VatNumberValidation",{"vatNumber":"1"}]', "2.1"),
        (b'[6,"1","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-01-01T00:00:00Z","data":[{"t":0,"v":"1"}]}]', "2.1"),
    ],
)  # fmt: skip
def test_else_the_version_that_accepts_most_frames_decides(frame: bytes, number: str) -> None:
    sample = [frame, b'[2,"2","Heartbeat",{}]']
    version, _ = recognise_version(sample, recognise(sample))
    assert version.number == number


@pytest.mark.parametrize("text", ["2.0.1", "ocpp2.0.1", "v201", " OCPP2.0.1 "])
def test_a_version_has_several_names(text: str) -> None:
    version = version_named(text)
    assert version is not None
    assert version.number == "2.0.1"


def test_other_names_are_no_version() -> None:
    assert version_named("2.0") is None
    assert version_named("") is None
