"""`ocppcore lint`: who does what amiss, how often, and a profile that tolerates it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ocppcore import Codec, OcppError, Quirks, Station
from support.corpus import CORPUS

from .conftest import objects

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]
    RunProcess = Callable[..., subprocess.CompletedProcess[bytes]]

FINE, FINDINGS = 0, 1
CASES = [
    case
    for name in ("tolerated", "profiles")
    for line in Path(CORPUS, "field", f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    if "\n" not in (case := json.loads(line))["data"]
    and case.get("subprotocol", "ocpp1.6") == "ocpp1.6"
    and case.get("fault", "") is not None
    and "sends" not in case
    and all(action.startswith("Get") for action in case.get("pending", {}).values())  # answers of stations
    and case["data"][0] == "["  # no layout of a log finds a frame that does not begin as one
]


def boot(station: str) -> str:
    return f'[2,"b","BootNotification",{{"chargePointVendor":"{station}","chargePointModel":"Box","firmwareVersion":"1.2"}}]'


def day() -> bytes:
    """A log in which each frame from the field has a station of its own."""
    lines: list[str] = []
    for number, case in enumerate(CASES):
        frames = [boot(f"Vendor{number}"), case["data"]]
        frames[1:1] = [f'[2,"{id}","{action}",{{}}]' for id, action in case.get("pending", {}).items()]
        lines += [f"2026-01-01 CP_{number}: message {frame}" for frame in frames]
    return "\n".join(lines).encode()


def test_the_profile_tolerates_what_was_seen(run_process: RunProcess, tmp_path: Path) -> None:
    log = tmp_path / "day.log"
    log.write_bytes(day())
    done = run_process("lint", "--ocpp", "1.6", "--layout", "log", "--format", "json", log)
    assert done.returncode == FINDINGS, done.stderr
    profiles = {
        line["vendor"]: line["profile"] for line in objects(done.stdout) if line.get("profile") and "vendor" in line
    }
    strict: Any = Codec("ocpp1.6")
    tolerated = 0
    for number, case in enumerate(CASES):
        text = profiles.get(f"Vendor{number}")
        if text is None:
            continue  # a boot that says who it is amiss, or a frame that the log's layout cuts
        station = Station(f"Vendor{number}", "Box", "1.2")
        codec = Quirks.from_toml(text).codec_for(strict, station)
        assert codec is not strict
        with pytest.raises(OcppError):
            strict.decode(case["data"], case.get("pending"))
        codec.decode(case["data"], case.get("pending"))
        tolerated += 1
        with pytest.raises(OcppError):  # it is as narrow as what was seen
            codec.decode('[2,"1","Authorize",{"idTag":[]}]')
    assert tolerated > 40


def test_violations_are_counted_by_who_commits_them(run: Run) -> None:
    authorize = '[2,"%d","Authorize",{"idTag":"123456789012345678901"}]'
    lines = [
        f"2026-01-01 CP_A: receive message {boot('Acme')}",
        f"2026-01-01 CP_B: receive message {boot('Acme')}",
        f"2026-01-01 CP_C: receive message {boot('Other')}",
        *(f"2026-01-01 CP_A: receive message {authorize % number}" for number in range(3)),
        f"2026-01-01 CP_B: receive message {authorize % 1}",
        f"2026-01-01 CP_C: receive message {authorize % 1}",
        '2026-01-01 CP_A: receive message [3,"9",{"status":7}]',
        '2026-01-01 CP_A: receive message [2,"5","Reset",{"type":"Warm"}]',
        "2026-01-01 CP_D: receive message " + authorize % 1,
        '2026-01-01 CP_C: receive message [2,"6","Heartbeat",{"a":"',
    ]
    data = "\n".join(lines).encode()
    arguments = ("lint", "--ocpp", "1.6", "--layout", "log", "-")
    rows = objects(run(*arguments, "--format", "json", input=data).stdout)
    counted = {
        (row["sender"], row.get("vendor"), row["rule"], row.get("action"), row["path"]): (row["count"], row["verdict"])
        for row in rows
        if "rule" in row
    }
    assert counted == {
        ("station", "Acme", "length", "Authorize", "/idTag"): (4, "report"),
        ("station", "Other", "length", "Authorize", "/idTag"): (1, "report"),
        ("station", None, "length", "Authorize", "/idTag"): (1, "report"),
        ("csms", None, "enum", "Reset", "/type"): (1, "report"),
        ("station", "Other", "unknown_key", "Heartbeat", "/a"): (1, "report"),
        ("station", "Other", "truncated", None, ""): (1, "none"),
    }
    assert [row["where"] for row in rows if row.get("vendor") == "Acme" and "where" in row] == ["<stdin>:4"]
    result = run(*arguments, input=data)
    assert result.exit_code == FINDINGS
    assert "Acme Box 1.2 (OCPP 1.6), 7 frames" in result.stdout
    assert "no repair known" in result.stdout
    assert "CSMS (OCPP 1.6), 1 frame\n" in result.stdout
    assert "station that has not said who it is" in result.stdout


def test_traffic_without_fault_is_fine(run: Run) -> None:
    result = run("lint", "--ocpp", "1.6", "-", input=f"{boot('Acme')}\n".encode())
    assert result.exit_code == FINE
    assert result.stdout == ""


def test_known_profiles_are_named(run: Run) -> None:
    data = (
        f'{boot("Legrand")}\n[2,"1","StatusNotification",{{"connectorId":1,"errorCode":"Error","status":"Faulted"}}]\n'
    )
    result = run("lint", "--ocpp", "1.6", "-", input=data.encode())
    assert "Quirks.known has: Legrand" in result.stdout


def test_the_profiles_alone_are_a_file_to_read(run_process: RunProcess, tmp_path: Path) -> None:
    log = tmp_path / "day.log"
    log.write_text(f'CP_1: receive {boot("Acme")}\nCP_1: receive [2,"1","Authorize",{{"idTag":"{"1" * 21}"}}]\n')
    arguments = ("lint", "--profiles", "--ocpp", "1.6", "--layout", "log", log)
    done = run_process(*arguments)
    assert done.returncode == FINDINGS, done.stderr
    quirks = Quirks.from_toml(done.stdout.decode())
    (profile,) = quirks.of_station(Station("Acme", "Box", "1.2"), "1.6")
    assert [entry.rule for entry in profile.policy.rules] == [("length",)]
    done = run_process(*arguments, "--format", "json")
    assert (done.returncode, b"leave out --format json" in done.stderr) == (2, True)
