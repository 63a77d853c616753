"""Frames are found where they lie: alone on a line, in a CSV column, inside log lines of several makers."""

from __future__ import annotations

import pytest

from ocppcore.log.layouts import Keys, Layout, NoSuchColumn, Record, read, recognise
from ocppcore.log.marks import direction_of, time_of

CALL = b'[2,"7","Heartbeat",{}]'


def found(lines: list[bytes], **options: str) -> list[Record]:
    return list(read(lines, recognise(lines, **options)))


def test_one_frame_per_line_counts_lines_from_one_and_skips_empty_ones() -> None:
    lines = [b"", CALL, b"   ", b' [3, "7", {}] ']
    assert recognise(lines) == Layout("frames")
    assert found(lines) == [Record(2, None, CALL), Record(4, None, b'[3, "7", {}]')]


def test_broken_lines_among_frames_are_frames_too() -> None:
    lines = [CALL, b"{]", b"nonsense", CALL, CALL]
    assert [record.data for record in found(lines)] == lines


def test_json_that_holds_no_frame_is_judged_as_frames() -> None:
    assert recognise([b'{"action":"Heartbeat"}']) == Layout("frames")


@pytest.mark.parametrize(
    ("line", "station", "data"),
    [
        (b"10:00:01 INFO CP_7: receive message " + CALL, "CP_7", CALL),
        (b"10:00:01 INFO 10.0.0.7:9000: send " + CALL, "10.0.0.7:9000", CALL),
        (b"[DEBUG] [chargeBoxId=BOX.7, sessionId=a-1] Received: " + CALL, "BOX.7", CALL),
        (b"[2031-01-01T10:00:01:125] [in] " + CALL + b" [22 bytes]", None, CALL),
        (b"< TEXT '" + CALL + b"' [22 bytes]", None, CALL),
        (b'{"station": "A", "frame": [2,"7","Heartbeat",{}], "n": 1}', "A", CALL),
        (b'{"station_id":"A","msg":"in [2,\\"7\\",\\"Heartbeat\\",{}] ok"}', "A", CALL),
        (b'{"msg":"[2,\\"7\\",\\"DataTransfer\\",{\\"vendorId\\":\\"a\\\\\\"]\\"}]"}', None,
         b'[2,"7","DataTransfer",{"vendorId":"a\\"]"}]'),
        (b"got [2, '7', 'Heartbeat', {}] from a peer", None, b'[2, "7", "Heartbeat", {}]'),
        (b"got [3, '7', {'ok': True, 'no': None, 'it': \"it's\"}]", None,
         b'[3, "7", {"ok": true, "no": null, "it": "it\'s"}]'),
        (b"in [2,17,\"Heartbeat\",{}]", None, b'[2,17,"Heartbeat",{}]'),
        (b'in [2,"7","DataTransfer",{"vendorId":"]]}","data":"\\"["}] out', None,
         b'[2,"7","DataTransfer",{"vendorId":"]]}","data":"\\"["}]'),
        (b'in [2,"7","DataTransfer",{"vendorId":"cut o', None, b'[2,"7","DataTransfer",{"vendorId":"cut o'),
    ],
)  # fmt: skip
def test_a_frame_is_cut_out_of_a_log_line(line: bytes, station: str | None, data: bytes) -> None:
    assert [record[:3] for record in found([b"a line without", line], name="log")] == [(2, station, data)]


def test_a_line_may_hold_several_frames() -> None:
    lines = [b"out " + CALL + b' in [3,"7",{}]']
    assert [record.data for record in found(lines, name="log")] == [CALL, b'[3,"7",{}]']


@pytest.mark.parametrize(
    "line", [b"[10, 20]", b"limits [2, 3, 4]", b"Step [7] of [2]", b"a[2]", b"['a', 'b']", b"[2031-01-01]"]
)
def test_other_brackets_in_logs_are_no_frames(line: bytes) -> None:
    assert found([line], name="log") == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_column_of_a_csv_is_recognised_by_its_frames(delimiter: str) -> None:
    rows = [
        ["time", "charge_point_id", "note", "message"],
        ["1", "A", "", '"[2,""7"",""Heartbeat"",{}]"'],
        ["2", "B", "", '"[2,""7"",""Heartbeat"",{}]"'],
        ["3", "A", "", '"[3, ""7"",\n{}]"'],
        ["4", "A", "", ""],
        ["5", "A", "", '"[3,""8"",{}]"'],
    ]
    lines = "\n".join(delimiter.join(row) for row in rows).encode().split(b"\n")
    assert recognise(lines) == Layout("csv", delimiter, 3, 1, True, time=0)
    assert found(lines) == [
        Record(2, "A", CALL, b"1"), Record(3, "B", CALL, b"2"), Record(4, "A", b'[3, "7",\n{}]', b"3"),
        Record(7, "A", b'[3,"8",{}]', b"5"),
    ]  # fmt: skip


