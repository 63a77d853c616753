"""The other paths of the codec, each beside what it is to be compared with: orders of keys, input that is not plain, refusals, peek, cliffs.

    python -m benches.paths [--rounds 40] [--no-write | --smoke]

As in benches/decode.py it first proves equal values or equal refusals, then takes time in one process, in interleaved rounds, and keeps the
best of each. Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec
import orjson

from benches.baseline import DECODERS
from benches.contenders import official_schema
from benches.core import broken, payload_changed, reordered, with_text
from benches.decode import plain, prove_same_work, two_steps
from benches.frames import Kind, run_seed, text
from benches.measure import Work, arguments, best_rounds, settled
from benches.results import facts, geometric_mean, keep_figures, marker, write_section
from ocppcore import Codec, OcppError

SMALL = ("Heartbeat", "BootNotification", "StatusNotification")
TEXTS = ("BootNotification", "StatusNotification")
"""Kinds of which every frame has texts of its own that may hold any character."""

SHARED, DISTINCT = "schema's order", "schema's order, all leaves distinct"
NOT_SHARED = "schema's order, leaves not shared"
ALPHABETICAL, SHUFFLED = "alphabetical", "every object shuffled"
EMPTY: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}

Table = dict[str, dict[str, float]]
"""Row -> kind -> a ratio."""
Change = Callable[[bytes], bytes]


# --- the frames, rewritten -------------------------------------------------------------------------


def spaced(frame: bytes) -> bytes:
    """With a blank after each comma and colon, as `json.dumps` writes."""
    return json.dumps(json.loads(frame), ensure_ascii=False).encode()


def pretty(frame: bytes) -> bytes:
    return json.dumps(json.loads(frame), ensure_ascii=False, indent=2).encode()


def orders(random: Random) -> dict[str, Change]:
    """The three orders of keys, compact and spaced; the shuffled one is another for every object."""
    shuffled = payload_changed(reordered(lambda keys: random.sample(keys, len(keys))))
    compact: dict[str, Change] = {
        SHARED: lambda frame: frame,
        ALPHABETICAL: payload_changed(reordered(sorted)),
        SHUFFLED: shuffled,
    }

    def with_blanks(of: Change) -> Change:
        return lambda frame: spaced(of(frame))

    spread = {f"{name}, spaced": with_blanks(of) for name, of in compact.items()}
    return {SHARED: compact[SHARED], DISTINCT: distinct_leaves(random)} | compact | spread


def distinct_leaves(random: Random) -> Change:
    """Makes every small object of scalars another one than all others, so that none can be shared between messages."""

    def change(value: Any, key: str = "") -> Any:
        if value.__class__ is list:
            return [change(item, key) for item in value]
        if value.__class__ is not dict:
            return value
        made: dict[str, Any] = {name: change(item, name) for name, item in value.items()}
        if key == "evse":
            made["id"] = random.randrange(10**9)
        elif key == "unitOfMeasure":
            made["unit"] = text(random, 10)
        elif key == "variable":
            made["instance"] = text(random, 12)
        return made

    return payload_changed(change)


def escaped(frame: bytes) -> bytes:
    """What stands as DEL as an escape of a letter that is not ASCII."""
    return frame.replace(b"\x7f", b"\\u00e9")


def optional_dropped(kind: Kind, random: Random) -> Change:
    """Leaves out each optional field of each object in two of five cases, as the Python class of the payload names them."""
    first: Any = Codec(kind.subprotocol).decode(kind.frames[0])
    root: Any = first.payload.__class__

    def drop(value: Any, of: Any) -> Any:
        if value.__class__ is list:
            return [drop(item, of) for item in value]
        if value.__class__ is not dict or of is None:
            return value
        kept: dict[str, Any] = {}
        for field in msgspec.structs.fields(of):
            if field.encode_name in value and (field.required or random.random() < 0.6):
                kept[field.encode_name] = drop(value[field.encode_name], struct_in(field.type))
        return kept

    def change(value: Any) -> Any:
        return drop(value, root)

    return payload_changed(change)


def struct_in(kind: Any) -> Any:
    """The Struct class somewhere in an annotation, or None."""
    if kind.__class__ is msgspec.Struct.__class__:
        return kind
    parts: tuple[Any, ...] = getattr(kind, "__args__", ())
    return next((found for part in parts if (found := struct_in(part))), None)


def faulty(share: float) -> Change:
    """Puts a list for the scalar that lies so far into the payload, 0 to 1; an unknown key where there is none."""
    return payload_changed(broken(share, []))


# --- the paths -------------------------------------------------------------------------------------


def refusing(decode: Work) -> Work:
    """Decode of a frame that must be refused; all that a server wants to know of the refusal is read."""

    def refuse(frame: bytes) -> tuple[Any, ...]:
        try:
            decode(frame)
        except OcppError as error:
            return error.kind, error.path, error.offset, str(error)
        raise AssertionError("the frame was accepted")

    return refuse


def refusing_as_msgspec(decode: Work) -> Work:
    """The same with msgspec, whose text holds all there is to know."""

    def refuse(frame: bytes) -> str:
        try:
            decode(frame)
        except msgspec.DecodeError as error:
            return str(error)
        raise AssertionError("the frame was accepted")

    return refuse


def with_vendor_messages(kind: Kind) -> tuple[Codec[Any], list[bytes]]:
    """A codec that knows a copy of the kind's schema under a vendor's name, and frames of it."""
    name = "Vendor" + kind.action
    codec = Codec(kind.subprotocol, backend="native").extend(
        messages={name: {"request": tidy(official_schema(kind.action)), "response": EMPTY}}
    )
    return codec, [frame.replace(f'"{kind.action}"'.encode(), f'"{name}"'.encode(), 1) for frame in kind.frames]


def tidy(schema: Any) -> Any:
    """An official schema without the `additionalProperties` that 1.6 says of strings too, which mean nothing there."""
    if schema.__class__ is list:
        return [tidy(item) for item in schema]
    if schema.__class__ is not dict:
        return schema
    text: bool = schema.get("type") == "string"
    return {key: tidy(item) for key, item in schema.items() if not (text and key == "additionalProperties")}


def without_sharing(subprotocol: str) -> Codec[Any]:
    """A codec that makes every leaf anew. Codecs of a version share its tables, so these are made apart and forgotten again."""
    tables = Codec(subprotocol, backend="native")._settings.vocabulary.tables  # pyright: ignore[reportPrivateUsage]
    kept = tables.pop("native")
    os.environ["OCPPCORE_SHARE_LEAVES"] = "0"
    try:
        return Codec(subprotocol, backend="native")
    finally:
        del os.environ["OCPPCORE_SHARE_LEAVES"]
        tables["native"] = kept


def prove_sharing(kind: Kind, shared: Codec[Any], apart: Codec[Any]) -> None:
    """Both codecs give the same, and no part of a message of the second is a part of another."""
    for frame in kind.frames:
        assert apart.decode(frame) == shared.decode(frame)
    first, again = apart.decode(kind.frames[0]), apart.decode(kind.frames[0])
    assert structs_of(first.payload).isdisjoint(structs_of(again.payload))


def structs_of(value: Any) -> set[int]:
    """The identities of all Structs that have fields in a payload."""
    if value.__class__ is list:
        return set[int]().union(*map(structs_of, value))
    if not isinstance(value, msgspec.Struct):
        return set()
    inner = (structs_of(getattr(value, name)) for name in value.__struct_fields__)
    return {id(value)}.union(*inner)


def order_tables(kinds: Sequence[Kind], rounds: int) -> tuple[Table, Table]:
    """Decode over msgspec typed, and over msgspec in two steps, for each way of writing the frames."""
    typed: Table = {}
    steps: Table = {}
    for kind in kinds:
        codec = Codec(kind.subprotocol, backend="native")
        apart = without_sharing(kind.subprotocol)
        prove_sharing(kind, codec, apart)
        ways = [(NOT_SHARED, apart, orders(Random(run_seed()))[SHARED])]
        ways += [(name, codec, change) for name, change in orders(Random(run_seed())).items()]
        for name, ours, change in ways:
            written = kind._replace(frames=[change(frame) for frame in kind.frames])
            prove_same_work(written)
            works: dict[str, tuple[Work, list[bytes]]] = {
                "ours": (ours.decode, written.frames),
                "typed": (DECODERS[kind.action].decode, written.frames),
                "steps": (two_steps(), written.frames),
            }
            best = best_rounds(works, rounds)
            typed.setdefault(name, {})[kind.name] = best["ours"] / best["typed"]
            steps.setdefault(name, {})[kind.name] = best["ours"] / best["steps"]
    return typed, steps


def path_table(kinds: Sequence[Kind], rounds: int) -> Table:
    """The other paths, each over what its row names."""
    table: Table = {}
    for kind in kinds:
        for row, share in path_shares(kind, rounds):
            table.setdefault(row, {})[kind.name] = share
    return table


VALIDATE = "validate / orjson.loads"
ERROR_ACCEPT, ERROR_MSGSPEC = (
    "a late fault, all read / accepting",
    "a late fault, all read / msgspec typed and its text",
)
NOT_ASCII, ESCAPES = "texts not ASCII / msgspec typed", "texts with \\u / msgspec typed"
TEXT = "str / bytes"
CLIFF_ORDER, CLIFF_SHAPE = f"{SHUFFLED} / usual", "optional fields come and go / usual, per byte"
CLIFF_VENDOR, CLIFF_ERROR = "a vendor's messages / built-in", "a fault in the middle, all read / accepting"
CLIFF_PRETTY, PRETTY_BYTES = "pretty-printed / usual", "pretty-printed / usual, per byte"


def path_shares(kind: Kind, rounds: int) -> Iterator[tuple[str, float]]:
    """The rows of one kind."""
    random = Random(run_seed())
    codec = Codec(kind.subprotocol, backend="native")
    decode, validate, typed = codec.decode, codec.validate, DECODERS[kind.action].decode

    def changed(change: Change) -> list[bytes]:
        return [change(frame) for frame in kind.frames]

    not_ascii = changed(payload_changed(with_text(lambda text: text[:-3] + "äЖ中"[: len(text)])))
    in_hex = changed(lambda frame: escaped(payload_changed(with_text(lambda text: text[:-1] + "\x7f"))(frame)))
    for frames in (not_ascii, in_hex):
        for frame in frames:
            assert plain(decode(frame).payload) == plain(typed(frame)[3])
    texts = [frame.decode() for frame in kind.frames]
    assert [decode(text) for text in texts] == [decode(frame) for frame in kind.frames]
    indented = changed(pretty)
    late, middle = changed(faulty(1)), changed(faulty(0.5))
    dropped, shuffled = changed(optional_dropped(kind, random)), changed(orders(random)[SHUFFLED])
    vendor, vendor_frames = with_vendor_messages(kind)
    assert [plain(vendor.decode(frame).payload) for frame in vendor_frames[:20]] == [
        plain(decode(frame).payload) for frame in kind.frames[:20]
    ]
    # Each group is one interleaved measurement, so that what a ratio compares was taken in the same minute.
    best = best_rounds(
        {
            "usual": (decode, kind.frames),
            "validate": (validate, kind.frames),
            "orjson": (orjson.loads, kind.frames),
            "text": (decode, texts),
            "not ascii": (decode, not_ascii),
            "not ascii, typed": (typed, not_ascii),
            "escapes": (decode, in_hex),
            "escapes, typed": (typed, in_hex),
            "late": (refusing(decode), late),
            "late, typed": (refusing_as_msgspec(typed), late),
            "middle": (refusing(decode), middle),
            "shuffled": (decode, shuffled),
            "dropped": (decode, dropped),
            "vendor": (vendor.decode, vendor_frames),
            "pretty": (decode, indented),
        },
        rounds,
    )
    yield VALIDATE, best["validate"] / best["orjson"]
    yield TEXT, best["text"] / best["usual"]
    yield NOT_ASCII, best["not ascii"] / best["not ascii, typed"]
    yield ESCAPES, best["escapes"] / best["escapes, typed"]
    yield ERROR_ACCEPT, best["late"] / best["usual"]
    yield ERROR_MSGSPEC, best["late"] / best["late, typed"]
    yield CLIFF_ORDER, best["shuffled"] / best["usual"]
    shorter = sum(map(len, dropped)) / sum(map(len, kind.frames))
    yield CLIFF_SHAPE, best["dropped"] / best["usual"] / shorter
    yield CLIFF_VENDOR, best["vendor"] / best["usual"]
    yield CLIFF_ERROR, best["middle"] / best["usual"]
    yield CLIFF_PRETTY, best["pretty"] / best["usual"]
    yield PRETTY_BYTES, best["pretty"] / best["usual"] / (sum(map(len, indented)) / sum(map(len, kind.frames)))


def peeks(kinds: Sequence[Kind], rounds: int) -> dict[str, tuple[float, float]]:
    """Bytes of the frame -> nanoseconds of peek, and of reading the envelope with msgspec."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
    found: dict[str, tuple[float, float]] = {}
    for size, action in (("60 B", "Heartbeat"), ("3 kB", "MeterValues")):
        kind = next(kind for kind in kinds if kind.action == action)
        peek = Codec(kind.subprotocol, backend="native").peek
        for frame in kind.frames:
            head = peek(frame)
            assert (head.id, head.action) == envelope(frame)[1:3]
        best = best_rounds({"peek": (peek, kind.frames), "envelope": (envelope, kind.frames)}, rounds)
        found[size] = best["peek"], best["envelope"]
    return found


