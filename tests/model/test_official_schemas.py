"""The model says what the official JSON Schemas say: it regenerates all 387 of them without a semantic difference."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from ocppcore._export import json_schema
from support.needs import need_module, need_program
from tools.import_schemas.__main__ import compare, load_model, main, payload_names
from tools.import_schemas.source import SourceError, read_schemas

COUNTS = {"v16": 78, "v201": 128, "v21": 181}

# Where the copies in PyPI `ocpp` 2.1.0 depart from the official files. Each must really be there.
KNOWN_ALTERATIONS = {
    "v16": [
        "MeterValuesRequest.meterValue[].sampledValue[].unit: enum +Hertz in the source",
        "MeterValuesRequest.meterValue[].sampledValue: minItems is 1 in the source, absent in the model",
        "MeterValuesRequest.meterValue: minItems is 1 in the source, absent in the model",
    ],
    "v201": ["Get15118EVCertificateResponse.exiResponse: maxLength is 7500 in the source, 5600 in the model"],
    "v21": [],
}


@pytest.mark.parametrize("module", COUNTS)
def test_the_model_regenerates_every_official_schema(module: str) -> None:
    need_module("ocpp", "the package ocpp")
    model = load_model(module)
    assert len(read_schemas("ocpp", module, payload_names(model))) == COUNTS[module]
    assert sorted(compare(model, "ocpp")) == sorted(KNOWN_ALTERATIONS[module])


def change(model: dict[str, Any], type_name: str, field_name: str, **changed: Any) -> dict[str, Any]:
    changed_model = copy.deepcopy(model)
    field = next(f for f in changed_model["types"][type_name]["fields"] if f["name"] == field_name)
    field.update(changed)
    return changed_model


@pytest.mark.parametrize(
    ("type_name", "field", "changed", "line"),
    [
        ("ChargingStationType", "model", {"max_length": 21}, "BootNotificationRequest.chargingStation.model: maxLength is 20 in the source, 21 in the model"),
        ("HeartbeatResponse", "currentTime", {"required": False}, "HeartbeatResponse: required +currentTime in the source"),
        ("HeartbeatResponse", "currentTime", {"kind": "string"}, "HeartbeatResponse.currentTime: format is date-time in the source, absent in the model"),
        ("SetVariablesRequest", "setVariableData", {"items": [0, None]}, "SetVariablesRequest.setVariableData: minItems is 1 in the source, absent in the model"),
        ("TransactionEventRequest", "offline", {"default": True}, "TransactionEventRequest.offline: default False in the source, True in the model"),
    ],
)  # fmt: skip
def test_a_wrong_fact_in_the_model_is_found(type_name: str, field: str, changed: dict[str, Any], line: str) -> None:
    need_module("ocpp", "the package ocpp")
    found = list(compare(change(load_model("v201"), type_name, field, **changed), "ocpp"))
    assert line in found


def test_a_wrong_draft_and_a_wrong_enumeration_are_found() -> None:
    need_module("ocpp", "the package ocpp")
    model = copy.deepcopy(load_model("v201"))
    model["types"]["HeartbeatRequest"]["draft"] = 4
    model["enums"]["ResetEnumType"].append("Now")
    found = list(compare(model, "ocpp"))
    assert "HeartbeatRequest: draft 6 in the source, 4 in the model" in found
    assert "ResetRequest.type: enum -Now in the source" in found


def test_the_command_reads_a_package_a_folder_and_a_zip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_module("ocpp", "the package ocpp")
    import ocpp

    folder = Path(ocpp.__file__).parent / "v201/schemas"
    copied = shutil.make_archive(str(tmp_path / "schemas"), "zip", folder)
    for source in ("ocpp", str(folder), copied):
        assert main(["v201", source]) == 1
        assert capsys.readouterr().out.splitlines() == KNOWN_ALTERATIONS["v201"]
    assert main(["v21", "ocpp"]) == 0
    assert main(["v201", str(tmp_path / "absent")]) == 2
    assert "no folder, no zip file and no installed package" in capsys.readouterr().err


def test_a_source_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "HeartbeatRequest.json").write_text("{")
    with pytest.raises(SourceError, match="not JSON"):
        list(compare(load_model("v201"), str(tmp_path)))


@pytest.mark.parametrize("module", COUNTS)
def test_exports_are_valid_schemas_under_their_draft(module: str) -> None:
    model = load_model(module)
    for name in model["types"]:
        schema = json_schema(model, name)
        validators = {"draft-04": jsonschema_rs.Draft4Validator, "draft-06": jsonschema_rs.Draft6Validator}
        validators[schema["$schema"].split("/")[3]](schema, validate_formats=True)
        assert schema.get("$id", schema.get("id")) == f"urn:ocppcore:{model['version']}:{name}"


def test_an_export_of_an_unknown_type_says_so() -> None:
    with pytest.raises(ValueError, match=r"OCPP 2\.0\.1 has no type 'Nothing'"):
        json_schema(load_model("v201"), "Nothing")


@pytest.mark.long
@pytest.mark.parametrize("module", COUNTS)
def test_the_model_agrees_with_another_copy(module: str, tmp_path: Path) -> None:
    """npm `ocpp-rpc` carries the files unaltered but wrapped in draft 7, without what that makes superfluous."""
    npm = need_program("npm")
    subprocess.run(
        [npm, "install", "--silent", "--ignore-scripts", "--no-save", "--prefix", str(tmp_path), "ocpp-rpc@2.2.1"],
        check=True,
    )
    files = {"v16": "ocpp1_6.json", "v201": "ocpp2_0_1.json", "v21": "ocpp2_1.json"}
    (source,) = (tmp_path / "node_modules/ocpp-rpc").rglob(files[module])
    alone = tmp_path / "one"
    alone.mkdir()
    shutil.copy(source, alone)
    assert list(compare(load_model(module), str(alone), any_draft=True)) == []
