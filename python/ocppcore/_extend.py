"""What `Codec.extend` is given, entered into a codec's vocabulary: a user's messages, and raised limits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import _versions
from ._from_schemas import SchemaReader, is_mapping
from ._from_structs import StructReader, answer_of
from ._payloads import Request, Response, SendPayload
from ._vocabulary import Draft, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def with_messages(old: Vocabulary, messages: Any) -> Vocabulary:
    """The vocabulary with a user's messages in it: Struct classes, or JSON Schemas by action. ValueError for what cannot be checked."""
    draft = Draft(old)
    actions = _enter_schemas(draft, messages) if is_mapping(messages) else _enter_classes(draft, messages)
    return draft.finished(actions)


def _enter_schemas(draft: Draft, messages: Mapping[Any, Any]) -> list[str]:
    for action, schemas in messages.items():
        if not isinstance(action, str) or not action:
            raise ValueError(f"messages: an action is a non-empty str, not {action!r}")
        if not is_mapping(schemas) or not schemas or set(schemas) - {"request", "response", "send"}:
            raise ValueError(
                f"messages: {action!r} must be a dict of JSON Schemas under 'request' and 'response', or under 'send'"
            )
        for kind, schema in schemas.items():
            if not is_mapping(schema):
                raise ValueError(
                    f"messages: the {kind} of {action!r} must be a JSON Schema as a dict, not {type(schema).__name__}"
                )
            name, _ = SchemaReader(draft, schema, action).read(kind)
            draft.register(action, kind, name)
    return list(messages)


def _enter_classes(draft: Draft, classes: Iterable[Any]) -> list[str]:
    reader = StructReader(draft)
    given: dict[tuple[str, str], type[Any]] = {}
    for cls in classes:
        _enter_class(given, cls, _kind_of(cls))
    for cls in [cls for (_, kind), cls in given.items() if kind == "request"]:
        answer = _answer(cls, given, draft)
        if answer is not None:
            _enter_class(given, answer, "response", cls)
    for (action, kind), cls in given.items():
        name = draft.names.get(cls) or reader.read(cls, draft.payload_name(action, kind, cls.__name__))
        draft.register(action, kind, name)
    return list(dict.fromkeys(action for action, _ in given))


def _enter_class(
    given: dict[tuple[str, str], type[Any]], cls: type[Any], kind: str, request: type[Any] | None = None
) -> None:
    action = getattr(cls, "__action__", None)
    if not isinstance(action, str) or not action:
        raise ValueError(f'messages: {cls.__name__} needs its action: `__action__: ClassVar[str] = "..."`')
    if request is not None and action != request.__action__:
        raise ValueError(
            f"messages: {cls.__name__} has the action {action!r}, its request {request.__name__} {request.__action__!r}"
        )
    if given.setdefault((action, kind), cls) is not cls:
        raise ValueError(
            f"messages: both {given[action, kind].__name__} and {cls.__name__} are the {kind} of {action!r}"
        )


def _kind_of(cls: Any) -> str:
    if isinstance(cls, type):
        for base, kind in ((Request, "request"), (Response, "response"), (SendPayload, "send")):
            if issubclass(cls, base) and cls is not base:
                return kind
    raise ValueError(f"messages: {cls!r} is no subclass of Request[Answer], Response or SendPayload")


def _answer(request: type[Any], given: Mapping[tuple[str, str], type[Any]], draft: Draft) -> type[Any] | None:
    """The response class of a request class; None when the action has one already and the request names no other."""
    action: str = request.__action__
    known = draft.messages.get(action)
    owner, answer = answer_of(request) or (None, None)
    if known is not None and (owner is None or owner in draft.names):
        return None  # derived from the standard's own class
    if isinstance(answer, str):  # Request["Answer"]
        named = [cls for cls in given.values() if cls.__name__ == answer]
        answer = named[0] if named else getattr(sys.modules.get(owner.__module__), answer, None)
    if not (isinstance(answer, type) and issubclass(answer, Response)):
        if known is not None or (action, "response") in given:
            return None
        raise ValueError(
            f"messages: {request.__name__} names no answer: derive it from Request[Answer], Answer a subclass of Response"
        )
    return answer


def checked_limits(vocabulary: Vocabulary, raised: Mapping[str, int], limits: Mapping[str, object]) -> dict[str, int]:
    """The limits of a connection, checked: "Type.field" -> length, never below what is allowed already. ValueError else."""
    types = vocabulary.types()
    result: dict[str, int] = {}
    for name, length in limits.items():
        if not isinstance(length, int) or isinstance(length, bool):
            raise ValueError(f"limits: {name!r} must be an int, a number of characters, not {length!r}")
        type_name, _, wire_name = str(name).rpartition(".")
        if type_name not in types:
            known = _limited_fields(types) if not type_name else types
            raise ValueError(
                f"limits: unknown type in {name!r}, write 'Type.field'; {_versions.near(type_name or name, known)}"
            )
        fields = {field["name"]: field for field in types[type_name]["fields"]}
        if wire_name not in fields:
            raise ValueError(f"limits: {type_name} has no field {wire_name!r}; {_versions.near(wire_name, fields)}")
        longest = fields[wire_name].get("max_length")
        if longest is None:
            raise ValueError(f"limits: {name!r} has no length limit that could be raised")
        longest = raised.get(name, longest)
        if length < longest:
            raise ValueError(f"limits: {name!r} is {longest} already and can only be raised, not set to {length}")
        result[name] = length
    return result


def _limited_fields(types: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}.{field['name']}" for name, type_ in types.items() for field in type_["fields"] if "max_length" in field
    ]