# --- the report ------------------------------------------------------------------------------------


def figures(typed: Table, steps: Table, paths: Table, heads: dict[str, tuple[float, float]]) -> dict[str, float]:
    """What the targets ask for."""

    def worst(row: str, wanted: Callable[[str], bool] = lambda _: True) -> float:
        return max(share for kind, share in paths[row].items() if wanted(kind.split()[0]))

    def large(action: str) -> bool:
        return action not in SMALL

    return {
        "typed_apart_mean": geometric_mean(typed[NOT_SHARED].values()),
        "typed_apart": max(typed[NOT_SHARED].values()),
        "two_steps_apart_mean": geometric_mean(steps[NOT_SHARED].values()),
        "two_steps_apart": max(steps[NOT_SHARED].values()),
        "typed_distinct_mean": geometric_mean(typed[DISTINCT].values()),
        "typed_distinct": max(typed[DISTINCT].values()),
        "two_steps_distinct_mean": geometric_mean(steps[DISTINCT].values()),
        "two_steps_distinct": max(steps[DISTINCT].values()),
        "typed_alphabetical": max(typed[ALPHABETICAL].values()),
        "typed_shuffled": max(typed[SHUFFLED].values()),
        "validate_orjson": geometric_mean(paths[VALIDATE].values()),
        "peek_small": heads["60 B"][0] / heads["60 B"][1],
        "peek_large": heads["3 kB"][0] / heads["3 kB"][1],
        "error_accept": worst(ERROR_ACCEPT, large),
        "error_msgspec": worst(ERROR_MSGSPEC, SMALL.__contains__),
        "not_ascii": worst(NOT_ASCII, TEXTS.__contains__),
        "escapes": worst(ESCAPES, TEXTS.__contains__),
        "text_input": worst(TEXT),
        "cliff_order": worst(CLIFF_ORDER),
        "cliff_shape": worst(CLIFF_SHAPE),
        "cliff_vendor": worst(CLIFF_VENDOR),
        "cliff_error": worst(CLIFF_ERROR, large),
        "cliff_pretty": worst(CLIFF_PRETTY),
    }


