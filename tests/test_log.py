"""Logs become Arrow tables: the same ones on both backends, whatever the layout, the packing or the faults."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ocppcore.log
from ocppcore import Codec, OcppError, _versions
from ocppcore.log import TABLES, Log, Unreadable, reading
from support.needs import ROOT, need_module, need_shared

if TYPE_CHECKING:
    from collections.abc import Iterable

LOGS = ROOT / "tests/logs"
HEARTBEAT = b'[2,"1","Heartbeat",{}]'


def arrow() -> Any:
    need_module("pyarrow", "pyarrow (the extra arrow)")
    import pyarrow

    return pyarrow


def rows(table: Any) -> list[dict[str, Any]]:
    """The rows of a table, without what is null in them."""
    listed: list[dict[str, Any]] = arrow().table(table).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in listed]


def at(second: float, minute: int = 0) -> datetime:
    return datetime(2026, 3, 1, 8, minute, int(second), round(second % 1 * 1_000_000), tzinfo=UTC)


def frames_of(path: Path) -> list[dict[str, Any]]:
    return rows(ocppcore.log.read(path, backend="python").frames)


def assert_equal(first: Log, second: Log) -> None:
    """Two logs hold the same tables, schema and all."""
    pa = arrow()
    assert first.tables.keys() == second.tables.keys()
    for name, table in first.tables.items():
        ours, others = pa.table(table), pa.table(second.tables[name])
        assert ours.schema == others.schema
        ours.validate(full=True)
        assert ours.to_pylist() == others.to_pylist()
        assert ours.equals(others)


def on_both(source: Any, **options: Any) -> Log:
    """The log on the native backend, after a look that the Python backend reads the same."""
    need_module("ocppcore._native", "the native backend")
    again = (lambda: io.BytesIO(source)) if isinstance(source, bytes) else (lambda: source)
    native = ocppcore.log.read(again(), backend="native", **options)
    assert_equal(native, ocppcore.log.read(again(), backend="python", **options))
    return native


# What the tables hold


def test_sampled_values_of_1_6(backend: str) -> None:
    log = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    assert log.version == "1.6"
    base = {"frame": 9, "station": "STATION_1", "connector_id": 1, "transaction_id": "77", "timestamp": at(5)}
    assert rows(log.sampled_values) == [
        base | {"value": 1250.0},
        base | {"value": 16.0, "measurand": "Current.Import", "phase": "L1", "unit": "A", "context": "Sample.Periodic", "location": "Outlet"},
        base | {"value_text": "21,5", "measurand": "Temperature", "unit": "Celsius"},
        base | {"value_text": "8F2A", "format": "SignedData"},
        base | {"value": -1500.0, "measurand": "Power.Active.Import", "unit": "W", "timestamp": at(6.000001)},
        {"frame": 12, "station": "STATION_1", "transaction_id": "77", "timestamp": at(7), "value": 1300.0, "context": "Transaction.End"},
    ]  # fmt: skip


def test_transactions_of_1_6_are_completed_by_their_answers(backend: str) -> None:
    log = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    assert rows(log.transactions) == [
        {"frame": 6, "answer": 7, "station": "STATION_2", "event": "Started", "timestamp": at(3.5), "connector_id": 2,
         "id_token": "TAG-2", "meter": 0, "reservation_id": 9},
        {"frame": 5, "answer": 8, "station": "STATION_1", "event": "Started", "transaction_id": "77", "timestamp": at(3),
         "connector_id": 1, "id_token": "TAG-1", "id_status": "Accepted", "meter": 1200},
        {"frame": 12, "station": "STATION_1", "event": "Ended", "transaction_id": "77", "timestamp": at(7), "meter": 1300, "reason": "Local"},
    ]  # fmt: skip


def test_statuses_of_1_6(backend: str) -> None:
    log = ocppcore.log.read(LOGS / "gateway.log", backend=backend, tables=["statuses"])
    assert rows(log.statuses) == [
        {"frame": 2, "station": "STATION_1", "timestamp": at(2), "connector_id": 1, "status": "Available", "error_code": "NoError"},
        {"frame": 3, "station": "STATION_2", "connector_id": 2, "status": "Faulted", "error_code": "OtherError",
         "info": 'door "open" ü', "vendor_id": "Vendor", "vendor_error_code": "E7"},
    ]  # fmt: skip


def test_frames_tell_what_is_wrong_and_how_long_answers_took(backend: str) -> None:
    log = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    found = rows(log.frames)
    assert [row["frame"] for row in found] == list(range(15))
    assert found[1] == {
        "frame": 1, "line": 3, "time": at(1.25), "station": "STATION_1", "direction": "out", "message_type": 3, "id": "a1",
        "action": "BootNotification", "valid": True, "size": 82, "latency": 250_000,
    }  # fmt: skip
    assert (found[7]["action"], found[7]["error_code"], found[7]["latency"]) == (
        "StartTransaction",
        "InternalError",
        250_000,
    )
    faults = [(row["frame"], row.get("action"), row["kind"], row["path"]) for row in found if not row["valid"]]
    assert faults == [
        (10, "MeterValues", "enum", "/meterValue/0/sampledValue/1/measurand"),
        (11, "Unheard", "action_unknown", ""),
        (14, "Heartbeat", "truncated", ""),
    ]
    unmatched = found[13]
    assert unmatched["valid"]
    assert "action" not in unmatched


def test_tables_of_2_0_1(backend: str) -> None:
    log = ocppcore.log.read(LOGS / "station.ndjson", ocpp="2.0.1", backend=backend)
    sample = {"station": "CS-1", "frame": 2, "transaction_id": "T-1", "timestamp": at(0, 1)}
    assert rows(log.sampled_values) == [
        sample | {"value": 1.25, "measurand": "Energy.Active.Import.Register", "unit": "kWh", "multiplier": 3},
        sample | {"value": 7.0},
        {"frame": 4, "station": "CS-1", "evse_id": 0, "timestamp": at(0, 2), "value": 230.1, "measurand": "Voltage", "phase": "L1-N",
         "location": "Inlet", "context": "Sample.Clock", "unit": "V"},
    ]  # fmt: skip
    assert rows(log.statuses) == [
        {"frame": 3, "station": "CS-1", "timestamp": at(0, 2), "evse_id": 1, "connector_id": 2, "status": "Occupied"}
    ]
    event = {"station": "CS-1", "transaction_id": "T-1"}
    assert rows(log.transactions) == [
        event | {"frame": 0, "answer": 1, "event": "Started", "timestamp": at(0), "trigger": "Authorized", "seq_no": 0, "remote_start_id": 4,
                 "id_token": "AA", "id_token_type": "ISO14443", "evse_id": 1, "connector_id": 2, "reservation_id": 3, "offline": False,
                 "id_status": "Accepted"},
        # Its answer is invalid, and says nothing.
        event | {"frame": 5, "answer": 6, "event": "Ended", "timestamp": at(0, 3), "trigger": "EVDeparted", "seq_no": 2,
                 "reason": "EVDisconnected"},
        event | {"frame": 2, "event": "Updated", "timestamp": at(0, 1), "trigger": "MeterValuePeriodic", "seq_no": 1, "charging_state": "Charging"},
    ]  # fmt: skip
    found = rows(log.frames)
    assert [(row["line"], row.get("direction")) for row in found[:4]] == [(1, "in"), (2, "out"), (3, "in"), (5, None)]
    assert (found[3]["time"], found[4]["time"]) == (at(0, 2), at(0.5, 2))
    assert found[6]["kind"] == "unknown_key"


def test_both_sides_may_use_an_id_at_a_time(backend: str) -> None:
    frames = [
        HEARTBEAT,
        b'[2,"1","ClearCache",{}]',
        b'[3,"1",{"status":"Accepted"}]',
        b'[3,"1",{"status":"Accepted"}]',
    ]
    found = rows(ocppcore.log.read(frames, ocpp="1.6", backend=backend).frames)
    assert [row.get("action") for row in found] == ["Heartbeat", "ClearCache", "ClearCache", None]


def test_a_call_that_is_repeated_takes_the_place_of_the_first(backend: str) -> None:
    stop = b'[2,"%d","StopTransaction",{"transactionId":%d,"meterStop":1,"timestamp":"2026-03-01T08:00:00Z"}]'
    frames = [stop % (1, 5), stop % (1, 6), b'[3,"1",{"idTagInfo":{"status":"Expired"}}]', stop % (2, 7)]
    found = rows(ocppcore.log.read(frames, ocpp="1.6", backend=backend).transactions)
    assert [(row["transaction_id"], row.get("answer"), row.get("id_status")) for row in found] == [
        ("5", None, None), ("6", 2, "Expired"), ("7", None, None),
    ]  # fmt: skip


# Where frames come from


def as_csv(frames: Iterable[tuple[str, str, bytes]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["timestamp", "charger", "message"])
    writer.writerows([when, station, frame.decode()] for when, station, frame in frames)
    return text.getvalue().encode()


def as_ndjson(frames: Iterable[tuple[str, str, bytes]]) -> bytes:
    return b"".join(
        json.dumps({"timestamp": when, "charger": station, "message": frame.decode()}).encode() + b"\n"
        for when, station, frame in frames
    )


def as_log(frames: Iterable[tuple[str, str, bytes]]) -> bytes:
    return b"".join(
        b"%s INFO charger=%s [msg] %s\n" % (when.encode(), station.encode(), frame) for when, station, frame in frames
    )


SAME = [
    ("2026-03-01T08:00:00.5Z", "CP-1", b'[2,"1","Authorize",{"idTag":"A"}]'),
    ("2026-03-01T08:00:00.6Z", "CP-2", b'[2,"1","Heartbeat",{}]'),
    ("2026-03-01T08:00:00.75Z", "CP-1", b'[3,"1",{"idTagInfo":{"status":"Invalid"}}]'),
    ("2026-03-01T08:00:01Z", "CP-2", b'[3,"1",{"currentTime":"never"}]'),
]


@pytest.mark.parametrize("write", [as_csv, as_ndjson, as_log])
def test_every_layout_gives_the_same_frames(write: Any) -> None:
    log = on_both(write(SAME), ocpp="1.6", tables=["frames"])
    found = rows(log.frames)
    assert [(row["station"], row["time"], row["action"], row["valid"], row.get("latency")) for row in found] == [
        ("CP-1", at(0.5), "Authorize", True, None),
        ("CP-2", at(0.6), "Heartbeat", True, None),
        ("CP-1", at(0.75), "Authorize", True, 250_000),
        ("CP-2", at(1), "Heartbeat", False, 400_000),
    ]


def test_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    pa = arrow()
    text = (LOGS / "gateway.log").read_bytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(text))
    (tmp_path / "a.zst").write_bytes(pa.compress(text, codec="zstd", asbytes=True))
    plain = ocppcore.log.read(LOGS / "gateway.log")
    for name in ("a.gz", "a.zst"):
        assert_equal(ocppcore.log.read(tmp_path / name), plain)
        with (tmp_path / name).open("rb") as file:
            assert_equal(ocppcore.log.read(file), plain)
            assert not file.closed


def test_files_in_memory_are_read_and_left_open() -> None:
    file = io.BytesIO((LOGS / "gateway.log").read_bytes())
    assert_equal(ocppcore.log.read(file), ocppcore.log.read(str(LOGS / "gateway.log")))
    assert not file.closed


def test_frames_of_any_kind_of_data_are_read(backend: str) -> None:
    given = [HEARTBEAT.decode(), bytearray(HEARTBEAT), memoryview(HEARTBEAT), '[2,"\ud800","Heartbeat",{}]']
    found = rows(ocppcore.log.read(iter(given), ocpp="1.6", backend=backend).frames)
    assert [row.get("kind") for row in found] == [None, None, None, "surrogate"]
    assert [row["line"] for row in found] == [1, 2, 3, 4]


def test_an_empty_log_has_empty_tables(backend: str) -> None:
    for source in ([], io.BytesIO(b""), io.BytesIO(b"\n \n")):
        log = ocppcore.log.read(source, backend=backend)
        assert [len(table) for table in log.tables.values()] == [0] * len(TABLES)
        assert arrow().table(log.frames).num_rows == 0


@pytest.mark.parametrize("most", [1, 3, 7])
def test_batches_hold_together_what_one_table_holds(most: int, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = arrow()
    whole = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    monkeypatch.setattr(reading, "_MOST_FRAMES", most)
    parts = list(ocppcore.log.batches(LOGS / "gateway.log", backend=backend))
    assert [len(part.frames) for part in parts][:-1] == [most] * (len(parts) - 1)
    for name in TABLES:
        together = [row for part in parts for row in pa.table(part.tables[name]).to_pylist()]
        assert together == pa.table(whole.tables[name]).to_pylist()
    joined = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    for name in TABLES:
        assert pa.table(joined.tables[name]).to_pylist() == pa.table(whole.tables[name]).to_pylist()


def test_calls_that_nobody_answers_are_forgotten_and_their_rows_kept(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_OPEN_CALLS", 2)
    stop = b'[2,"%d","StopTransaction",{"transactionId":%d,"meterStop":1,"timestamp":"2026-03-01T08:00:00Z"}]'
    frames = [*(stop % (n, n) for n in range(4)), b'[3,"1",{}]', b'[3,"2",{}]']
    log = ocppcore.log.read(frames, ocpp="1.6", backend=backend)
    assert [(row["transaction_id"], row.get("answer")) for row in rows(log.transactions)] == [
        ("0", None), ("1", None), ("2", 5), ("3", None),
    ]  # fmt: skip
    assert [row.get("action") for row in rows(log.frames)][4:] == [None, "StopTransaction"]


def test_lines_longer_than_memory_should_hold_are_cut(backend: str) -> None:
    long = b'[2,"1","DataTransfer",{"vendorId":"' + b"x" * (5 << 20) + b'"}]'
    text = HEARTBEAT + b"\n" + long + b"\r\n" + HEARTBEAT + b"\n" + long
    found = rows(ocppcore.log.read(io.BytesIO(text), ocpp="1.6", layout="frames", backend=backend).frames)
    assert [(row["line"], row["size"], row.get("kind")) for row in found] == [
        (1, 22, None), (2, 4 << 20, "size"), (3, 22, None), (4, 4 << 20, "size"),
    ]  # fmt: skip


# Who takes them


def test_polars_and_duckdb_take_the_tables(backend: str) -> None:
    need_module("polars", "polars")
    need_module("duckdb", "duckdb")
    import duckdb
    import polars

    log = ocppcore.log.read(LOGS / "gateway.log", backend=backend)
    frame: Any = polars.DataFrame(log.sampled_values)
    assert frame.filter(polars.col("unit").is_null())["value"].to_list() == [1250.0, None, 1300.0]
    sampled = log.sampled_values
    query = "select station, count(*), max(value) from sampled group by 1"
    assert duckdb.sql(query).fetchall() == [("STATION_1", 6, 1300.0)]
    assert len(sampled) == 6


def test_pandas_takes_the_tables(backend: str) -> None:
    need_module("pandas", "pandas")
    arrow()  # by way of which pandas takes Arrow data
    pandas: Any = importlib.import_module("pandas")
    sampled = pandas.DataFrame.from_arrow(ocppcore.log.read(LOGS / "gateway.log", backend=backend).sampled_values)
    assert sampled[sampled["unit"].isna()]["value"].dropna().tolist() == [1250.0, 1300.0]
    assert sampled.groupby("station")["value"].max().to_dict() == {"STATION_1": 1300.0}


def test_a_table_is_taken_without_a_copy(backend: str) -> None:
    pa = arrow()
    table = ocppcore.log.read(LOGS / "gateway.log", backend=backend).frames
    column = table.column_names.index("size")
    places = [[chunk.buffers()[1].address for chunk in pa.table(table).column(column).chunks] for _ in range(2)]
    assert places[0] == places[1]


def test_a_table_can_be_taken_more_than_once_and_outlives_its_log(backend: str) -> None:
    pa = arrow()
    table = ocppcore.log.read(LOGS / "gateway.log", backend=backend).frames
    first = pa.table(table)
    second = pa.table(table)
    schema = pa.schema(table)
    del table
    assert first.equals(second)
    assert schema == first.schema


def test_the_native_backend_needs_no_pyarrow() -> None:
    need_module("ocppcore._native", "the native backend")
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import ocppcore.log\n"
        f"log = ocppcore.log.read({str(LOGS / 'gateway.log')!r}, backend='native')\n"
        "assert type(log.frames.__arrow_c_stream__()).__name__ == 'PyCapsule'\n"
        "try: ocppcore.log.read([], backend='python')\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'ocppcore[arrow]'" in done.stdout


def test_the_docs_list_every_column_with_its_type() -> None:
    import re

    text = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
    for name, columns in _versions.columns()["tables"].items():
        listed: list[tuple[str, str]] = []
        section = text.split(f"\n`{name}`, ")[1].split("\n\n")[1]
        for names, types in re.findall(r"^\| (`.*?`) \| ([a-z, ]+) \|", section, re.M):
            kinds = types.split(", ") if ", " in types else [types] * names.count(", ") + [types]
            listed += zip(re.findall(r"`(\w+)`", names), kinds, strict=True)
        assert sorted(listed) == sorted((column["name"], column["type"]) for column in columns), name


# Misuse and mishaps


def test_misuse_says_what_is_right() -> None:
    for options, says in (
        ({"ocpp": "2.0"}, "use '1.6', '2.0.1', '2.1'"),
        ({"layout": "xml"}, "use 'frames', 'ndjson', 'csv', 'log'"),
        ({"tables": ["frame"]}, "did you mean 'frames'"),
        ({"column": "x"}, "no column 'x'"),
    ):
        with pytest.raises(ValueError, match=says):
            ocppcore.log.read(io.BytesIO(as_csv(SAME)), **options)
    with pytest.raises(TypeError, match="sequence of names"):
        ocppcore.log.read([], tables="frames")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a log is a path, a file or an iterable of frames"):
        ocppcore.log.read([1])  # type: ignore[list-item]
    with pytest.raises(AttributeError, match="name it in read"):
        _ = ocppcore.log.read([], tables=["frames"]).statuses
    with pytest.raises(AttributeError, match="its tables are"):
        _ = ocppcore.log.read([]).meters


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress((LOGS / "gateway.log").read_bytes())[:200])
    (tmp_path / "cut.zst").write_bytes(b"\x28\xb5\x2f\xfd\x04")
    for name in ("gone", "cut.gz", "cut.zst", "."):
        with pytest.raises(Unreadable, match=r"cut|gone|folder"):
            ocppcore.log.read(tmp_path / name)


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(["frames", "ndjson", "csv", "log", None]),
)
def test_any_bytes_are_read_alike(data: bytes, layout: str | None) -> None:
    need_module("ocppcore._native", "the native backend")
    try:
        log = ocppcore.log.read(io.BytesIO(data), ocpp="1.6", layout=layout, backend="python")
    except (Unreadable, ocppcore.log.NoSuchColumn) as error:
        with pytest.raises(type(error)):
            ocppcore.log.read(io.BytesIO(data), ocpp="1.6", layout=layout, backend="native")
        return
    assert_equal(ocppcore.log.read(io.BytesIO(data), ocpp="1.6", layout=layout, backend="native"), log)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 99),
            st.integers(0, 400),
            st.sampled_from([b'"', b"{", b"}", b"]", b",", b"null", b"7", b"\\u00e9", b"\xff"]),
        )
    )
)
def test_spoilt_logs_are_read_alike(changes: list[tuple[int, int, bytes]]) -> None:
    frames = [record for name in ("gateway.log", "station.ndjson") for record in spoilt(LOGS / name, changes)]
    for version in ("1.6", "2.0.1", "2.1"):
        on_both(frames, ocpp=version)


def spoilt(path: Path, changes: list[tuple[int, int, bytes]]) -> list[bytes]:
    """The frames of a log with a few bytes of them changed."""
    from ocppcore.log.layouts import read, recognise

    lines = path.read_bytes().splitlines()
    frames = [record.data for record in read(lines, recognise(lines))]
    for number, place, change in changes:
        index = number % len(frames)
        at = place % len(frames[index])
        frames[index] = frames[index][:at] + change + frames[index][at + 1 :]
    return frames


@pytest.mark.parametrize("name", ["octt_201.log", "station_ha_16.log", "synthetic_16.csv"])
def test_real_logs_are_read_alike(name: str) -> None:
    log = on_both(need_shared("logs") / name)
    found = rows(log.frames)
    assert len(found) >= 30
    assert all("time" in row for row in found)
    assert sum("latency" in row for row in found) >= len(found) // 3


def test_frames_agree_with_the_codec(backend: str) -> None:
    """Whether a frame is valid, and what is wrong with it, is what decode says."""
    for path, version in ((LOGS / "gateway.log", "1.6"), (LOGS / "station.ndjson", "2.1")):
        codec = Codec(f"ocpp{version}", backend=backend)
        frames = [
            *spoilt(path, [(3, 90, b"7"), (1, 40, b"}")]),
            b'[2,"9","Unheard"7{}]',
            b'[2,"9","Heartbeat"7{}]',
            b"[9]",
        ]
        found = rows(ocppcore.log.read(frames, ocpp=version, backend=backend).frames)
        for data, row in zip(frames, found, strict=True):
            pending = {row["id"]: row["action"]} if "action" in row else None
            fault: tuple[Any, ...] = (None, None, None)
            try:
                codec.decode(data, pending)
            except OcppError as error:
                fault = (error.kind, error.path, error.offset)
            assert (row.get("kind"), row.get("path"), row.get("offset")) == fault
            assert row["valid"] == (fault[0] is None)
