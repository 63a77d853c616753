"""Quirk profiles: what is known of a station's firmware, as data.

A profile binds patterns of vendor, model and firmware to entries of a policy, for what the station sends amiss, and to rewrites, for what it does not
understand though it is right. A session picks the profiles of its station when the station has said who it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeGuard, cast

import msgspec

from . import _versions
from ._frames import UntypedPayload
from ._policy import Policy, checked_names, glob_of, pointer_glob_of, preset_text, read_toml

if TYPE_CHECKING:
    from ._codec import AnyFrame, Codec, Data, Frames, PayloadKind, Pending
    from ._frames import CallResult
    from ._tolerated import Tolerated


def _whole_seconds(value: Any, _: Mapping[str, str]) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) and value.microsecond else value


def _whole_numbers(value: Any, _: Mapping[str, str]) -> Any:
    return float(int(value)) if isinstance(value, float) and not value.is_integer() else value


def _drop(_: Any, __: Mapping[str, str]) -> Any:
    return None


def _replace(value: Any, values: Mapping[str, str]) -> Any:
    return values.get(value, value) if isinstance(value, str) else value


REWRITES: Mapping[str, tuple[str, Callable[[Any, Mapping[str, str]], Any]]] = {
    "whole_seconds": ("a date-time loses the fraction of its second", _whole_seconds),
    "whole_numbers": ("a number loses its fraction, towards zero", _whole_numbers),
    "drop": ("an optional field is left out", _drop),
    "replace": ("a string becomes the one that `values` has for it", _replace),
}
"""What a rewrite does, and the function that does it."""


class Rewrite(msgspec.Struct, frozen=True, kw_only=True):
    """A change to valid messages: in actions and at pointers, on their way "in" or "out" or "both", by one of REWRITES."""

    rewrite: str
    action: tuple[str, ...] = ("*",)
    pointer: tuple[str, ...] = ("**",)
    direction: Literal["in", "out", "both"] = "out"
    values: dict[str, str] = {}
    reason: str = ""
    source: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Rewrite:
        """A rewrite as TOML gives it; ValueError that says what to change."""
        _require_known("rewrite", entry, cls.__struct_fields__)
        name = entry.get("rewrite")
        if not isinstance(name, str) or name not in REWRITES:
            raise ValueError(f"quirks: unknown rewrite {name!r}; {_versions.near(str(name), REWRITES)}")
        direction = entry.get("direction", "out")
        if direction not in ("in", "out", "both"):
            raise ValueError(f"quirks: direction is one of in, out, both, not {direction!r}")
        values = entry.get("values", {})
        if not _is_table(values) or (name == "replace") != bool(values):
            raise ValueError('quirks: the rewrite "replace", and no other, needs `values`, a table of strings')
        return cls(
            rewrite=name,
            action=checked_names("action", entry.get("action", "*")),
            pointer=checked_names("pointer", entry.get("pointer", "**")),
            direction=direction,
            values=dict(values),
            reason=str(entry.get("reason", "")),
            source=str(entry.get("source", "")),
        )

    def holds_for(self, action: str, direction: str) -> bool:
        """Whether it is for a message on its way in or out."""
        return self.direction in ("both", direction) and any(glob_of(one).fullmatch(action) for one in self.action)

    def holds_at(self, pointer: str) -> bool:
        """Whether it is for a place in a message."""
        return any(pointer_glob_of(one).fullmatch(pointer) for one in self.pointer)

    def made(self, value: Any) -> Any:
        """What it makes of a value."""
        return REWRITES[self.rewrite][1](value, self.values)


class Station(NamedTuple):
    """Who a station says it is, when it starts; "" or None, as in a BootNotification, for what it does not say."""

    vendor: str | None = ""
    model: str | None = ""
    firmware: str | None = ""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of some stations: patterns of vendor, model and firmware, case ignored, and what helps.

    `policy` holds entries for what they send amiss, `rewrites` change valid messages that they do not understand; `version` are the versions of
    OCPP ("1.6") that it is for.
    """

    name: str
    vendor: tuple[str, ...] = ("*",)
    model: tuple[str, ...] = ("*",)
    firmware: tuple[str, ...] = ("*",)
    version: tuple[str, ...] = ("*",)
    policy: Policy = Policy()
    rewrites: tuple[Rewrite, ...] = ()
    reason: str = ""
    source: str = ""

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Profile:
        """A profile as TOML gives it; ValueError that says what to change."""
        known = ("name", "vendor", "model", "firmware", "version", "rule", "rewrite", "reason", "source")
        _require_known("profile", entry, known)
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise ValueError(f"quirks: a profile needs its name, a str, not {name!r}")
        patterns = {
            part: checked_names(part, entry.get(part, "*")) for part in ("vendor", "model", "firmware", "version")
        }
        return cls(
            name=name,
            policy=Policy(entry.get("rule", ())),
            rewrites=tuple(map(Rewrite.of, entry.get("rewrite", ()))),
            reason=str(entry.get("reason", "")),
            source=str(entry.get("source", "")),
            **patterns,
        )

    def holds_for(self, station: Station, version: str) -> bool:
        """Whether it is for a station that speaks a version."""
        said = ((part or "").lower() for part in (*station, version))
        pairs = zip((self.vendor, self.model, self.firmware, self.version), said, strict=True)
        return all(any(glob_of(one.lower()).fullmatch(part) for one in patterns) for patterns, part in pairs)


