"""Explaining a frame: every finding of both tiers, what was probably meant, and which bytes hold a secret.

Nothing here runs while frames are decoded. It reads the data once more for people, by the Python backend, so that both backends say the same.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import msgspec

from . import _advice, _rules, _syntax, _versions
from ._errors import Finding, OcppError, expectation, line, meant_by, names_of, rules_of
from ._quote import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._advice import Advice
    from ._errors import Rules
    from ._pure.engine import Head, Survey
    from ._pure.tree import Node

_MOST_SUGGESTIONS = 200  # findings of a frame for which a resembling name is searched: hostile data cannot make it many


def explain(
    survey: Survey, version: _versions.Version, codes: tuple[tuple[str, str], ...], *, advice: bool
) -> list[Finding]:
    """The findings of a frame in order of bytes; the first of equal place is what decode would tell."""
    found: list[Finding] = []
    for number, error in enumerate(survey.errors):
        assert isinstance(error, OcppError)  # what the codec's maker of errors makes
        finding = Finding.of(error, suggest=number < _MOST_SUGGESTIONS)
        if finding.kind in ("syntax", "truncated"):
            finding = _syntax.explained(finding, survey.data)
        elif finding.kind == "action_unknown" and survey.schema is not None and number < _MOST_SUGGESTIONS:
            meant = meant_by((finding.found or "").strip('"'), tuple(sorted(survey.schema.actions)))
            text = finding.text if meant is None else f"{finding.text} It may be meant as {meant}."
            finding = msgspec.structs.replace(finding, suggestion=meant, text=text)
        found.append(finding)
    if advice and survey.payload is not None:
        told = {(finding.path, finding.kind) for finding in found}
        rules = rules_of(version.subprotocol, codes)
        to_station = goes_to_station(version, survey.head.action, is_answer(version, survey.head.number))
        advice_given = _advice.advise(survey.payload, _rules.checks(version.number), to_station, told)
        found += [finding_of(one, survey.data, survey.head, rules) for one in advice_given]
    return sorted(found, key=_place)


def _place(finding: Finding) -> tuple[int, bool]:
    return (-1 if finding.offset is None else finding.offset), finding.tier == "spec"


def is_answer(version: _versions.Version, number: int | None) -> bool:
    """Whether a message type is that of an answer."""
    return bool(_versions.model(version.module)["frames"].get(str(number)) == "callresult")


def goes_to_station(version: _versions.Version, action: str | None, answers: bool) -> bool:
    """Whether a station is, or may be, the receiver of a request, or of the answer to one."""
    message: dict[str, Any] = _versions.model(version.module)["messages"].get(action or "", {})
    sender: str = message.get("from", "both")
    return sender == "both" or (sender == "station") == answers


def finding_of(one: Advice, data: bytes | None, head: Head, rules: Rules) -> Finding:
    """The finding for a rule of the text that is broken; of an object, without `data`, it has no place in bytes."""
    entry = _versions.rules()["spec"][one.rule]
    absent = (
        data is None
        or one.kind == "missing"
        or (one.end == one.start + 1 and data[one.start : one.end] in (b"]", b"}"))
    )
    found = None if absent or data is None else quote("type", data, one.start)
    finding = Finding(
        rule=one.rule,
        severity=entry["severity"],
        kind=one.kind,
        path=one.path,
        offset=None if data is None else one.start,
        end=None if data is None else one.end,
        expected=one.expected,
        found=found,
        suggestion=_suggested(one.expected, found),
        code=rules.by_kind[one.kind].code,
        text="",
        version=rules.version.number,
        message_type=head.number,
        message_id=head.id,
        action=head.action,
    )
    text = line(finding, entry["says"], expectation(one.expected), found, entry["fix"], rules.version)
    return msgspec.structs.replace(finding, text=text)


def _suggested(expected: Any, found: str | None) -> str | None:
    """The one value that there is, or the one that was meant."""
    names = names_of(expected)
    if found is None or names is None:
        return None
    if len(names) == 1:
        return names[0]
    folded = {name.casefold(): name for name in names}
    return folded.get(found.strip('"').casefold())


# Secrets


def hidden(survey: Survey, version: _versions.Version) -> list[tuple[int, int]]:
    """The ranges of bytes that may hold a token, a password or what nobody knows the meaning of, in order.

    Known fields show; those that `schemas/rules.toml` calls secret, unknown ones, free-form values and values of a wrong type do not. Where
    the payload has no type or the text is broken, no value shows.
    """
    if survey.payload is None:
        return _syntax.values(survey.data)
    ranges: list[tuple[int, int]] = []
    _hide(survey.payload, _rules.secrets(version.number), ranges)
    # A value may be hidden for two reasons: what is left does not overlap.
    apart: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
        elif end > apart[-1][1]:
            apart[-1] = apart[-1][0], end
    return apart


def hidden_in(codec: Any, data: bytes, pending: Mapping[str, str] | None) -> list[tuple[int, int]]:
    """The ranges of a frame that must not show."""
    survey: Survey = codec._walker().survey(data, pending)
    return hidden(survey, _versions.of_number(codec.version))


def _hide(node: Node, secrets: Mapping[str, Mapping[str, Any]], ranges: list[tuple[int, int]]) -> None:
    assert node.type is not None  # only objects of a type come here
    for path, condition in secrets.get(node.type.name, {}).items():
        if condition is True or _advice.holds(node, condition):
            *_, name = steps = path.split(".")
            for place in _advice.places(node, "", tuple(steps)):
                members = place.owner.members or ()  # of a double none may show
                ranges += [(member.node.start, member.node.end) for member in members if member.name == name]
    for member in node.members or ():
        if member.field is None or member.field.kind == "any":
            ranges.append((member.node.start, member.node.end))
        else:
            _hide_value(member.node, member.field, secrets, ranges)


def _hide_value(
    node: Node, field: Any, secrets: Mapping[str, Mapping[str, Any]], ranges: list[tuple[int, int]]
) -> None:
    if node.items is not None:
        for item in node.items:
            _hide_value(item, field.item, secrets, ranges)
    elif node.members is not None:
        _hide(node, secrets, ranges)
    elif field.kind in ("list", "object") or node.is_string != (field.json_type == "string"):
        ranges.append((node.start, node.end))


def redacted(finding: Finding, ranges: list[tuple[int, int]]) -> Finding:
    """The finding, without the peer's words where it touches a hidden range, or lies in the frame around the payload."""
    offset, end = finding.offset, finding.end
    if offset is None or end is None:
        return finding
    following = bisect_left(ranges, (max(end, offset + 1), 0))
    touched = following > 0 and ranges[following - 1][1] > offset
    return finding.redact() if touched or finding.path == "" else finding
