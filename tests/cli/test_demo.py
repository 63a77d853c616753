"""The demo: the same day everywhere, everything odd in it judged as it says, and shown with numbers that add up."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from ocppcore import Codec
from ocppcore._versions import VERSIONS
from ocppcore.cli.demo import site, speed, station
from ocppcore.log.conversation import Conversation

from .conftest import objects

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from click.testing import Result

    from ocppcore.log.conversation import Outcome

    Run = Callable[..., Result]
    RunProcess = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def day(backend: str) -> list[tuple[station.Frame, Outcome]]:
    """The day's frames with what a backend says of each."""
    talks = {version.subprotocol: Conversation(Codec(version.subprotocol, backend=backend)) for version in VERSIONS}
    return [(frame, talks[frame.subprotocol].read(frame.data, frame.station)) for frame in site.frames()]


def test_the_day_is_the_same_on_every_machine() -> None:
    frames = site.frames()
    assert frames == site.frames()
    assert frames != site.frames(seed=1)
    assert 2_000 < len(frames) < 5_000
    digest = hashlib.sha256(b"\n".join(b"%s %s" % (f.station.encode(), f.data) for f in frames)).hexdigest()
    assert digest.startswith(DIGEST), f"the day has changed: set DIGEST to {digest[:16]!r}"


DIGEST = "19db10bd7a710c61"


def test_it_is_a_day_of_all_versions_in_order() -> None:
    frames = site.frames()
    assert {frame.subprotocol for frame in frames} == {version.subprotocol for version in VERSIONS}
    assert len({frame.station for frame in frames}) == 10
    assert [frame.second for frame in frames] == sorted(frame.second for frame in frames)


def test_what_is_odd_is_faulty_unless_it_is_allowed(day: list[tuple[station.Frame, Outcome]]) -> None:
    for frame, outcome in day:
        is_bad = frame.oddity != "" and not frame.oddity.endswith(": allowed")
        assert outcome.is_faulty == is_bad, (frame, outcome.error)


def test_the_faults_are_of_many_kinds_and_in_every_version(day: list[tuple[station.Frame, Outcome]]) -> None:
    errors = [outcome.error for _, outcome in day if outcome.error is not None]
    assert len(errors) > 30
    assert len({error.kind for error in errors}) >= 18
    assert {error.version for error in errors} == {"1.6", "2.0.1", "2.1"}
    assert any(error.reply() is None for error in errors)


def test_every_answer_is_typed_but_the_one_nobody_waits_for(day: list[tuple[station.Frame, Outcome]]) -> None:
    assert [frame.oddity for frame, outcome in day if not outcome.typed] == ["an answer that nobody waits for: allowed"]


def test_it_shows_table_faults_answers_and_speed(run_process: RunProcess, backend: str) -> None:
    done = run_process("demo")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "\x1b" not in shown
    assert f"by the {backend} backend" in shown
    frames = site.frames()
    assert f"{len(frames):,} frames" in shown
    table = re.findall(r"^(\w+|\(.+?\)) {2,}[\d,]+ .*$", shown.split("What was wrong")[0], re.M)
    assert {"TransactionEvent", "MeterValues", "Heartbeat", "(none could be read)"} <= set(table)
    faulty = sum(frame.oddity != "" and not frame.oddity.endswith(": allowed") for frame in frames)
    assert shown.count("answer: ") == faulty
    assert "/meterValue/0/sampledValue/7/unit · " in shown
    for reader in ("ocppcore decode", "ocppcore validate", "ocppcore peek", "msgspec, two steps", "json "):
        assert re.search(rf"^{reader} +[\d.,]+ +[\d.,]+ +[\d.,]+ ", shown, re.M), reader


def test_its_frames_can_be_fed_to_the_other_commands(run_process: RunProcess, run: Run) -> None:
    table = run_process("demo", "--frames").stdout
    lines = table.decode().splitlines()
    assert lines[0] == "time,station,subprotocol,frame"
    old = "\n".join([lines[0], *(line for line in lines if ",ocpp1.6," in line)])
    result = run("validate", "-", "--format", "json", input=old.encode())
    assert "frames in CSV column 4; OCPP 1.6" in result.stderr
    faults = [line for line in objects(result.stdout) if "fault" in line]
    assert len(faults) == sum(
        frame.subprotocol == "ocpp1.6"
        and frame.oddity != ""
        and not frame.oddity.endswith(": allowed")
        and frame.data != b""
        for frame in site.frames()
    )


def test_every_reader_reads_every_frame() -> None:
    calls = [("ocpp1.6", b'[2,"1","Heartbeat",{}]'), ("ocpp2.1", b'[2,"1","VatNumberValidation",{"vatNumber":"1"}]')]
    rows = list(speed.measure(calls, rounds=2))
    assert [row.reader for row in rows][:4] == [
        "ocppcore decode",
        "ocppcore validate",
        "ocppcore peek",
        "msgspec, two steps",
    ]
    assert all(row.seconds > 0 for row in rows)
