"""The generator's output for a tiny model, and every contradiction that a model may not hold."""

from __future__ import annotations

import copy
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.codegen.__main__ import ROOT
from tools.codegen.emit_compact import compact, compact_json
from tools.codegen.emit_python import python_files
from tools.codegen.model import ModelError, parse, parse_errors

HERE = Path(__file__).parent
TINY = tomllib.loads((HERE / "tiny.toml").read_text(encoding="utf-8"))


def test_the_tiny_model_gives_the_expected_files() -> None:
    """UPDATE_EXPECTED=1 writes them, to be read before they are committed."""
    model = parse(TINY, "tiny")
    files = {"tiny.json": compact_json(compact(model)), **python_files(model)}
    for name, text in files.items():
        path = HERE / "expected" / f"{name}.txt"
        if os.environ.get("UPDATE_EXPECTED") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), name


def refusal(path: str, value: Any) -> str:
    """What is said of the tiny model with one place changed: a path of keys, and their new value (None removes it)."""
    data = copy.deepcopy(TINY)
    *way, last = path.split("/")
    table = data
    for key in way:
        table = table.setdefault(key, {})
    if value is None:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(ModelError) as error:
        parse(data, "tiny")
    return str(error.value)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("colour", "red", "the key 'colour' is not part of the language"),
        ("version", None, "the key 'version' is missing"),
        ("draft", 7, "the draft of the file is 7, and only 4 and 6 are known"),
        ("implicit-place", None, "implicit and implicit-place must stand together"),
        ("implicit-place", "middle", 'implicit-place must be "first" or "last"'),
        ("frames/5", "shout", "[frames] says 5 = 'shout', and a frame is a number and one of call, callresult, callerror, callresulterror, send"),
        ("frames/5", "call", "[frames] gives two numbers to one kind of frame"),
        ("enum/Mood", [], "the enumeration Mood has no values"),
        ("enum/Mood", ["Happy", "Happy"], "the enumeration Mood lists a value twice"),
        ("enum/PetType", ["a"], "PetType is both an enumeration and a type"),
        ("enum/Unused", ["a"], "Unused is declared and no payload reaches it"),
        ("type/Unused/a", "int", "Unused is declared and no payload reaches it"),
        ("enum-default/Mood", "Angry", "[enum-default] gives Mood the value 'Angry', which it does not have"),
        ("names/targetSoC", "targetSoC", "[names] spells 'targetSoC' as 'targetSoC', which is no snake_case name that Python can use"),
        ("names/targetSoC", "class", "[names] spells 'targetSoC' as 'class', which is no snake_case name that Python can use"),
        ("names/nobody", "nobody", "[names] spells 'nobody', which no field is called"),
        ("names/targetSoC", None, "the plain rule does not serve the name of FeedRequest.targetSoC, and [names] does not spell it"),
        ("names/targetSoC", "note", "FeedRequest has two fields with the attribute note: targetSoC and note"),
        ("type/PetType/class", "int", "the attribute of PetType.class would be the Python keyword 'class', and [names] does not spell another"),
        ("type/PetType/friend", "PetType?", "the type PetType contains itself"),
        ("type/PetType/customData", "any", "PetType.customData is written out, though it is implicit"),
        ("type/CustomDataType/*", "int", "CustomDataType has \"*\" = 'int', and further keys can only be \"any\""),
        ("type/PetType/age", "integer", "PetType.age is of type integer, which is neither a scalar nor declared"),
        ("type/PetType/age", "int?(0..)", "the type string 'int?(0..)' of PetType.age does not read NAME[(args)][[lo..hi]][?][ = default]"),
        ("type/PetType/age", "int[3..2]", "PetType.age is a list of 3 to 2 items, which no list can satisfy"),
        ("type/PetType/age", "int(step 0.1)", "PetType.age has a step, and only a decimal can have one, greater than 0"),
        ("type/PetType/age", "int(..)", "the arguments (..) of PetType.age are neither a range such as 0..100 nor a step"),
        ("type/PetType/age", "int(9..1)", "PetType.age has the range 9..1, which no number is in"),
        ("type/PetType/age", "int(0.5..)", "PetType.age is an integer with a bound that is none"),
        ("type/PetType/age", "string(1..5)", "PetType.age is a string, whose only argument is its greatest length, such as (..36)"),
        ("type/PetType/age", "bool(..5)", "PetType.age has the arguments (..5), and only strings and numbers have any"),
        ("type/PetType/age", "int? = many", "the default many of PetType.age is not JSON"),
        ("type/PetType/age", "int? = true", "the default true of PetType.age does not fit its type"),
        ("message/Feed/colour", "red", "the message Feed has the key 'colour', which is not part of the language"),
        ("message/Feed/from", "cat", "the message Feed must say who it is from: one of station, csms, both"),
        ("message/Feed/profile", "Core", "the message Feed must name a block or a profile, not both"),
        ("message/Feed/block", "Z", "the message Feed is in the block Z, which [block] does not name"),
        ("message/Feed/kind", "sing", "the message Feed is of kind 'sing', and there are only \"call\" and \"send\""),
        ("message/Feed/response", None, "the message Feed is a call, which has a request and a response, and it has request"),
        ("message/Feed/kind", "send", "the message Feed is a send, which has one table called send, and it has request and response"),
        ("frames/6", None, "the message Bark is a send, and [frames] has no such frame"),
        ("message/Bark/draft", 4, "the type CustomDataType is used under draft 4 and under draft 6"),
        ("message/PetType", {"from": "csms", "block": "A", "kind": "send", "send": {}}, "the send of PetType would be called PetType, and another type has that name"),
        ("unit/PetType.colour", "nm", "[unit] speaks of PetType.colour, which is no field"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_with_a_sentence(path: str, value: Any, sentence: str) -> None:
    assert refusal(path, value) == f"tiny: {sentence}."


ERRORS = tomllib.loads((ROOT / "schemas/errors.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scope": "moon"}, "must have one of the scopes text, frame, payload"),
        ({"says": ""}, "says nothing"),
        ({"colour": "red"}, "has the key 'colour', which is not part of the language"),
        ({"code": "Oops"}, "has the code Oops, which a 2.x version does not define"),
        ({"code-16": "Oops"}, "has the code Oops on 1.6, which does not define it"),
        ({"answer": ["3.0"]}, "is answered on a version that does not exist"),
    ],
)
def test_a_contradiction_among_the_faults_is_refused(change: dict[str, Any], sentence: str) -> None:
    data = copy.deepcopy(ERRORS)
    data["kind"]["length"].update(change)
    with pytest.raises(ModelError) as error:
        parse_errors(data, ["1.6", "2.0.1", "2.1"])
    assert str(error.value) == f"errors: the kind length {sentence}."


def test_codes_and_spellings_must_fit_the_versions() -> None:
    with pytest.raises(ModelError, match=r"must have a list for each version: 1\.6"):
        parse_errors(ERRORS, ["1.6"])
    data = copy.deepcopy(ERRORS)
    data["spelling"]["FormatViolation"] = "Oops"
    with pytest.raises(ModelError, match=r"says Oops for FormatViolation, and 1\.6 has no such code"):
        parse_errors(data, ["1.6", "2.0.1", "2.1"])
