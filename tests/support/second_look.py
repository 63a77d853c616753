"""The fuzz target of a policy's second look: what is decided fault by fault is what the whole walk decides.

A round bends a frame of the corpus and compares, for both backends and two policies, frame, findings and extras, or the refusal. What a run finds is one
line of tests/corpus/field/second_look.jsonl: the ordinary tests replay them all, and `tests/long/test_second_look.py` goes on searching.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ocppcore import Codec, OcppError, Policy, Tolerated

from .corpus import CORPUS, corpus

if TYPE_CHECKING:
    from random import Random

FOUND = CORPUS / "field/second_look.jsonl"
SUBPROTOCOLS = {"v16": "ocpp1.6", "v201": "ocpp2.0.1", "v21": "ocpp2.1"}
POLICIES = (Policy.tolerant, Policy.observe)
PIECES = (
    *(b'"', b",", b":", b"[", b"]", b"{", b"}", b"null", b"1", b"-1.5", b"0.0", b"1e2", b"9223372036854775808", b'""', b'"x"'),
    *(b"\0", b"\\", b"\\u0041", b"\\ud800", b"true", b"[]", b"{}", b"\xc3\xbc", b"\xff", b" ", b'"1"', b',"vendor":1', b'"a/b~c":"",'),
)  # fmt: skip

VALUES: tuple[Any, ...] = (None, 1, -1, 0.5, 1e19, True, "", "1", "x" * 600, "true", "2026-01-02T03:04:05", [], {}, [1])


class Bent(NamedTuple):
    """Data for a version, and the calls it may answer."""

    subprotocol: str
    data: bytes
    pending: dict[str, str] | None


@cache
def seeds() -> list[Bent]:
    """The frames that are bent: those from the field, and the written corpus of all versions."""
    lines = (CORPUS / "field/tolerated.jsonl").read_text(encoding="utf-8").splitlines()
    field = [Bent("ocpp1.6", case["data"].encode(), case.get("pending")) for case in map(json.loads, lines)]
    written = [Bent(SUBPROTOCOLS[case.module], case.data, case.pending) for case in corpus()]
    return field + [of for of in written if len(of.data) < 4_000]


def found() -> list[Bent]:
    """What runs have found, and what is worth trying."""
    lines = map(json.loads, FOUND.read_text(encoding="utf-8").splitlines())
    return [Bent(line["subprotocol"], bytes.fromhex(line["hex"]), line.get("pending")) for line in lines]


def bent(random: Random) -> Bent:
    """A seed bent as a text, which mostly breaks it, or as JSON, which mostly leaves single faults, such as a policy lets pass."""
    chosen = random.choice(seeds())
    if random.random() < 0.75 and (tree := _tree(chosen.data)):
        for _ in range(random.randint(1, 3)):
            _bend(random, tree[-1])
        return chosen._replace(data=json.dumps(tree, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace"))
    data = chosen.data
    for _ in range(random.randint(1, 3)):
        at = random.randint(0, len(data))
        length = random.choice((0, 0, 1, 1, 2, 4, 16))
        data = data[:at] + _piece(random, chosen) + data[at + length :]
    return chosen._replace(data=data)


def _tree(data: bytes) -> list[Any] | None:
    """The frame as JSON, if it is one with a payload that holds something."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, list) and tree and isinstance(tree[-1], dict) and tree[-1] else None


def _bend(random: Random, of: Any) -> None:
    """Changes one value somewhere in an object or a list, leaves it out, or puts an unknown field beside it."""
    places = list(range(len(of))) if isinstance(of, list) else list(of)
    if not places:
        return
    place = random.choice(places)
    value = of[place]
    if isinstance(value, dict | list) and random.random() < 0.9:
        _bend(random, value)
    elif random.random() < 0.15 and isinstance(of, dict):
        if random.random() < 0.5:
            of[random.choice(("vendor", "a/b~c", str(place).swapcase(), ""))] = deepcopy(random.choice(VALUES))
        else:
            del of[place]
    elif isinstance(value, str) and random.random() < 0.7:
        of[place] = random.choice(
            (value.swapcase(), value + " ", value * 9, value[:-1], value + "ü", value[:-1] + "+00:00")
        )
    else:
        of[place] = deepcopy(random.choice((*VALUES, str(value))))


def _piece(random: Random, chosen: Bent) -> bytes:
    if random.random() < 0.85:
        return random.choice((b"", *PIECES))
    other = random.choice(seeds())
    of = other if other.subprotocol == chosen.subprotocol else chosen
    at = random.randint(0, len(of.data))
    return of.data[at : at + random.randint(1, 24)]


@cache
def _codec(subprotocol: str, backend: str, policy: Policy) -> Any:
    return Codec(subprotocol, backend=backend).extend(policy=policy)


def _short(given: Bent, codec: Any) -> Any:
    try:
        return codec.decode_with_findings(given.data, given.pending)
    except OcppError as error:
        return error.kind, error.path, error.offset, str(error)


def _whole(given: Bent, codec: Any) -> Any:
    """The same by the whole walk alone."""
    try:
        return Tolerated(codec._strict.decode(given.data, given.pending), [], {})
    except OcppError:
        outcome = codec._tolerance().frame(given.data, given.pending)
    if outcome.refused:
        return outcome.error.kind, outcome.error.path, outcome.error.offset, str(outcome.error)
    return Tolerated(outcome.value, outcome.findings(), outcome.extras)


def differences(given: Bent, backends: tuple[str, ...]) -> list[str]:
    """Where the two ways part, in words; empty if they agree."""
    parted: list[str] = []
    for policy in POLICIES:
        for backend in backends:
            codec = _codec(given.subprotocol, backend, policy)
            whole = _whole(given, codec)
            for turn in ("first", "again"):  # what was decided once is known the second time
                short = _short(given, codec)
                # NaN cannot come, so that equal values are equal.
                if short != whole:
                    parted.append(f"{backend}, {turn}: {short!r} by the short look, {whole!r} by the whole walk")
    return parted


def line_of(given: Bent) -> str:
    """A find as a line of `FOUND`."""
    entry: dict[str, Any] = {"subprotocol": given.subprotocol, "hex": given.data.hex()}
    return json.dumps(entry | ({"pending": given.pending} if given.pending else {}))
