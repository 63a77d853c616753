"""What the catalogue of rules may not say: each contradiction is refused with a sentence that names the rule."""

from __future__ import annotations

import copy
import tomllib
from functools import cache
from typing import Any

import pytest

from tools.codegen.__main__ import MODULES, ROOT
from tools.codegen.model import Model, ModelError, read, read_errors
from tools.codegen.rules import FORMS, parse_rules

SCHEMAS = ROOT / "schemas"


@cache
def given() -> tuple[dict[str, Any], list[Model], dict[str, Any]]:
    models = [read(SCHEMAS / f"{module}.toml") for module in MODULES]
    rules = tomllib.loads((SCHEMAS / "rules.toml").read_text(encoding="utf-8"))
    return rules, models, read_errors(SCHEMAS / "errors.toml", [model.version for model in models])


def refusal(path: str, value: Any) -> str:
    """What is said of the catalogue with one place changed; None removes it."""
    rules, models, errors = given()
    data = copy.deepcopy(rules)
    *way, last = path.split("/")
    table: Any = data
    for key in way:
        table = table[int(key) if key.isdigit() else key]
    if value is None:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(ModelError) as error:
        parse_rules(data, models, errors)
    return str(error.value)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("colour", {}, "the key 'colour' is not part of the language"),
        ("schema/enum", None, "the kind enum of errors.toml is not described"),
        ("schema/nothing", {}, "nothing is described and is no kind of errors.toml"),
        ("schema/enum/why", None, "the rule enum must have the keys fix, section, title, why"),
        ("spec/Int", {}, "the rule Int needs an id in snake_case that no kind has"),
        ("spec/enum", {}, "the rule enum needs an id in snake_case that no kind has"),
        ("spec/int32/severity", "fatal", "the rule int32 needs a check and one of the severities error, warning, info"),
        ("spec/int32/section", {"3.0": "x"}, "the section of int32 is about '3.0', and no version has that number"),
        ("spec/checksum/check/0/versions", ["1.6"], "the rule checksum checks '1.6' and names no section of it"),
        ("spec/checksum/check/0/versions", ["2.1"], "the rule checksum names sections of versions that it does not check"),
        ("spec/int32/check/0/form", "shape", "a check of int32 on 1.6 has the form 'shape'"),
        ("spec/int32/check/0/most", 1, "a check of int32 on 1.6 says 'most', which is no part of the form range"),
        ("spec/checksum/check/0/pattern", None, "does not say 'pattern', which the form pattern needs"),
        ("spec/int32/check/0/at", [], "a check of int32 on 1.6 does not say at which fields"),
        ("spec/int32/check/0/at", ["*.enum"], "is at '*.enum', and `*` goes with the name of a scalar"),
        ("spec/checksum/check/0/at", ["Nothing.a"], "goes through 'Nothing', which is no type"),
        ("spec/checksum/check/0/at", ["PublishFirmwareRequest.sum"], "names PublishFirmwareRequest.sum, which does not exist"),
        ("spec/checksum/check/0/at", ["PublishFirmwareRequest"], "names no field of it"),
        ("spec/published_location/check/0/when", {"status": ["Out"]}, "waits for 'Out' in PublishFirmwareStatusNotificationRequest.status"),
        ("spec/published_location/check/0/when", {"state": ["Out"]}, "names PublishFirmwareStatusNotificationRequest.state"),
        ("spec/decimal_places/check/0/to", "csms", "is for messages to 'csms', which is no receiver"),
        ("spec/first_period/check/0/by", "begin", "names ChargingSchedulePeriodType.begin, which does not exist"),
        ("secret/1.6", {"AuthorizeRequest.tag": True}, "names AuthorizeRequest.tag, which does not exist"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(path: str, value: Any, sentence: str) -> None:
    said = refusal(path, value)
    assert said.startswith("rules: ")
    assert sentence in said


def test_every_form_is_in_use() -> None:
    rules, _, _ = given()
    used = {check["form"] for rule in rules["spec"].values() for check in rule["check"]}
    assert used == FORMS.keys()