class Quirks:
    """The profiles of many stations, an immutable value.

        session = Session(codec, "csms", quirks=Quirks.known)

    `Quirks.known` is the starter set that the package brings along, with its sources. `quirks | other` adds profiles, whose entries come later and so
    decide; `Quirks.from_toml` reads them from tables `[[profile]]`.
    """

    __slots__ = ("_codecs", "profiles")

    if TYPE_CHECKING:
        profiles: tuple[Profile, ...]
        _codecs: dict[tuple[Codec[Any], tuple[int, ...]], Codec[Any]]

    class _Known:
        def __get__(self, instance: object, owner: type[Quirks]) -> Quirks:
            return _known()

    known = _Known()

    def __init__(self, profiles: Iterable[Profile] = ()) -> None:
        object.__setattr__(self, "profiles", tuple(profiles))
        object.__setattr__(self, "_codecs", {})

    @classmethod
    def from_toml(cls, text: str) -> Quirks:
        """The profiles in a TOML text; ValueError that says what to change."""
        return cls(map(Profile.of, read_toml(text, "profile")))

    def of_station(self, station: Station, version: str) -> tuple[Profile, ...]:
        """The profiles that hold for a station, in order."""
        return tuple(profile for profile in self.profiles if profile.holds_for(station, version))

    def codec_for(self, codec: Codec[Any], station: Station) -> Codec[Any]:
        """The codec for a station: the one given, with the policies and rewrites of its profiles; that itself if there are none.

        Stations of one kind share their codec.
        """
        profiles = self.of_station(station, codec.version)
        if not profiles:
            return codec
        key = (codec, tuple(map(id, profiles)))
        made = self._codecs.get(key)
        if made is None:
            made = codec
            for profile in profiles:
                made = made.extend(profile=profile)
            if len(self._codecs) < _MOST_CODECS:
                self._codecs[key] = made
        return made

    def __or__(self, other: object) -> Quirks:
        if not isinstance(other, Quirks):
            return NotImplemented
        return Quirks((*self.profiles, *other.profiles))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quirks) and self.profiles == other.profiles

    def __hash__(self) -> int:
        return hash(tuple(profile.name for profile in self.profiles))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("quirks never change: make others with quirks | other")

    def __repr__(self) -> str:
        return f"Quirks(<{len(self.profiles)} profile{'' if len(self.profiles) == 1 else 's'}>)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Quirks, (self.profiles,)


_MOST_CODECS = 256  # kinds of stations whose codecs are kept; others get one of their own


class _Identity(msgspec.Struct):
    """Which message tells who a station is, and where."""

    action: str
    vendor: list[str]
    model: list[str]
    firmware: list[str]


@cache
def _identity() -> _Identity:
    (entry,) = read_toml(preset_text("identity"), "identity")
    return msgspec.convert(entry, _Identity)


def tells_station(action: str) -> bool:
    """Whether a message tells who a station is."""
    return action == _identity().action


def station_of(payload: Any) -> Station:
    """Who a station says it is, by the message that tells it."""
    is_text = isinstance(payload, UntypedPayload)
    tree: Any = msgspec.json.decode(payload.data) if is_text else msgspec.to_builtins(payload)
    identity = _identity()
    return Station(*(_first_at(tree, pointers) for pointers in (identity.vendor, identity.model, identity.firmware)))


