"""Our CSMS and our station against other people's programs, each in both directions: a whole charge, and what must be refused."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from support.needs import need, need_module

from .scenario import BUILT, ROOT, Csms, Station

pytestmark = pytest.mark.interop
PROGRAMS = ROOT / "tests/interop/peers"

PEERS = {
    # the library -> what must have been built, how its programs are started, its versions
    "ocpp": ("python", [sys.executable, str(PROGRAMS / "python/{role}.py")], ("1.6", "2.0.1")),
    "ocpp-rpc": ("node", ["node", str(BUILT / "node/{role}.js")], ("1.6", "2.0.1")),
    "ocpp-go": ("go", [str(BUILT / "go/{role}")], ("1.6", "2.0.1")),
    "Java-OCA-OCPP": ("java", ["java", "-cp", "{classpath}", "{Role}"], ("1.6",)),
}
PAIRS = [(peer, version) for peer, (_, _, versions) in PEERS.items() for version in versions]


def command(peer: str, role: str, *arguments: str) -> list[str]:
    """How a program of a peer is started; skipped, or failed under CI, where it was not built."""
    built, parts, _ = PEERS[peer]
    if built == "python":
        need_module("ocpp", "PyPI's ocpp")
    else:
        need((BUILT / f"ready-{built}").exists(), f"what tools/interop builds of {peer}")
    path = BUILT / "java/classpath.txt"
    classpath = f"{path.read_text(encoding='utf-8')}:{BUILT / 'java'}" if built == "java" else ""
    made = [part.format(role=role, Role=role.capitalize(), classpath=classpath) for part in parts]
    return [*made, *arguments]


def charge(version: str) -> dict[str, Any]:
    """What a station sees of a charge that goes well."""
    transaction = 42 if version == "1.6" else "T1"
    return {
        "boot": "Accepted",
        "status": "ok",
        "remote_start": "TOKEN",
        "start": transaction,
        "meter": "ok",
        "remote_stop": transaction,
        "stop": "ok",
    }


def served(version: str) -> dict[str, Any]:
    """What a CSMS sees of it."""
    return {
        "boot": "M",
        "status": "Available",
        "remote_start": "Accepted",
        "start": "TOKEN",
        "meter": 21.5,
        "remote_stop": "Accepted",
        "stop": 42 if version == "1.6" else "T1",
    }


# What we answer to their mistakes. `ocpp-go` sends no action that it does not know.
OUR_CODES = {
    ("station", "ocpp", "1.6"): ("NotImplemented", "FormationViolation"),  # its boot has a field of 2.x
    ("station", "ocpp", "2.0.1"): ("NotImplemented", "OccurrenceConstraintViolation"),
    ("station", "ocpp-rpc", "1.6"): ("NotImplemented", "FormationViolation"),
    ("station", "ocpp-rpc", "2.0.1"): ("NotImplemented", "OccurrenceConstraintViolation"),
    ("station", "ocpp-go", "1.6"): (None, "PropertyConstraintViolation"),
    ("station", "ocpp-go", "2.0.1"): (None, "PropertyConstraintViolation"),
    ("station", "Java-OCA-OCPP", "1.6"): ("NotImplemented", "OccurenceConstraintViolation"),
    ("csms", "ocpp", "1.6"): ("NotImplemented", "PropertyConstraintViolation"),
    ("csms", "ocpp", "2.0.1"): ("NotImplemented", "PropertyConstraintViolation"),
    ("csms", "ocpp-rpc", "1.6"): ("NotImplemented", "PropertyConstraintViolation"),
    ("csms", "ocpp-rpc", "2.0.1"): ("NotImplemented", "PropertyConstraintViolation"),
    ("csms", "ocpp-go", "1.6"): (None, "PropertyConstraintViolation"),
    ("csms", "ocpp-go", "2.0.1"): (None, "PropertyConstraintViolation"),
    ("csms", "Java-OCA-OCPP", "1.6"): ("NotImplemented", "OccurenceConstraintViolation"),
}
# What they answer to ours, and to an UnlockConnector or a DataTransfer that they do not want. The choices are theirs.
THEIR_CODES = {
    ("station", "ocpp", "1.6"): ("NotSupported", "FormatViolation", "NotImplemented"),
    ("station", "ocpp", "2.0.1"): ("NotSupported", "FormatViolation", "NotImplemented"),
    ("station", "ocpp-rpc", "1.6"): ("NotImplemented", "GenericError", "NotImplemented"),
    ("station", "ocpp-rpc", "2.0.1"): ("NotImplemented", "GenericError", "NotImplemented"),
    ("station", "ocpp-go", "1.6"): ("NotSupported", "GenericError", "SecurityError"),
    ("station", "ocpp-go", "2.0.1"): ("NotSupported", "GenericError", "SecurityError"),
    ("station", "Java-OCA-OCPP", "1.6"): ("NotImplemented", "OccurenceConstraintViolation", "InternalError"),
    ("csms", "ocpp", "1.6"): ("NotSupported", "ProtocolError", "SecurityError"),
    ("csms", "ocpp", "2.0.1"): ("NotSupported", "ProtocolError", "SecurityError"),
    ("csms", "ocpp-rpc", "1.6"): ("NotImplemented", "GenericError", "SecurityError"),
    ("csms", "ocpp-rpc", "2.0.1"): ("NotImplemented", "GenericError", "SecurityError"),
    ("csms", "ocpp-go", "1.6"): ("NotSupported", "OccurrenceConstraintViolation", "SecurityError"),
    ("csms", "ocpp-go", "2.0.1"): ("NotSupported", "OccurrenceConstraintViolation", "SecurityError"),
    ("csms", "Java-OCA-OCPP", "1.6"): ("NotImplemented", "OccurenceConstraintViolation", "InternalError"),
}
MISTAKES = ("unknown_action", "invalid_payload", "refused")


def check(role: str, peer: str, version: str, told: dict[str, Any], ours: dict[str, Any]) -> None:
    """Their program in a role has told `told`, our side has seen `ours`: the whole charge, and every refusal."""
    theirs_sees, we_see = (charge, served) if role == "station" else (served, charge)
    assert {step: told[step] for step in theirs_sees(version)} == theirs_sees(version)
    assert {step: ours[step] for step in we_see(version)} == we_see(version)
    assert tuple(told[step] for step in MISTAKES) == (*OUR_CODES[role, peer, version], "SecurityError")
    assert tuple(ours[step] for step in MISTAKES) == THEIR_CODES[role, peer, version]
    assert told["done"] == "ok"
    assert "faults" not in ours


@pytest.mark.parametrize(("peer", "version"), PAIRS)
def test_their_station_charges_at_our_csms(peer: str, version: str) -> None:
    csms = Csms(version)
    told = asyncio.run(csms.serve(command(peer, "station", "URL", "CS1", version)))
    check("station", peer, version, told, csms.steps)


@pytest.mark.parametrize(("peer", "version"), PAIRS)
def test_our_station_charges_at_their_csms(peer: str, version: str) -> None:
    async def play() -> tuple[dict[str, Any], dict[str, Any]]:
        station = Station(version)
        told = await station.play(command(peer, "csms", "PORT", version))
        return told, station.steps

    told, ours = asyncio.run(play())
    check("csms", peer, version, told, ours)
