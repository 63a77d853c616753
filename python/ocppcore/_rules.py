"""The catalogue of rules: what can be said about each, and where the checks of a version stand.

It comes from `schemas/rules.toml` and is read for explanations alone; decoding knows nothing of it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple

from . import _versions


class RuleText(NamedTuple):
    """One rule, in words. `section` maps a version's number to where the standard says so; versions that do not have the rule are left out."""

    id: str
    tier: Literal["schema", "spec"]
    severity: Literal["error", "warning", "info"]
    title: str
    says: str
    why: str
    fix: str
    section: dict[str, str]
    codes: dict[str, str]


def catalogue() -> list[RuleText]:
    """Every rule: those that a strict decode enforces first, then those that advise."""
    table = _versions.rules()
    kinds = _versions.errors()["kinds"]
    found = [_text(id, "schema", "error", entry, kinds[id]["says"], id) for id, entry in table["schema"].items()]
    for id, entry in table["spec"].items():
        found.append(_text(id, "spec", entry["severity"], entry, entry["says"], _kind_of(id)))
    return found


def rule(id: str) -> RuleText:
    """The rule with an id; ValueError for an id that nobody knows, with the nearest that exists."""
    known = {rule.id: rule for rule in catalogue()}
    if id not in known:
        raise ValueError(f"unknown rule {id!r}; {_versions.near(id, known)}")
    return known[id]


class Check(NamedTuple):
    """One check of the specification tier; `says` holds what its form needs (`tools/codegen/rules.py` lists the forms)."""

    rule: str
    kind: str
    form: str
    path: tuple[str, ...]
    says: dict[str, Any]


class Checks(NamedTuple):
    """The checks of a version: by the type of the object that they look at, and by the kind of every field that they look at."""

    by_type: dict[str, list[Check]]
    by_kind: dict[str, list[Check]]


@cache
def checks(version: str) -> Checks:
    """The checks of a version, "2.1" say."""
    found = Checks({}, {})
    for entry in _versions.rules()["checks"][version]:
        check = Check(entry["rule"], entry["kind"], entry["form"], tuple(entry["path"]), entry)
        if entry["type"] == "*":
            found.by_kind.setdefault(check.path[0], []).append(check)
        else:
            found.by_type.setdefault(entry["type"], []).append(check)
    return found


def secrets(version: str) -> dict[str, dict[str, Any]]:
    """Type -> path below it -> True, or the condition under which a token or a password stands there."""
    found: dict[str, dict[str, Any]] = _versions.rules()["secret"][version]
    return found


def aliases() -> dict[str, list[str]]:
    """What peers write -> what they may mean."""
    found: dict[str, list[str]] = _versions.rules()["alias"]
    return found


def _kind_of(id: str) -> str:
    """The kind of fault under which a rule of the specification tier would be answered."""
    every = (entry for entries in _versions.rules()["checks"].values() for entry in entries)
    return next(str(entry["kind"]) for entry in every if entry["rule"] == id)


def _text(
    id: str, tier: Literal["schema", "spec"], severity: Any, entry: dict[str, Any], says: str, kind: str
) -> RuleText:
    from ._errors import rules_of

    section: dict[str, str] = entry["section"]
    subprotocols = {number: _versions.of_number(number).subprotocol for number in section}
    codes = {number: rules_of(name).by_kind[kind].code for number, name in subprotocols.items()}
    return RuleText(id, tier, severity, entry["title"], says, entry["why"], entry["fix"], section, codes)
