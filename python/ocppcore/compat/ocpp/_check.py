"""Our strict check in the place of the peer's: what it accepts, the peer would have accepted too.

Where it refuses, or where the two may judge otherwise, the peer's own check decides, with its own exceptions and texts: that is what makes
the acceleration bug for bug. The two judge otherwise about:

- an integer written `1.0`: the official schemas from draft 6 on allow it, the peer reads all of them as draft 4;
- a payload that is no plain JSON (a tuple, a Decimal, a datetime): the peer judges the object, we its text;
- a step of 0.1 in a number so large that Decimal gives up;
- an empty list: the peer's copy of a 1.6 schema asks for an item where the official one does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any

import msgspec

from ... import _versions
from ..._codec import Codec
from ._names import ATOMS, SNAKE, renamed_outside

CALL, CALL_RESULT, CALL_ERROR, SEND = 2, 3, 4, 6

_encode = msgspec.json.Encoder().encode
_WHOLE_FLOAT = (b".0", b"e1", b"e2", b"e3")  # one of these is in every float that is whole, as msgspec writes it
_EXPONENT = re.compile(rb"\d[eE]")
_ID = "1"

Fields = Callable[[], "Mapping[str, Fields | None]"]
"""The fields of a type, by snake_case names, each with those of its own type if that is an object's."""


class Unlike(Exception):
    """The peer may judge this otherwise than we do."""


