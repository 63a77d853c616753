"""The commands as a shell sees them: what they print, in which form, and how they end."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.needs import need_shared

from .conftest import objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]
    RunProcess = Callable[..., subprocess.CompletedProcess[bytes]]

GOOD = b'[2,"1","Heartbeat",{}]\n[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]\n'
BAD = b'[2,"1","Authorize",{"idTag":"0123456789012345678901234"}]\n[2,"2","Authorize",{"x":1}]\n'
FINE, FINDINGS, USAGE, UNREADABLE = 0, 1, 2, 3


# Exit codes, on both backends


@pytest.mark.parametrize("command", ["validate", "decode", "peek", "explain"])
def test_good_frames_end_fine(run_process: RunProcess, command: str) -> None:
    done = run_process(command, "--ocpp", "1.6", "-", input=GOOD)
    assert done.returncode == FINE, done.stderr
    assert b"2 frames in 1 input: no fault" in done.stderr


@pytest.mark.parametrize("command", ["validate", "decode", "explain"])
def test_faults_are_findings(run_process: RunProcess, command: str) -> None:
    done = run_process(command, "--ocpp", "ocpp1.6", "-", input=GOOD + BAD)
    assert done.returncode == FINDINGS
    assert b"<stdin>:3: " in done.stdout
    assert b"/idTag" in done.stdout
    assert b"2 faulty frames" in done.stderr


def test_a_broken_head_is_a_finding_of_peek_and_a_broken_payload_is_none(run: Run) -> None:
    assert run("peek", "--ocpp", "1.6", "-", input=BAD).exit_code == FINE
    assert run("peek", "--ocpp", "1.6", "-", input=b'[2,7,"Heartbeat",{}]').exit_code == FINDINGS


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["validate"], "INPUT"),
        (["validate", "-", "--ocpp", "2.0"], "use 1.6, 2.0.1 or 2.1"),
        (["validate", "-", "--layout", "xml"], "xml"),
        (["validate", "-", "--redact", "--format", "json"], "--redact"),
        (["validate", "-", "--nonsense"], "--nonsense"),
        (["valdate"], "did you mean 'validate'?"),
        (["schema", "2.0.1", "Heartbeet"], "did you mean 'Heartbeat'"),
        (["schema", "--json-schema"], "needs a version"),
        (["schema", "1.6", "-o", "x"], "--json-schema"),
    ],
)
def test_wrong_usage_says_what_is_right(run_process: RunProcess, arguments: list[str], says: str) -> None:
    done = run_process(*arguments, input=GOOD)
    assert done.returncode == USAGE
    assert says.encode() in done.stderr


def test_unreadable_inputs_are_said_and_the_others_read(run_process: RunProcess, tmp_path: Path) -> None:
    good, cut, odd = tmp_path / "good.txt", tmp_path / "cut.gz", tmp_path / "odd.txt"
    good.write_bytes(GOOD)
    cut.write_bytes(gzip.compress(os.urandom(5000) + GOOD)[:4000])
    odd.write_bytes(GOOD.decode().encode("utf-16"))
    done = run_process("validate", tmp_path / "gone.txt", cut, odd, tmp_path, tmp_path / "*.none", good)
    assert done.returncode == UNREADABLE
    for name in ("gone.txt: no such file", "cut.gz: ", "odd.txt: is UTF-16", "is a folder", "*.none: no file matches"):
        assert name.encode() in done.stderr
    assert b"2 frames in" in done.stderr
    assert b"Traceback" not in done.stderr


def test_text_without_a_frame_is_unreadable(run: Run) -> None:
    assert run("validate", "-", input=b"a log\nof nothing\n").exit_code == UNREADABLE
    assert run("validate", "-", input=b"").exit_code == UNREADABLE


def test_nothing_read_is_not_called_faultless(run_process: RunProcess, tmp_path: Path) -> None:
    done = run_process("validate", tmp_path / "gone.txt")
    assert b"0 frames in 0 inputs: nothing was checked" in done.stderr
    assert b"no fault" not in done.stderr


# Inputs


def test_gz_files_and_patterns_are_read(run: Run, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.log.gz").write_bytes(gzip.compress(b"in " + GOOD.splitlines()[0] + b"\n"))
    result = run("peek", "--ocpp", "1.6", "--format", "json", tmp_path / "*.gz")
    assert result.exit_code == FINE
    lines = objects(result.stdout)
    assert [Path(line["source"]).name for line in lines] == ["0.log.gz", "1.log.gz", "2.log.gz"]
    assert {line["action"] for line in lines} == {"Heartbeat"}


def test_standard_input_may_be_compressed(run_process: RunProcess) -> None:
    assert b"2 frames" in run_process("validate", "-", input=gzip.compress(GOOD)).stderr


def test_a_byte_order_mark_before_the_text_is_dropped(run: Run) -> None:
    assert run("validate", "--ocpp", "1.6", "-", input=b"\xef\xbb\xbf" + GOOD).exit_code == FINE


def test_csv_answers_are_typed_by_the_calls_of_their_station(run: Run) -> None:
    rows = (
        'when,station,frame\n1,A,"[2,""1"",""Heartbeat"",{}]"\n2,B,"[2,""1"",""Authorize"",{""idTag"":""x""}]"\n'
        '3,A,"[3,""1"",{""currentTime"":""2026-01-01T00:00:00Z""}]"\n4,B,"[3,""1"",{""idTagInfo"":{""status"":""Accepted""}}]"\n'
    )
    result = run("decode", "-", "--format", "json", input=rows.encode())
    assert result.exit_code == FINE, result.output
    answers = [line for line in objects(result.stdout) if line["kind"] == "callresult"]
    assert [(line["station"], line["action"]) for line in answers] == [("A", "Heartbeat"), ("B", "Authorize")]
    assert answers[0]["payload"] == {"currentTime": "2026-01-01T00:00:00Z"}


def test_a_column_that_is_not_there_is_wrong_usage(run: Run) -> None:
    result = run("validate", "-", "--column", "nope", input=b"a,b\n1,2\n")
    assert result.exit_code == USAGE
    assert "there are a, b" in result.stderr


def test_a_frame_over_the_limit_is_a_fault_and_the_limit_can_be_raised(run: Run) -> None:
    frame = b'[2,"1","DataTransfer",{"vendorId":"v","data":"' + b"x" * (1 << 20) + b'"}]\n' + GOOD
    result = run("validate", "--ocpp", "1.6", "--format", "json", "-", input=frame)
    assert [line["fault"]["kind"] for line in objects(result.stdout) if "fault" in line] == ["size"]
    assert run("validate", "--ocpp", "1.6", "--max-size", 1 << 21, "-", input=frame).exit_code == FINE


def test_a_line_without_end_is_cut_and_the_next_one_read(run: Run) -> None:
    result = run("validate", "--ocpp", "1.6", "--format", "json", "-", input=b"[" * (9 << 20) + b"\n" + GOOD)
    *faults, summary = objects(result.stdout)
    assert [fault["fault"]["kind"] for fault in faults] == ["size"]
    assert summary["summary"]["frames"] == 3


# Output


def test_json_faults_carry_place_code_and_answer(run: Run) -> None:
    result = run("validate", "--ocpp", "2.0.1", "--format", "json", "-", input=b'[2,"8","Heartbeat",{"a":1}]')
    line, summary = objects(result.stdout)
    fault = line.pop("fault")
    assert line == {"source": "<stdin>", "line": 1, "ocpp": "2.0.1", "kind": "call", "id": "8", "action": "Heartbeat"}
    assert (fault["kind"], fault["path"], fault["offset"]) == ("unknown_key", "/a", 20)
    assert fault["expected"] == ["customData"]
    assert json.loads(fault["reply"])[:3] == [4, "8", fault["code"]]
    assert summary == {"summary": {"inputs": 1, "frames": 1, "bytes": 27, "untyped": 0, "faulty": 1, "unreadable": 0}}


def test_replies_are_shown_and_peers_words_can_be_left_out(run: Run) -> None:
    frame = b'[2,"8","Heartbeat",{"secret":1}]'
    assert 'answer: [4,"8",' in run("validate", "--ocpp", "1.6", "--replies", "-", input=frame).stdout
    assert "answer: none" in run("validate", "--ocpp", "1.6", "--replies", "-", input=b"[").stdout
    assert "secret" in run("validate", "--ocpp", "1.6", "-", input=frame).stdout
    assert "secret" not in run("validate", "--ocpp", "1.6", "--redact", "-", input=frame).stdout


@pytest.mark.parametrize("command", ["validate", "decode", "peek", "explain"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_input_breaks_the_output(run_process: RunProcess, command: str, form: str) -> None:
    hostile = (
        b'[2,"\\ud800","Heartbeat",{}]\n[2,"\\u001b[31m","\\u001b]0;x\\u0007",{}]\n\xff\xfe\x00\n[2,"1","\\ud800\xff",{"\x1b[2J":1}]\n'
        b'[2,"1","Heartbeat",{"\\ud800":1}]\n[4,"1","\\u001b","\\u001b",{"\\u001b":1}]\n[3,"1",[[' + b"[" * 5000 + b"\n"
    )
    done = run_process(command, "--ocpp", "2.1", "--layout", "frames", "--format", form, "-", input=hostile)
    assert done.returncode == FINDINGS, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stdout
    if form == "json":
        assert objects(done.stdout)


def test_decode_shows_typed_values(run: Run) -> None:
    refusal = b'[4,"9","InternalError","no",{"a":1}]\n'
    result = run("decode", "--ocpp", "1.6", "-", input=GOOD + refusal)
    assert "CALLRESULT Heartbeat '1' HeartbeatResponse(current_time=datetime.datetime(2026" in result.stdout
    assert "CALLERROR ? '9' code='InternalError' description='no' details={'a': 1}" in result.stdout
    unseen = objects(run("decode", "--ocpp", "1.6", "--format", "json", "-", input=b'[3,"5",{"a": 1}]').stdout)
    assert unseen == [
        {"source": "<stdin>", "line": 1, "ocpp": "1.6", "kind": "callresult", "id": "5", "typed": False, "payload": {"a": 1}}
    ]  # fmt: skip


def test_colours_are_for_terminals_unless_the_environment_says_more(
    run_process: RunProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert b"\x1b[" not in run_process("validate", "--ocpp", "1.6", "-", input=BAD).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert b"\x1b[" in run_process("validate", "--ocpp", "1.6", "-", input=BAD).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b[" not in run_process("validate", "--ocpp", "1.6", "-", input=BAD).stdout


def test_a_reader_that_leaves_ends_the_command_quietly(tmp_path: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_bytes(GOOD * 50_000)
    command = [sys.executable, "-m", "ocppcore.cli", "peek", "--ocpp", "1.6", str(many)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 141
    assert b"Traceback" not in said
    assert b"BrokenPipe" not in said


def test_a_long_read_shows_its_progress_on_a_terminal_alone(tmp_path: Path) -> None:
    many = tmp_path / "many.txt"
    many.write_bytes(GOOD * 150_000)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ocppcore.cli", "validate", "--ocpp", "1.6", str(many)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    assert process.returncode == FINE
    assert b"frames/s" not in shown  # the rate is written as "n frames  n/s"
    assert b"%" in shown
    assert shown.rstrip().endswith(b"no fault")
    assert subprocess.run(command, capture_output=True, check=True).stderr.count(b"%") == 0
    os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


# The other commands


def test_the_version_comes_fast_and_loads_little() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; from ocppcore.cli import main; main(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, loaded = done.stdout.splitlines()
    assert version.startswith("ocppcore, version ")
    assert not {name for name in loaded.split() if name.split(".")[0] == "rich" or name.startswith("ocppcore.v")}


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['click'] = None; from ocppcore.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == USAGE
    assert "pip install 'ocppcore[cli]'" in done.stderr


def test_schema_lists_versions_messages_and_fields(run: Run) -> None:
    assert "ocpp2.0.1" in run("schema").stdout
    messages = run("schema", "2.1").stdout
    assert "NotifyPeriodicEventStream" in messages
    shown = run("schema", "1.6", "Authorize").stdout
    for part in ("AuthorizeRequest", "idTag", "id_tag", "required", "at most 20 characters", "ConcurrentTx", "CSMS"):
        assert part in shown, part
    assert "setpoint_l2" in run("schema", "2.1", "ChargingSchedulePeriodType").stdout


def test_schema_exports_json_schema(run: Run, tmp_path: Path) -> None:
    run("schema", "2.0.1", "--json-schema", "-o", tmp_path)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 128
    both = json.loads(run("schema", "2.0.1", "Authorize", "--json-schema").stdout)
    assert both["AuthorizeRequest"] == json.loads((tmp_path / "AuthorizeRequest.json").read_text())
    one: dict[str, Any] = json.loads(run("schema", "2.0.1", "IdTokenType", "--json-schema").stdout)
    assert set(one["required"]) == {"idToken", "type"}


def test_doctor_says_which_backend_runs(run_process: RunProcess, backend: str) -> None:
    done = run_process("doctor")
    assert done.returncode == FINE, done.stdout
    assert f"{backend}: asked for by OCPPCORE_BACKEND".encode() in done.stdout
    facts = json.loads(run_process("doctor", "--format", "json").stdout)
    assert facts["problems"] == []
    assert facts["msgspec"].startswith("0.")


def test_a_backend_that_cannot_run_is_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", "nonsense")
    for arguments in (["validate", "-"], ["demo"]):
        result = run(*arguments, input=GOOD)
        assert result.exit_code == USAGE
        assert "use 'native' or 'python'" in result.stderr


def test_doctor_finds_a_backend_that_cannot_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPPCORE_BACKEND", "nonsense")
    result = run("doctor")
    assert result.exit_code == FINDINGS
    assert "use 'native' or 'python'" in result.stdout


# Real logs, which are not ours to copy


@pytest.mark.parametrize(
    ("name", "layout", "version", "frames"),
    [
        ("octt_201.log", "frames inside log lines", "2.0.1", 30),
        ("station_ha_16.log", "frames inside log lines", "1.6", 126),
        ("synthetic_16.csv", "frames in CSV column 4", "1.6", 1500),
    ],
)
def test_real_logs_work_as_they_are(run_process: RunProcess, name: str, layout: str, version: str, frames: int) -> None:
    log = need_shared("logs") / name
    done = run_process("validate", "--format", "json", log)
    assert f"{layout}; OCPP {version} (".encode() in done.stderr
    *faults, summary = objects(done.stdout)
    assert faults == []
    assert done.returncode == FINE
    assert summary["summary"]["frames"] == frames
    assert summary["summary"]["untyped"] == 0
