"""Every message of every version there and back: minimal, full and boundary instances, on both backends.

Decoded, encoded and decoded again a frame is equal (times at milliseconds); encoding is canonical and byte-stable.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from support.backends import BACKENDS, codec
from support.emit import text_of
from support.frames import framed, pending_for, sample_frames
from support.instances import boundary, full, minimal, sample
from support.model import MODULES, model


def settled(value: Any) -> Any:
    """The value for comparison after a round trip: types count, times are at milliseconds, zero has no sign."""
    if isinstance(value, msgspec.Struct):
        return (type(value), *(settled(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, dict):
        return (dict, *((key, settled(item)) for key, item in value.items()))
    if isinstance(value, list):
        return (list, *map(settled, value))
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return (datetime, utc.replace(microsecond=utc.microsecond // 1000 * 1000))
    return (type(value), value)


def travels(module: str, backend: str, data: bytes, pending: Any) -> bytes:
    """There and back twice; returns the canonical bytes."""
    reader = codec(module, backend)
    first = reader.decode(data, pending=pending)
    once = reader.encode(first)
    second = reader.decode(once, pending=pending)
    assert settled(second) == settled(first)
    assert reader.encode(second) == once
    assert reader.decode(reader.encode(second), pending=pending) == second
    return once


def canonical(data: bytes) -> bytes:
    """The text as Python's own writer would write it: compact, UTF-8, the order of keys kept."""
    return json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("module", MODULES)
def test_minimal_and_full_instances(module: str, backend: str) -> None:
    version = model(module)
    for payload in version.payloads():
        for tree in (minimal(version, payload.type_name), full(version, payload.type_name)):
            data = framed(payload, text_of(tree))
            written = travels(module, backend, data, pending_for(payload))
            assert written == canonical(written)
            in_order = json.loads(data, object_pairs_hook=list), json.loads(written, object_pairs_hook=list)
            assert in_order[0] == in_order[1], payload


@pytest.mark.parametrize("module", MODULES)
def test_boundary_instances(module: str, backend: str) -> None:
    version = model(module)
    for payload in version.payloads():
        for turn in range(5 if backend == "native" else 2):
            text = text_of(boundary(version, payload.type_name, turn))
            if len(text) < 60_000 or turn < 2:
                written = travels(module, backend, framed(payload, text), pending_for(payload))
                assert written == canonical(written)


@pytest.mark.parametrize("module", MODULES)
def test_random_instances_in_odd_spellings(module: str, backend: str) -> None:
    rng = Random(f"round trip {module}")
    version = model(module)
    for payload in version.payloads():
        for _ in range(3):
            data = framed(payload, text_of(sample(version, payload.type_name, rng), rng))
            travels(module, backend, data, pending_for(payload))


@pytest.mark.parametrize("module", MODULES)
def test_both_backends_write_the_same_bytes(module: str) -> None:
    for data, pending in sample_frames(module):
        written = {b: codec(module, b).encode(codec(module, b).decode(data, pending=pending)) for b in BACKENDS}
        assert len(set(written.values())) == 1, written
        for reader in BACKENDS:  # a frame that one backend read is written by the other
            for writer in BACKENDS:
                frame = codec(module, reader).decode(data, pending=pending)
                assert codec(module, writer).encode(frame) == written[writer]


@pytest.mark.parametrize("module", MODULES)
def test_payloads_without_their_frame(module: str, backend: str) -> None:
    """`decode_payload`, `encode_payload` and `from_builtins` agree with the frame's way."""
    rng = Random(f"bare {module}")
    version = model(module)
    reader = codec(module, backend)
    for payload in version.payloads():
        for tree in (full(version, payload.type_name), sample(version, payload.type_name, rng)):
            text = text_of(tree)
            bare = reader.decode_payload(text, payload.action, payload.kind)
            assert bare == reader.decode(framed(payload, text), pending=pending_for(payload)).payload
            written = reader.encode_payload(bare)
            assert reader.encode(reader.decode(framed(payload, text), pending=pending_for(payload))) == framed(
                payload, written
            )
            assert reader.decode_payload(written.decode(), payload.action, payload.kind) == reader.decode_payload(
                bytearray(written), payload.action, payload.kind
            )
            built = reader.from_builtins(payload.action, payload.kind, json.loads(written))
            assert settled(built) == settled(reader.decode_payload(written, payload.action, payload.kind))


@pytest.mark.parametrize("module", MODULES)
def test_a_result_kept_raw_is_written_as_it_stood(module: str, backend: str) -> None:
    text = b'{ "any" : [1.0, 1e2, {"a":1,"a":2}], "\\u00e9":"\\/" }'
    frame = codec(module, backend).decode(b'[3 , "1",  ' + text + b" ]")
    assert bytes(frame.payload.data) == text
    assert frame.payload.offset == 11
    again = codec(module, backend).decode(codec(module, backend).encode(frame))
    assert bytes(again.payload.data) == text


@pytest.mark.parametrize("letters", ["é", "é\n", "ÿ\x80a", "ж", "é中", "a\x7f", '"\\', "🙂é"])
def test_texts_of_every_width_and_length(letters: str, backend: str) -> None:
    """A character may take one, two or four bytes in memory, and be written as it is or as an escape."""
    reader = codec("v16", backend)
    for count in (1, 2, 15, 16, 17, 127, 128, 129, 254, 255, 256, 257, 600):
        text = (letters * count)[:count]
        for ascii_only in (False, True):
            written = json.dumps({"vendorId": "v", "data": text}, ensure_ascii=ascii_only)
            read = reader.decode(f'[2,"1","DataTransfer",{written}]').payload.data
            assert read == text
            assert hash(read) == hash(text), "equal texts are kept in the narrowest form, or dicts would not find them"
            assert reader.decode(f'[2,"1","DataTransfer",{written}]'.encode()).payload.data == text
