"""The quickest look at a fault: what the policy decides about one value, so that the walk which has met it goes on as if nothing had been.

    strict check ─ fault of a scalar, or an unknown key ─ settled ─ ... the same walk goes on

The native engine remembers what it is told here, for the same value, for every value of the same shape, or for all that stand at the place: it
asks once, and a station errs in the same way all day. The Python engine's walk asks whether a value may be kept. What cannot be told
from the value and its field alone is refused here, and left to `_stepwise.py` and `_tolerant.py`.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import cycle
from typing import TYPE_CHECKING, NoReturn

import msgspec

from ._pure.text import Fault
from ._pure.walk import IGNORED, LAST_FAULTS, REFUSED, TOLD
from ._repairs import ABSENT, Place, rewritten
from ._tolerant import field_at, keep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._policy import Policy, PolicyRule
    from ._pure.schema import Field, ObjectType
    from ._tolerant import Tolerance

# Repairs that look at no digit: what they do to one value they do to every one of its shape.
_BLIND = frozenset(("as_string", "as_number", "date_separator", "zone_minutes", "assume_utc"))
# A pattern of pointers that looks at the last step alone, which is all that is known here.
_of_the_last_step = re.compile(r"\*\*(?:/(?!.*\*\*)[^/]*)?").fullmatch
_digits = re.compile(r"[0-9]+")
_LONGEST_SHAPE = (
    64  # characters of a value by which others are known: to compare long ones takes longer than linear time
)
_A_DATE = ("2345", "06", "17", "18", "29", "34")


class _TooMuch(Exception):
    """What is around the value would have to be known."""


class _Surroundings:
    """A value's field is all that is known."""

    def __init__(self, field: Field | None) -> None:
        self._field = field

    def field(self, path: str) -> Field | None:
        """The field, or the item of a list."""
        return self._field

    def keys_beside(self, path: str) -> NoReturn:
        """Not known here."""
        raise _TooMuch

    def elements(self) -> NoReturn:
        """Not known here."""
        raise _TooMuch


def settle(
    tolerance: Tolerance,
    payload: str,
    kind: str,
    of: str,
    name: str | None,
    in_item: bool,
    expected: object,
    token: str,
) -> tuple[str, object]:
    """What is done about a fault in a payload of the type `payload`: in the field `name` of the type `of`, or an item of it, or with its unknown key.

    `token` is the JSON text of the value, or of the key. The answer is a word, and what belongs to it:

    - "refuse", "report", "ignore": about this token; "refuse_all", "report_all", "ignore_all": about every one
    - "leave_out": the field counts as absent
    - "read": this text is read in the token's place
    - "edit": what stands from a place to another becomes a text, here and in all tokens that differ from this one in their digits alone
    """
    if not _is_told_by_the_last_step(tolerance.policy, kind):
        return "refuse_all", None
    step = _step(token) if name is None else name
    path = f"/{step}/0" if in_item else f"/{step}"
    field = None if name is None else _field(tolerance.schema.types[of], name, in_item)
    place = Place(Fault(kind, path, 0, expected), _Surroundings(field))
    entries = tolerance.entries(kind, tolerance.action_of(payload), path)
    try:
        return _decided(entries, place, token)
    except _TooMuch:
        return "refuse", None


def passes(tolerance: Tolerance, payload: ObjectType, kind: str, path: str, expected: object, token: str) -> int:
    """Whether the value, or the unknown key, with this JSON text stays as it came, in a payload of a type: REFUSED, IGNORED or TOLD.

    The tolerance remembers it.
    """
    entries = tolerance.entries(kind, tolerance.action_of(payload.name), path)
    place = Place(Fault(kind, path, 0, expected), _Surroundings(field_at(payload, path)))
    try:
        word, _ = _decided(entries, place, token)
    except _TooMuch:
        word = "refuse"
    passed = {"report": TOLD, "ignore": IGNORED}.get(word.removesuffix("_all"), REFUSED)
    keep(tolerance.passed, (payload.name, kind, path, token), passed, len(path) + len(token))
    return passed


def _decided(entries: Iterable[PolicyRule], place: Place, token: str) -> tuple[str, object]:
    about = "_all"  # while no repair has looked at the token
    blind = True  # while none has looked at its digits
    for rule in entries:
        if rule.verdict == "repair":
            about = ""
            blind = blind and not rule.values
            place.values = rule.values
            made = rewritten(rule.repair, place, token)
            if made is None:
                continue
            new, done = made
            if new == ABSENT:
                return "leave_out", None
            edits = _edits(rule, place, token, new) if blind and _BLIND.issuperset(done) else None
            return ("read", new) if edits is None else ("edit", edits)
        if rule.verdict != "refuse" and place.kind in LAST_FAULTS:
            return f"{rule.verdict}{about}", None
        break
    return f"refuse{about}", None


def _edits(rule: PolicyRule, place: Place, token: str, new: str) -> tuple[tuple[int, int, str], ...] | None:
    """What a repair does to every token of this one's shape; None where that cannot be told."""
    if len(token) > _LONGEST_SHAPE or not (token.isascii() and new.isascii()):
        return None
    probe = _with_digits_of_its_own(token, is_date=place.expected == "date-time")
    made = rewritten(rule.repair, place, probe)
    if made is None:
        return None
    matcher = SequenceMatcher(None, probe, made[0], autojunk=False)
    edits = tuple((i, j, made[0][k:n]) for tag, i, j, k, n in matcher.get_opcodes() if tag != "equal")
    return edits if _edited(token, edits) == new else None


def _edited(token: str, edits: tuple[tuple[int, int, str], ...]) -> str:
    parts: list[str] = []
    kept_from = 0
    for start, stop, text in edits:
        parts += token[kept_from:start], text
        kept_from = stop
    return "".join([*parts, token[kept_from:]])


def _with_digits_of_its_own(token: str, *, is_date: bool) -> str:
    """A token of the same shape in which digits that belong together are told from others."""
    runs = iter(_A_DATE) if is_date else iter(())
    others = cycle("123456789")

    def other(match: re.Match[str]) -> str:
        run = next(runs, "")
        if len(run) == len(match[0]):
            return run
        zone = is_date and token[match.start() - 1] in "+-:"
        return "0845"[: len(match[0])] if zone else "".join(next(others) for _ in match[0])

    return _digits.sub(other, token)


def _is_told_by_the_last_step(policy: Policy, kind: str) -> bool:
    meant = (rule for rule in policy.rules if kind in rule.rule or "*" in rule.rule)
    return all(_of_the_last_step(pattern) for rule in meant for pattern in rule.pointer)


def _field(type_: ObjectType, name: str, in_item: bool) -> Field | None:
    field = type_.by_name[name]
    return field.item if in_item else field


def _step(token: str) -> str:
    """The step of a pointer to the field that has this key."""
    key: str = msgspec.json.decode(token)
    return key.replace("~", "~0").replace("/", "~1")
