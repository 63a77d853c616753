"""Reads schemas/rules.toml, holds it against the models and the kinds of fault, and makes the compact rules.json of it.

The language is defined in schemas/README.md. What names no field, value, version or kind that exists is refused with a sentence.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NoReturn

from tools.codegen.model import SCALARS, Field, Model, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEVERITIES = ("error", "warning", "info")
# Form -> what it says besides `at` and the conditions, and the kind of fault under which a breach of it is answered.
FORMS: dict[str, tuple[frozenset[str], str]] = {
    "range": (frozenset({"low", "high"}), "number_range"),
    "digits": (frozenset({"most"}), "multiple_of"),
    "fraction": (frozenset({"most"}), "format"),
    "pattern": (frozenset({"pattern", "expected"}), "format"),
    "allows": (frozenset({"values"}), "enum"),
    "requires": (frozenset(), "missing"),
    "any_of": (frozenset(), "missing"),
    "forbids": (frozenset(), "too_many"),
    "order": (frozenset({"after"}), "minimum"),
    "starts": (frozenset({"by", "value"}), "minimum"),
    "ascending": (frozenset({"by"}), "minimum"),
    "unique": (frozenset({"by"}), "too_many"),
    "count": (frozenset({"least", "most"}), "too_many"),
}
_OPTIONAL = {"low", "high", "least", "most"}  # of a range and of a count one may be left out
_CONDITIONS = {"when", "unless"}
_SCHEMA_KEYS = {"title", "why", "fix", "section"}
_SPEC_KEYS = _SCHEMA_KEYS | {"severity", "says", "check"}
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def read_rules(path: Path, models: list[Model], errors: dict[str, Any]) -> dict[str, Any]:
    """schemas/rules.toml as the compact rules.json says it; `errors` is the compact errors.json."""
    return parse_rules(tomllib.loads(path.read_text(encoding="utf-8")), models, errors)


def parse_rules(data: dict[str, Any], models: list[Model], errors: dict[str, Any]) -> dict[str, Any]:
    """The catalogue: the texts of all rules, the checks of each version, and which fields hold secrets."""
    by_version = {model.version: model for model in models}
    for key in data:
        if key not in ("schema", "spec", "alias", "secret"):
            _refuse(f"the key {key!r} is not part of the language")
    kinds, described, spec = errors["kinds"], data.get("schema", {}), data.get("spec", {})
    for kind in kinds:
        if kind not in described:
            _refuse(f"the kind {kind} of errors.toml is not described")
    for kind in described:
        if kind not in kinds:
            _refuse(f"{kind} is described and is no kind of errors.toml")
    schema = {kind: _texts(kind, described[kind], _SCHEMA_KEYS, by_version) for kind in kinds}
    rules: dict[str, Any] = {}
    checks: dict[str, list[dict[str, Any]]] = {version: [] for version in by_version}
    for id, raw in spec.items():
        if not _ID.fullmatch(id) or id in kinds:
            _refuse(f"the rule {id} needs an id in snake_case that no kind has")
        entry = _texts(id, raw, _SPEC_KEYS, by_version)
        if raw["severity"] not in SEVERITIES or not raw["check"]:
            _refuse(f"the rule {id} needs a check and one of the severities {', '.join(SEVERITIES)}")
        seen: set[str] = set()
        for check in raw["check"]:
            versions = check.get("versions", list(entry["section"]))
            for version in versions:
                if version not in entry["section"]:
                    _refuse(f"the rule {id} checks {version!r} and names no section of it")
                seen.add(version)
                checks[version] += _Check(id, check, by_version[version]).records()
        if seen != set(entry["section"]):
            _refuse(f"the rule {id} names sections of versions that it does not check")
        rules[id] = {"severity": raw["severity"], "says": raw["says"], **entry}
    return {
        "schema": schema,
        "spec": rules,
        "checks": checks,
        "alias": data.get("alias", {}),
        "secret": _secrets(data.get("secret", {}), by_version),
    }


def _refuse(sentence: str) -> NoReturn:
    raise ModelError(f"rules: {sentence}.")


def _texts(id: str, raw: dict[str, Any], keys: set[str], versions: dict[str, Model]) -> dict[str, Any]:
    """What a rule tells people, its section per version."""
    if raw.keys() != keys:
        _refuse(f"the rule {id} must have the keys {', '.join(sorted(keys))}")
    section = _per_version(f"the section of {id}", raw["section"], versions)
    return {"title": raw["title"], "why": raw["why"], "fix": raw["fix"], "section": section}


def _per_version(what: str, given: dict[str, Any], versions: dict[str, Model]) -> dict[str, Any]:
    """A table by version, in which "2.x" stands for every version from 2 on."""
    for key in given:
        if key != "2.x" and key not in versions:
            _refuse(f"{what} is about {key!r}, and no version has that number")
    wide = {version: given["2.x"] for version in versions if "2.x" in given and version.startswith("2.")}
    exact = {version: given[version] for version in versions if version in given}
    return {version: (wide | exact)[version] for version in versions if version in wide | exact}


class _Check:
    """One check on one version."""

    def __init__(self, rule: str, raw: dict[str, Any], model: Model) -> None:
        self.rule, self.raw, self.model = rule, raw, model
        self.form: str = raw.get("form", "")
        if self.form not in FORMS:
            self.refuse(f"has the form {self.form!r}, and there are {', '.join(FORMS)}")
        own, self.kind = FORMS[self.form]
        for key in raw:
            if key not in own | _CONDITIONS | {"at", "form", "versions", "to"}:
                self.refuse(f"says {key!r}, which is no part of the form {self.form}")
        for key in own:
            if key not in raw and key not in _OPTIONAL:
                self.refuse(f"does not say {key!r}, which the form {self.form} needs")
        if not raw.get("at"):
            self.refuse("does not say at which fields")
        if raw.get("to", "station") != "station":
            self.refuse(f"is for messages to {raw['to']!r}, which is no receiver")
        if self.form == "pattern":
            re.compile(raw["pattern"])

    def refuse(self, what: str) -> NoReturn:
        _refuse(f"a check of {self.rule} on {self.model.version} {what}")

    def records(self) -> Iterator[dict[str, Any]]:
        """What the walker reads: one record per place; the places of an `any_of` go together."""
        rest = {key: value for key, value in self.raw.items() if key not in ("at", "versions", "form")}
        places = [self.place(text) for text in self.raw["at"]]
        if self.form == "any_of":
            places = [(places[0][0], [path[0] for _, path in places])]
        for type_, path in places:
            if type_ != "*":
                for condition in _CONDITIONS:
                    self.condition(type_, rest.get(condition, {}))
                for key in ("after", "by"):
                    self.beside(type_, path, key)
            yield {"rule": self.rule, "kind": self.kind, "form": self.form, "type": type_, "path": path, **rest}

    def place(self, text: str) -> tuple[str, list[str]]:
        """`Type.field.field` as the type and the steps; `*.int` is every field of that kind."""
        type_, *path = text.split(".")
        if type_ == "*":
            if len(path) != 1 or path[0] not in SCALARS:
                self.refuse(f"is at {text!r}, and `*` goes with the name of a scalar")
            return type_, [SCALARS[path[0]]]
        self.field(type_, path)
        return type_, path

    def field(self, type_: str, path: list[str]) -> Field:
        """The field at the end of a path."""
        found: Field | None = None
        name: str | None = type_
        for step in path:
            if name not in self.model.types:
                self.refuse(f"goes through {name!r}, which is no type")
            found = next((field for field in self.model.types[name].fields if field.name == step), None)
            if found is None:
                self.refuse(f"names {name}.{step}, which does not exist")
            name = found.ref if found.kind == "object" else None
        if found is None:
            self.refuse(f"is at {type_!r} and names no field of it")
        return found

    def condition(self, type_: str, given: dict[str, Any]) -> None:
        """The fields of a condition exist, and have the values."""
        for text, values in given.items():
            field = self.field(type_, text.split("."))
            if isinstance(values, bool):
                continue
            for value in values:
                if field.kind == "enum" and value not in self.model.enums[field.ref or ""]:
                    self.refuse(f"waits for {value!r} in {type_}.{text}, which cannot be there")

    def beside(self, type_: str, path: list[str], key: str) -> None:
        """`after` names a field beside the one that is checked, `by` fields of a list's items."""
        names = self.raw.get(key, [])
        above = path[:-1] if key == "after" else path
        for name in [names] if isinstance(names, str) else names:
            self.field(type_, [*above, *name.split(".")])


def _secrets(given: dict[str, dict[str, Any]], versions: dict[str, Model]) -> dict[str, dict[str, Any]]:
    """Per version: type -> path -> True or a condition. A version's own entries add to those of "2.x"."""
    found: dict[str, dict[str, Any]] = {version: {} for version in versions}
    for key, entries in given.items():
        for version in _per_version("a secret", {key: entries}, versions):
            for text, condition in entries.items():
                check = _Check(
                    "secret",
                    {"form": "forbids", "at": [text], **({} if condition is True else {"when": condition})},
                    versions[version],
                )
                for record in check.records():
                    found[version].setdefault(record["type"], {})[".".join(record["path"])] = condition
    return found