def test_the_keys_of_json_objects_are_recognised_by_their_frames() -> None:
    lines = [
        b'{"ts":"2031-01-01T00:00:00Z","station":"A","dir":"in","frame":[2,"7","Heartbeat",{}]}',
        b'{"ts":1925000000, "station":"A","frame":"[3, \\"7\\", {}]"}',
        b'{"note":"no frame here"}',
        b'cut off: {"station":"A","frame":[2,"8","Heartbeat",{}]',
    ]
    assert recognise(lines) == Layout("ndjson", keys=Keys("frame", "station", "ts", "dir"))
    assert [record[:4] for record in read(lines, recognise(lines))] == [
        (1, "A", CALL, b"2031-01-01T00:00:00Z"), (2, "A", b'[3, "7", {}]', b"1925000000"),
        (4, "A", b'[2,"8","Heartbeat",{}]', b'cut off: {"station":"A","frame":'),
    ]  # fmt: skip
    assert recognise(lines, column="frame", station="dir").keys == Keys("frame", "dir", "ts", "dir")
    with pytest.raises(NoSuchColumn, match="no key 'x'; there are ts, station, dir, frame, note"):
        recognise(lines, name="ndjson", column="x")


def test_objects_that_hold_frames_deeper_inside_are_log_lines() -> None:
    assert recognise([b'{"log":{"frame":[2,"7","Heartbeat",{}]}}'] * 3) == Layout("log")


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        (b"2001-09-09 01:46:41", 1_000_000_001_000_000),
        (b"[1970-01-02T00:00:00:125] [in]", 86_400_125_000),
        (b"INFO 1970-01-01T01:00:00.0000019+01:00: x", 1),
        (b"1970-01-01t00:00:00,5-0030", 1_800_500_000),
        (b"1700000000", 1_700_000_000_000_000),
        (b"1700000000.25", 1_700_000_000_250_000),
        (b"1700000000123", 1_700_000_000_123_000),
        (b"1700000000123456", 1_700_000_000_123_456),
        (b"1700000000123456789", 1_700_000_000_123_456),
        (b"1970-13-01T00:00:00", None),
        (b"12:00:01 nothing", None),
        (b"", None),
    ],
)
def test_an_instant_is_read_off_the_text_beside_a_frame(text: bytes, micros: int | None) -> None:
    assert time_of(text) == micros


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (b"CP_1: receive message ", "in"), (b"CP_1: send ", "out"), (b"[msg-in] ", "in"), (b"[msg-out] ", "out"),
        (b"Received: ", "in"), (b"TX ", "out"), (b"inside the sender ", None), (b"", None),
    ],
)  # fmt: skip
def test_the_way_is_read_off_the_text_before_a_frame(text: bytes, way: str | None) -> None:
    assert direction_of(text) == way


def test_a_column_that_numbers_rows_is_no_station() -> None:
    lines = [b"id,frame", *(b'%d,"[2,""%d"",""Heartbeat"",{}]"' % (n, n) for n in range(3))]
    assert recognise(lines).station is None
    assert recognise(lines, station="id").station == 0


def test_columns_are_named_by_title_or_number() -> None:
    lines = [b"a,b,c", b'"[2,""7"",""A"",{}]",x,"[2,""8"",""B"",{}]"', b"oops,x,y"]
    assert [record.data for record in found(lines, column="a")] == [b'[2,"7","A",{}]', b"oops"]
    assert [record.data for record in found(lines, column="3")] == [b'[2,"8","B",{}]', b"y"]
    with pytest.raises(NoSuchColumn, match="there are a, b, c"):
        recognise(lines, column="d")


def test_bytes_that_are_no_text_reach_the_codec_as_they_are() -> None:
    lines = [b"n,frame", b'1,"[2,""7"",""\xff"",{}]"', b'2,"[2,""7"",""Heartbeat"",{}]"']
    assert found(lines)[0].data == b'[2,"7","\xff",{}]'
