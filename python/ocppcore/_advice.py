"""What the text of the standard asks for beyond its JSON Schemas: checks that advise, and refuse nothing unless a policy asks for it.

Each form of check is one method here; which fields it looks at, and for what, is data (`schemas/rules.toml`). A check leaves alone what a
schema finds wrong: it looks at values of the right type.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _rules
from ._pure.formats import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set

    from ._pure.tree import Member, Node

_NUMBER = re.compile(r"-?(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?(?:[eE](?P<exponent>[-+]?[0-9]+))?")
_FRACTION = re.compile(r"\.(?P<digits>[0-9]+)")


class Advice(NamedTuple):
    """A rule that is broken: which, under what kind of fault, where (pointer and bytes), and what was expected there."""

    rule: str
    kind: str
    path: str
    start: int
    end: int
    expected: Any


class _Place(NamedTuple):
    """Where a path led: the object that holds the last step, the member if it is there, and the pointer to it."""

    owner: Node
    member: Member | None
    pointer: str

    @property
    def node(self) -> Node | None:
        return None if self.member is None else self.member.node


def advise(payload: Node, checks: _rules.Checks, to_station: bool, told: Set[tuple[str, str]]) -> list[Advice]:
    """What rules of the specification tier say to a payload, in no order; `to_station`: a station is to receive it.

    `told` are the pointers and kinds of the faults that a schema finds: nothing is said of one a second time.
    """
    adviser = _Adviser(checks, to_station)
    adviser.object(payload, "")
    return [one for one in adviser.found if (one.path, one.kind) not in told]


class _Adviser:
    """One walk over a payload's tree."""

    def __init__(self, checks: _rules.Checks, to_station: bool) -> None:
        self.checks = checks
        self.to_station = to_station
        self.found: list[Advice] = []

    def object(self, node: Node, pointer: str) -> None:
        """An object: its members, each by its kind, then what is said of its type."""
        assert node.type is not None  # only objects of a type become nodes with members
        for member in node.members or ():
            if member.field is not None:
                self.value(member.node, member.field, f"{pointer}/{step(member.name)}")
        for check in self.checks.by_type.get(node.type.name, ()):
            says = check.says
            if holds(node, says.get("when", {})) and not ("unless" in says and holds(node, says["unless"])):
                FORMS[check.form](self, check, node, pointer)

    def value(self, node: Node, field: Any, pointer: str) -> None:
        """A value: the items of a list, an object's members, and what is said of every value of a kind."""
        if node.items is not None:
            for index, item in enumerate(node.items):
                self.value(item, field.item, f"{pointer}/{index}")
        elif node.members is not None:
            self.object(node, pointer)
        else:
            for check in self.checks.by_kind.get(field.kind, ()):
                if self.to_station or "to" not in check.says:
                    self.judge(check, node, pointer)

    def tell(self, check: _rules.Check, pointer: str, start: int, end: int, expected: Any) -> None:
        self.found.append(Advice(check.rule, check.kind, pointer, start, end, expected))

    # What one value is judged by

    def value_form(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """Every value at the check's path, the items of a list each for itself."""
        for place in places(node, pointer, check.path):
            if place.node is not None:
                for item, below in items_of(place.node, place.pointer):
                    self.judge(check, item, below)

    def judge(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """A scalar by a form that looks at it alone."""
        expected = JUDGES[check.form](node, check.says) if node.text is not None else None
        if expected is not None:
            self.tell(check, pointer, node.start, node.end, expected)

    # What an object or a list is judged by

    def requires(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """The field has to be there, where the object that would hold it is."""
        for place in places(node, pointer, check.path):
            if place.member is None:
                self.tell(check, place.pointer, place.owner.end - 1, place.owner.end, check.path[-1])

    def any_of(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """One of the fields has to be there."""
        if all(node.get(name) is None for name in check.path):
            self.tell(check, pointer, node.end - 1, node.end, check.path)

    def forbids(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """The field must not be there."""
        for place in places(node, pointer, check.path):
            if place.member is not None:
                self.tell(check, place.pointer, place.member.start, place.member.node.end, None)

    def order(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """A time must not lie before another one beside it."""
        after: str = check.says["after"]
        for place in places(node, pointer, check.path):
            last, first = _time(place.node), _time(place.owner.get(after))
            if last is not None and first is not None and last < first:
                assert place.node is not None  # it has a time
                self.tell(check, place.pointer, place.node.start, place.node.end, f"a time not before {after}")

    def starts(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """The first item of a list has to have a value."""
        by, value = check.says["by"], check.says["value"]
        for place in places(node, pointer, check.path):
            items = [] if place.node is None else place.node.items or []
            first = items[0].get(by) if items else None
            number = _number(first)
            if first is not None and number is not None and number != value:
                self.tell(check, f"{place.pointer}/0/{step(by)}", first.start, first.end, str(value))

    def ascending(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """Each item's number has to be greater than the last one's."""
        by: str = check.says["by"]
        for place in places(node, pointer, check.path):
            last: float | None = None
            for index, item in enumerate((None if place.node is None else place.node.items) or ()):
                at = item.get(by)
                number = _number(at)
                if at is None or number is None:
                    continue
                if last is not None and number <= last:
                    expected = f"more than {last:g}"
                    self.tell(check, f"{place.pointer}/{index}/{step(by)}", at.start, at.end, expected)
                last = number

    def unique(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """No two items may have the same values; letters count the same in either case."""
        for place in places(node, pointer, check.path):
            seen: dict[tuple[str | None, ...], int] = {}
            for index, item in enumerate((None if place.node is None else place.node.items) or ()):
                key = tuple(_folded(_at(item, text.split("."))) for text in check.says["by"])
                first = seen.setdefault(key, index)
                if first != index:
                    self.tell(check, f"{place.pointer}/{index}", item.start, item.end, f"another one than item {first}")

    def count(self, check: _rules.Check, node: Node, pointer: str) -> None:
        """A list has to have so many items."""
        least: int = check.says.get("least", 0)
        most: int | None = check.says.get("most")
        for place in places(node, pointer, check.path):
            at = place.node
            if at is None or at.items is None:
                continue
            if most is not None and len(at.items) > most:
                surplus = at.items[most]
                self.tell(check, place.pointer, surplus.start, surplus.end, f"at most {most}")
            elif len(at.items) < least:
                self.tell(check, place.pointer, at.end - 1, at.end, f"at least {least}")


def _range(node: Node, says: dict[str, Any]) -> Any:
    number = _number(node)
    low, high = says.get("low"), says.get("high")
    if number is None or ((low is None or number >= low) and (high is None or number <= high)):
        return None
    if low is None or high is None:
        return f"at most {high}" if low is None else f"at least {low}"
    return str(low) if low == high else f"{low} to {high}"


def _digits(node: Node, says: dict[str, Any]) -> Any:
    match = None if node.is_string else _NUMBER.fullmatch(node.text or "")
    if match is None:
        return None
    fraction = (match["fraction"] or "").rstrip("0")
    exponent = match["exponent"] or "0"
    # An exponent of more digits than this is one that no double has: a schema finds that.
    shift = int(exponent) if len(exponent) < 6 else 0
    digits = (match["whole"] + fraction).strip("0")
    trailing = 0 if fraction else len(match["whole"]) - len(match["whole"].rstrip("0"))
    places = len(fraction) - trailing - shift if digits else 0
    most: int = says["most"]
    return f"at most {most} decimal place{'' if most == 1 else 's'}" if places > most else None


def _fraction(node: Node, says: dict[str, Any]) -> Any:
    match = _FRACTION.search(node.text or "")
    too_many = match is not None and len(match["digits"]) > says["most"] and _time(node) is not None
    return f"at most {says['most']} digits behind the second" if too_many else None


def _pattern(node: Node, says: dict[str, Any]) -> Any:
    fits = not node.is_string or _compiled(says["pattern"]).fullmatch(node.text or "") is not None
    return None if fits else says["expected"]


def _allows(node: Node, says: dict[str, Any]) -> Any:
    values: list[str] = says["values"]
    return None if not node.is_string or node.text in values else tuple(values)


FORMS: dict[str, Callable[[_Adviser, _rules.Check, Node, str], None]] = {
    "range": _Adviser.value_form,
    "digits": _Adviser.value_form,
    "fraction": _Adviser.value_form,
    "pattern": _Adviser.value_form,
    "allows": _Adviser.value_form,
    "requires": _Adviser.requires,
    "any_of": _Adviser.any_of,
    "forbids": _Adviser.forbids,
    "order": _Adviser.order,
    "starts": _Adviser.starts,
    "ascending": _Adviser.ascending,
    "unique": _Adviser.unique,
    "count": _Adviser.count,
}
# The forms that look at one value: what was expected of it, None where nothing is wrong.
JUDGES: dict[str, Callable[[Node, dict[str, Any]], Any]] = {
    "range": _range,
    "digits": _digits,
    "fraction": _fraction,
    "pattern": _pattern,
    "allows": _allows,
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def step(name: str) -> str:
    """A key as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def holds(node: Node, condition: dict[str, Any]) -> bool:
    """Whether the fields of an object are as a condition says: there, or with one of some values. None of them: it holds."""
    for text, values in condition.items():
        at = _at(node, text.split("."))
        if values is True:
            if at is None:
                return False
        elif at is None or at.text is None or at.text.casefold() not in {str(value).casefold() for value in values}:
            return False
    return True


def _at(node: Node, path: list[str]) -> Node | None:
    """The value at a path through objects."""
    at: Node | None = node
    for name in path:
        if at is None:
            return None
        at = at.get(name)
    return at


def places(node: Node, pointer: str, path: tuple[str, ...]) -> Iterator[_Place]:
    """Every place that a path leads to, through all items of the lists on its way."""
    name, *rest = path
    below = f"{pointer}/{step(name)}"
    member = next((member for member in node.members or () if member.name == name), None)
    if not rest:
        if node.members is not None:
            yield _Place(node, member, below)
    elif member is not None:
        for item, here in items_of(member.node, below):
            yield from places(item, here, tuple(rest))


def items_of(node: Node, pointer: str) -> Iterator[tuple[Node, str]]:
    """The items of a list with their pointers; a value that is no list is its own item."""
    if node.items is None:
        yield node, pointer
    else:
        for index, item in enumerate(node.items):
            yield item, f"{pointer}/{index}"


def _number(node: Node | None) -> float | None:
    if node is None or node.text is None or node.is_string or _NUMBER.fullmatch(node.text) is None:
        return None
    return float(node.text)


def _time(node: Node | None) -> Any:
    return None if node is None or node.text is None else parse_datetime(node.text)


def _folded(node: Node | None) -> str | None:
    return None if node is None or node.text is None else node.text.casefold()