def _first_at(tree: Any, pointers: list[str]) -> str:
    """The text at the first of the pointers where there is one."""
    for pointer in pointers:
        value = tree
        for step in pointer.split("/")[1:]:
            value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value.strip("\0 \t\r\n")
    return ""


# Rewriting


def rewritten_frame(frame: Any, rewrites: tuple[Rewrite, ...], direction: str) -> Any:
    """The frame after the rewrites of a direction; itself if they change nothing."""
    payload = getattr(frame, "payload", None)
    new = rewritten(payload, rewrites, direction)
    return frame if new is payload else type(frame)(frame.id, new)


def rewritten(payload: Any, rewrites: tuple[Rewrite, ...], direction: str) -> Any:
    """The payload after the rewrites of a direction; itself if they change nothing, or it is no Struct of a message."""
    action = getattr(payload, "__action__", None)
    if action is None or isinstance(payload, UntypedPayload):
        return payload
    meant = [one for one in rewrites if one.holds_for(action, direction)]
    return _changed(payload, "", meant) if meant else payload


def _changed(value: Any, path: str, rewrites: list[Rewrite]) -> Any:
    """A value with everything in it, changed where the rewrites say so."""
    if isinstance(value, msgspec.Struct):
        changes: dict[str, Any] = {}
        for attr, name in _wire_names(type(value)):
            old = getattr(value, attr)
            if old is None or old is msgspec.UNSET:
                continue
            new = _changed(old, f"{path}/{name}", rewrites)
            if new is not old:
                changes[attr] = new
        return msgspec.structs.replace(value, **changes) if changes else value
    if _is_list(value):
        items = value
        new_items = [_changed(item, f"{path}/{index}", rewrites) for index, item in enumerate(items)]
        return new_items if any(new is not old for new, old in zip(new_items, items, strict=True)) else items
    for one in rewrites:
        if one.holds_at(path):
            value = one.made(value)
    return value


@cache
def _wire_names(cls: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))


def _require_known(what: str, entry: object, known: Iterable[str]) -> None:
    if not _is_table(entry):
        raise ValueError(f"quirks: a {what} is a table of settings, not {entry!r}")
    unknown = set(entry) - set(known)
    if unknown:
        name = min(unknown)
        raise ValueError(f"quirks: unknown setting {name!r} of a {what}; {_versions.near(name, known)}")


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


@cache
def _known() -> Quirks:
    return Quirks.from_toml(preset_text("stations"))


@cache
def rewriting(base: Any) -> Any:
    """The class of the codecs that rewrite messages: of those that come in the last, of those that go out the first thing to be done."""

    class RewritingCodec(base):  # type: ignore[misc]
        __slots__ = ()

        def decode(self, data: Data, pending: Pending | None = None) -> Any:
            return rewritten_frame(base.decode(self, data, pending), self._settings.rewrites, "in")

        def decode_many(self, frames: Frames, pending: Pending | None = None) -> Any:
            from ._batch import decode_each

            return decode_each(self.decode, frames, pending)

        def decode_with_findings(self, data: Data, pending: Pending | None = None) -> Any:
            result: Tolerated[Any] = base.decode_with_findings(self, data, pending)
            return result.with_frame(rewritten_frame(result.frame, self._settings.rewrites, "in"))

        def resolve(self, frame: CallResult[Any], action: Any) -> Any:
            return rewritten_frame(base.resolve(self, frame, action), self._settings.rewrites, "in")

        def decode_payload(self, data: Data, action: str, kind: PayloadKind) -> Any:
            return rewritten(base.decode_payload(self, data, action, kind), self._settings.rewrites, "in")

        def encode(self, frame: AnyFrame) -> Any:
            return base.encode(self, rewritten_frame(frame, self._settings.rewrites, "out"))

        def encode_payload(self, payload: Any) -> Any:
            return base.encode_payload(self, rewritten(payload, self._settings.rewrites, "out"))

        def encode_with_extras(self, frame: AnyFrame, extras: Mapping[str, Any]) -> Any:
            return base.encode_with_extras(self, rewritten_frame(frame, self._settings.rewrites, "out"), extras)

    RewritingCodec.__name__ = RewritingCodec.__qualname__ = base.__name__.replace("Tolerant", "Rewriting")
    return RewritingCodec
