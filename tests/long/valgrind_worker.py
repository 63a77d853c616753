"""Run by test_valgrind under memcheck: the native backend's hot and cold paths once each; prints the number of frames."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

from ocppcore import OcppError
from support.backends import codec
from support.corpus import corpus
from support.emit import text_of
from support.frames import RESULT_ID, framed, pending_for, sample_frames
from support.instances import full
from support.model import MODULES, model
from support.mutants import faults, spread


def main() -> int:
    """Frames of every message, mutants, the corpus, cuts; from bytes, str and buffers."""
    rng = Random(3)
    count = 0
    for module in MODULES:
        reader = codec(module, "native")
        version = model(module)
        frames: list[tuple[bytes, Any]] = list(sample_frames(module))
        frames += [(case.data, case.pending) for case in corpus() if case.module == module and len(case.data) < 5_000]
        for payload in version.payloads()[::2]:
            tree = full(version, payload.type_name)
            for mutant in spread(faults(version, payload.type_name, tree, rng), 2, rng):
                frames.append((framed(payload, text_of(mutant.tree)), pending_for(payload)))
        for data, pending in frames[::5]:
            frames.append((data[: rng.randrange(len(data) + 1)], pending))
        for data, pending in frames:
            count += 1
            through(reader, data, pending)
            through(reader, bytearray(data), pending)
            with contextlib.suppress(UnicodeDecodeError):
                through(reader, data.decode(), pending)
        texts = [data for data, _ in frames]
        for many in (texts, b"\n".join(texts), bytearray(b"\r\n".join(texts))):
            reader.decode_many(many)
            reader.validate_many(many, threads=3)
    return count


def through(reader: Any, data: Any, pending: Any) -> None:
    with contextlib.suppress(OcppError):
        reader.validate(data, pending=pending)
    with contextlib.suppress(OcppError):
        _ = reader.peek(data).payload
    try:
        frame = reader.decode(data, pending=pending)
        reader.encode(frame)
        if pending:
            reader.encode(reader.resolve(reader.decode(data), pending.get(RESULT_ID) or next(iter(pending.values()))))
    except OcppError as error:
        str(error)
        error.reply()
    except (TypeError, ValueError):
        pass  # `resolve` of what is no result


if __name__ == "__main__":
    print(main())
