"""Frames around payloads: the text of a CALL, CALLRESULT, SEND and of the error frames, and a pool of samples."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING

from .emit import text_of
from .instances import full, minimal, sample
from .model import Model, Payload, model

if TYPE_CHECKING:
    from collections.abc import Mapping

RESULT_ID = "19"


def framed(payload: Payload, text: bytes, message_id: bytes = b'"19"') -> bytes:
    """The payload's text in the frame it belongs to."""
    action = payload.action.encode()
    if payload.kind == "response":
        return b"[3," + message_id + b"," + text + b"]"
    return b"[%d,%b,%b,%b]" % (6 if payload.kind == "send" else 2, message_id, b'"' + action + b'"', text)


def pending_for(payload: Payload) -> Mapping[str, str] | None:
    """What `decode` needs to type the frame of a response."""
    return {RESULT_ID: payload.action} if payload.kind == "response" else None


def error_frames(version: Model) -> list[bytes]:
    """CALLERRORs, and CALLRESULTERRORs where the version has them."""
    details = [b"{}", b'{"a":[null,{"b":1e2,"b":"\\u00e9\xf0\x9f\x98\x80"}]}']
    types = [number.encode() for number, kind in version.frames.items() if kind.endswith("error")]
    return [b'[%b,"19","GenericError","d\xc3\xa9tail",%b]' % (t, d) for t in types for d in details]


@cache
def sample_frames(module: str) -> list[tuple[bytes, Mapping[str, str] | None]]:
    """Frames of every message of a version, small and full, with the `pending` each needs; always the same ones."""
    rng = Random(f"frames {module}")
    version = model(module)
    frames: list[tuple[bytes, Mapping[str, str] | None]] = [(text, None) for text in error_frames(version)]
    for payload in version.payloads():
        trees = minimal(version, payload.type_name), sample(version, payload.type_name, rng)
        frames += [(framed(payload, text_of(tree, rng)), pending_for(payload)) for tree in trees]
    return frames


@cache
def full_frames(module: str) -> list[tuple[bytes, Mapping[str, str] | None]]:
    """A frame with every field for each message of a version."""
    version = model(module)
    return [(framed(p, text_of(full(version, p.type_name))), pending_for(p)) for p in version.payloads()]