def rows_of(table: Table, kinds: Sequence[Kind], what: str) -> list[str]:
    """A table in Markdown."""
    return [
        f"| {what} | " + " | ".join(kind.name for kind in kinds) + " |",
        "|---|" + "--:|" * len(kinds),
        *(f"| {name} | " + " | ".join(f"{row[kind.name]:.2f}" for kind in kinds) + " |" for name, row in table.items()),
        "",
    ]


def report(
    kinds: Sequence[Kind], typed: Table, steps: Table, paths: Table, heads: dict[str, tuple[float, float]], rounds: int
) -> str:
    """The results in Markdown."""
    lines = [
        "# The other paths",
        "",
        marker("paths"),
        "",
        *facts(("msgspec", "orjson", "ocppcore"), f"`python -m benches.paths --rounds {rounds}`", run_seed()),
        "",
        f"Ratios of the best of {rounds} interleaved rounds in one process: below 1, what is named first is the faster.",
        "Small leaves that repeat themselves are shared between messages (docs/decisions/0010), and are in all rows but *leaves not shared*, where that",
        "is turned off: these count. *All leaves distinct* are the same frames with every small leaf unlike all others, so that sharing finds nothing.",
        "",
        *rows_of(typed, kinds, "decode / msgspec typed, keys in"),
        *rows_of(steps, kinds, "decode / msgspec in two steps, keys in"),
        *rows_of(paths, kinds, "path"),
        "| frame | peek, ns | msgspec's envelope with Raw, ns | share |",
        "|---|--:|--:|--:|",
        *(
            f"| {size} | {ours:.0f} | {theirs:.0f} | **{ours / theirs:.2f}** |"
            for size, (ours, theirs) in heads.items()
        ),
        "",
        "*All read*: kind, pointer, offset and the text of the error, which names the fault. msgspec's text is all that it has.",
        "",
    ]
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> None:
    """Prove, measure, print, write."""
    kinds, rounds, write = settled(arguments("paths", "The other paths of the codec.", 40).parse_args(given))
    typed, steps = order_tables(kinds, rounds)
    paths = path_table(kinds, rounds)
    heads = peeks(kinds, rounds)
    text = report(kinds, typed, steps, paths, heads, rounds)
    print(text)
    if write:
        write_section("paths", text)
        keep_figures("paths", figures(typed, steps, paths, heads))


if __name__ == "__main__":
    main()
