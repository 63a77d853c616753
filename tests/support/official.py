"""The oracle: jsonschema-rs over the official schemas that PyPI's `ocpp` carries, formats asserted, drafts as declared.

Two files of that copy are altered; they are put right in memory. Nothing of the schemas' text is kept in this project.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from .model import Payload


def schema_dir(module: str) -> Path:
    """The folder of one version's schemas in the installed package."""
    spec = find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the oracle needs the package `ocpp` (test-only): pip install ocpp==2.1.0")
    return Path(spec.submodule_search_locations[0]) / module / "schemas"


@cache
def official_schema(module: str, action: str, kind: str) -> dict[str, Any]:
    """The official schema of a payload, the copy's alterations undone."""
    base = schema_dir(module)
    names = {
        "request": (f"{action}Request", action),
        "response": (f"{action}Response",),
        "send": (action, f"{action}Request"),
    }[kind]
    path = next(p for name in names if (p := base / f"{name}.json").exists())
    schema = json.loads(path.read_text(encoding="utf-8-sig"))
    if (module, action, kind) == ("v16", "MeterValues", "request"):
        meter_value = schema["properties"]["meterValue"]
        sampled_value = meter_value["items"]["properties"]["sampledValue"]
        del meter_value["minItems"], sampled_value["minItems"]
        sampled_value["items"]["properties"]["unit"]["enum"].remove("Hertz")
    if (module, action, kind) == ("v201", "Get15118EVCertificate", "response"):
        schema["properties"]["exiResponse"]["maxLength"] = 5600
    return schema


@cache
def validator(module: str, action: str, kind: str) -> Any:
    """The compiled oracle of a payload."""
    schema = official_schema(module, action, kind)
    draft = {
        "http://json-schema.org/draft-04/schema#": jsonschema_rs.Draft4Validator,
        "http://json-schema.org/draft-06/schema#": jsonschema_rs.Draft6Validator,
    }[schema["$schema"]]
    return draft(schema, validate_formats=True, ignore_unknown_formats=False)


def accepts(payload: Payload, text: bytes) -> bool:
    """Whether the oracle finds the payload valid; what is no JSON (NaN too) or holds a lone surrogate is not."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        return validator(payload.module, payload.action, payload.kind).is_valid(value)
    except ValueError:  # JSONDecodeError, UnicodeEncodeError and _refuse's own
        return False


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
