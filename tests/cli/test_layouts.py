"""Frames are found where they lie: alone on a line, in a CSV column, inside log lines of several makers."""

from __future__ import annotations

import pytest

from ocppcore.log.layouts import Layout, NoSuchColumn, Record, read, recognise

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
    assert found([b"a line without", line], name="log") == [Record(2, station, data)]


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
    assert recognise(lines) == Layout("csv", delimiter, 3, 1, True)
    assert found(lines) == [
        Record(2, "A", CALL), Record(3, "B", CALL), Record(4, "A", b'[3, "7",\n{}]'), Record(7, "A", b'[3,"8",{}]'),
    ]  # fmt: skip


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