class Check:
    """The check of one version."""

    def __init__(self, version: _versions.Version) -> None:
        self._validate = Codec(version.subprotocol).validate
        self._types = _versions.model(version.module)["types"]
        self._messages = _versions.model(version.module)["messages"]
        of_kind: dict[str, set[str]] = {}
        for type_ in self._types.values():
            for field in type_["fields"]:
                of_kind.setdefault(field["kind"], set()).add(field["name"])
        others = of_kind["number"] | of_kind.get("any", set())
        self._integers = frozenset(of_kind["integer"] - others)
        self._doubtful = of_kind["integer"] & others  # an integer in one type, a number in another
        # The peer reads these through Decimal, so that steps of 0.1 hold; its handlers see the Decimals.
        self._stepped = frozenset(
            (kind, action)
            for action, message in self._messages.items()
            for kind, part in ((CALL, "request"), (CALL_RESULT, "response"))
            if part in message and self._has_step(message[part], set())
        )
        self.stepped_calls = frozenset(action for kind, action in self._stepped if kind == CALL)
        self.message_types = frozenset(map(int, _versions.model(version.module)["frames"]))
        self._nested: dict[str, Mapping[str, Fields | None]] = {}
        self._wire_names: dict[str, dict[str, tuple[str, str | None]]] = {}

    def _has_step(self, name: str, seen: set[str]) -> bool:
        if name in seen:
            return False
        seen.add(name)
        return any(
            "step" in field or (field["kind"] == "object" and self._has_step(field["ref"], seen))
            for field in self._types[name]["fields"]
        )

    def fault(self, kind: int, action: Any, payload: Any) -> Exception | None:
        """None if both we and the peer accept the payload; else why not: an OcppError, or Unlike."""
        try:
            self._require_plain(payload, "")
            self._require_valid(kind, action, payload)
        except Exception as error:
            return error
        return None

    def arguments(self, action: Any, payload: Any, vendor: frozenset[str]) -> Any:
        """The payload of a CALL as keyword arguments for the peer's handlers, if both we and the peer accept it; raises why not.

        What stands under the names in `vendor` keeps its keys.
        """
        if payload.__class__ is not dict:
            raise Unlike("no object")
        made = self._arguments(payload, vendor)
        self._require_valid(CALL, action, payload)
        if (CALL, action) in self._stepped:
            raise Unlike("the handlers get Decimals")
        return made

    def _require_valid(self, kind: int, action: Any, payload: Any) -> None:
        if kind == CALL:
            text = _encode((CALL, _ID, action, payload))
            self._validate(text)
        else:
            text = _encode((CALL_RESULT, _ID, payload))
            self._validate(text, {_ID: action})
        if self._doubtful and any(sign in text for sign in _WHOLE_FLOAT):
            self._require_integers(self._messages[action]["request" if kind == CALL else "response"], payload)
        if (kind, action) in self._stepped and _EXPONENT.search(text):
            raise Unlike("perhaps beyond the precision of Decimal")

    def _require_integers(self, name: str, data: dict[str, Any]) -> None:
        """Raise Unlike if a float stands where the type says integer."""
        for field in self._types[name]["fields"]:
            value = data.get(field["name"])
            items: Any = value if value.__class__ is list else (value,)
            for item in items:
                if field["kind"] == "integer" and item.__class__ is float:
                    raise Unlike("a float for an integer")
                if field["kind"] == "object" and item is not None:
                    self._require_integers(field["ref"], item)

    def _require_plain(self, data: Any, name: str) -> None:
        """Raise Unlike unless the data is what JSON holds, and no float stands under the name of an integer."""
        cls = data.__class__
        if cls is dict:
            for key, value in data.items():
                if not isinstance(key, str):
                    raise Unlike("a key that is no text")
                if value.__class__ is not str:
                    self._require_plain(value, key)
        elif cls is list:
            if not data:
                raise Unlike("an empty list")
            for item in data:
                self._require_plain(item, name)
        elif (cls is float and name in self._integers) or not (cls in ATOMS or isinstance(data, str)):
            raise Unlike("no plain value")

    def _arguments(self, data: dict[str, Any], vendor: frozenset[str]) -> dict[str, Any]:
        """`renamed` and `_require_plain` in one walk: this is what every message of a station goes through."""
        out: dict[str, Any] = {}
        for key, value in data.items():
            cls = value.__class__
            if cls is str:
                out[SNAKE[key]] = value
            elif key in vendor:
                self._require_plain(value, key)
                out[SNAKE[key]] = value
            elif cls is dict:
                out[SNAKE[key]] = self._arguments(value, vendor)
            elif cls is list and value:
                out[SNAKE[key]] = [
                    self._arguments(item, vendor) if item.__class__ is dict else self._item(item, key, vendor)
                    for item in value
                ]
            else:
                self._require_plain(value, key)
                out[SNAKE[key]] = value
        return out

    def _item(self, item: Any, name: str, vendor: frozenset[str]) -> Any:
        self._require_plain(item, name)
        return renamed_outside(item, SNAKE, vendor)

    def nested(self, action: str) -> Mapping[str, Fields | None]:
        """The fields of an action's response by their snake_case names; an object's with the fields that it has in turn."""
        message = self._messages.get(action, {})
        return self._fields(message["response"]) if "response" in message else {}

    def _fields(self, name: str) -> Mapping[str, Fields | None]:
        found = self._nested.get(name)
        if found is None:
            found = self._nested[name] = {
                SNAKE[field["name"]]: partial(self._fields, field["ref"]) if field["kind"] == "object" else None
                for field in self._types[name]["fields"]
            }
        return found

    def is_send(self, action: str) -> bool:
        """Whether the action is a SEND's."""
        return bool(self._messages.get(action, {}).get("kind") == "send")

    def as_peer_hands_on(self, kind: int, action: str, payload: Any) -> Any:
        """The payload as the peer's check leaves it: with Decimals where it needs them."""
        if (kind, action) in self._stepped:
            return json.loads(json.dumps(payload), parse_float=Decimal)
        return payload

    # Names that the peer's rule cannot write

    def mended(self, kind: int, action: str, payload: Any) -> Any:
        """The payload with each name of a schema's object in that schema's own spelling, whatever its capitals and underscores."""
        message = self._messages.get(action)
        part = {CALL: "request", CALL_RESULT: "response", SEND: "send"}[kind]
        return payload if message is None or part not in message else self._mend(message[part], payload)

    def _mend(self, name: str, data: Any) -> Any:
        if data.__class__ is list:
            return [self._mend(name, item) for item in data]
        if data.__class__ is not dict or self._types[name]["open"]:
            return data
        names = self._names_of(name)
        out: dict[str, Any] = {}
        for key, value in data.items():
            wire, ref = names.get(_bare(key), (key, None))
            out[wire] = value if ref is None else self._mend(ref, value)
        return out

    def _names_of(self, name: str) -> Mapping[str, tuple[str, str | None]]:
        found = self._wire_names.get(name)
        if found is None:
            found = {
                _bare(field["name"]): (field["name"], field["ref"] if field["kind"] == "object" else None)
                for field in self._types[name]["fields"]
            }
            self._wire_names[name] = found
        return found


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def check_of(number: str) -> Check | None:
    """The check for "1.6", "2.0.1" or "2.1"; None for another version, about which only the peer knows."""
    return next((Check(version) for version in _versions.VERSIONS if version.number == number), None)
