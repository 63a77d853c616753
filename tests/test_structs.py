"""A Struct that ocppcore built and one that msgspec built are the same thing to everybody who looks."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from ocppcore import PayloadError, Request, Response, v201
from support.backends import BACKENDS, codec
from support.emit import text_of
from support.frames import framed, pending_for
from support.instances import full, minimal
from support.model import MODULES, Payload, model
from support.needs import need_gil, need_module

if TYPE_CHECKING:
    from collections.abc import Iterator


def twins(module: str, backend: str) -> Iterator[tuple[Payload, Any, Any]]:
    """(payload, the Struct that our codec builds, the one that msgspec's own decoder builds), small and full."""
    version = model(module)
    for payload in version.payloads():
        for tree in (minimal(version, payload.type_name), full(version, payload.type_name)):
            text = text_of(tree)
            ours = codec(module, backend).decode_payload(text, payload.action, payload.kind)
            theirs = msgspec.json.decode(text, type=type(ours))
            yield payload, ours, theirs


def nodes(ours: Any, theirs: Any) -> Iterator[tuple[Any, Any]]:
    """The pairs of Structs within a pair of Structs, themselves included."""
    if isinstance(ours, msgspec.Struct):
        yield ours, theirs
        for name in ours.__struct_fields__:
            yield from nodes(getattr(ours, name), getattr(theirs, name))
    elif isinstance(ours, list):
        for our, their in zip(ours, theirs, strict=True):
            yield from nodes(our, their)


def hashed(value: Any) -> Any:
    try:
        return hash(value)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("module", MODULES)
def test_equal_hashed_and_shown_alike(module: str, backend: str) -> None:
    seen = 0
    for _, our, their in twins(module, backend):
        for ours, theirs in nodes(our, their):
            assert type(ours) is type(theirs)
            assert ours == theirs
            assert hashed(ours) == hashed(theirs)
            assert repr(ours) == repr(theirs)
            assert str(ours) == str(theirs)
            seen += 1
    assert seen > 100


@pytest.mark.parametrize("module", MODULES)
def test_copied_and_replaced_alike(module: str, backend: str) -> None:
    for _, ours, theirs in twins(module, backend):
        for twin in (
            copy.copy(ours),
            copy.deepcopy(ours),
            msgspec.structs.replace(ours),
            pickle.loads(pickle.dumps(ours)),
        ):
            assert type(twin) is type(ours)
            assert twin == theirs
            assert repr(twin) == repr(theirs)
        assert pickle.dumps(ours) == pickle.dumps(theirs) or pickle.loads(pickle.dumps(theirs)) == ours
        for name in ours.__struct_fields__[:2]:
            changed = msgspec.structs.replace(ours, **{name: None})
            assert changed == msgspec.structs.replace(theirs, **{name: None})
            assert getattr(ours, name) == getattr(theirs, name)


@pytest.mark.parametrize("module", MODULES)
def test_serialized_alike_by_msgspec(module: str, backend: str) -> None:
    for _, ours, theirs in twins(module, backend):
        assert msgspec.json.encode(ours) == msgspec.json.encode(theirs)
        assert msgspec.msgpack.encode(ours) == msgspec.msgpack.encode(theirs)
        assert msgspec.to_builtins(ours) == msgspec.to_builtins(theirs)
        assert msgspec.structs.asdict(ours) == msgspec.structs.asdict(theirs)
        assert msgspec.structs.astuple(ours) == msgspec.structs.astuple(theirs)
        assert msgspec.convert(msgspec.to_builtins(ours), type(ours)) == theirs


@pytest.mark.parametrize("module", MODULES)
def test_the_collector_and_the_allocator_see_them_alike(module: str, backend: str) -> None:
    for _, our, their in twins(module, backend):
        for ours, theirs in nodes(our, their):
            assert gc.is_tracked(ours) == gc.is_tracked(theirs)
            assert sys.getsizeof(ours) == sys.getsizeof(theirs)
            assert gc.get_referents(ours) == gc.get_referents(theirs)
            assert not hasattr(ours, "__dict__")


@pytest.mark.parametrize("module", MODULES)
def test_weak_references_are_refused_alike(module: str, backend: str) -> None:
    for _, ours, theirs in twins(module, backend):
        answers = []
        for struct in (ours, theirs):
            try:
                answers.append(weakref.ref(struct)() is struct)
            except TypeError as error:
                answers.append(str(error))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("module", MODULES)
def test_frozen_alike(module: str, backend: str) -> None:
    for _, ours, theirs in twins(module, backend):
        for struct in (ours, theirs):
            for name in struct.__struct_fields__[:1]:
                with pytest.raises(AttributeError, match="immutable"):
                    setattr(struct, name, None)
        with pytest.raises(AttributeError):
            ours.unknown = 1


@pytest.mark.parametrize("module", MODULES)
def test_values_have_plain_types_of_their_own(module: str, backend: str) -> None:
    """No list, no dict and no Struct that holds one, or a Struct, is shared between messages; what else is shared is frozen."""
    version = model(module)
    for payload in version.payloads():
        text = text_of(full(version, payload.type_name))
        reader = codec(module, backend)
        one, two = (reader.decode_payload(text, payload.action, payload.kind) for _ in range(2))
        assert not ({id(node) for node in mutable(one)} & {id(node) for node in mutable(two)})


def mutable(value: Any) -> Iterator[Any]:
    """What is mutable in a value, or holds something that is not a plain scalar."""
    if isinstance(value, msgspec.Struct):
        held = [getattr(value, name) for name in value.__struct_fields__]
        if not value.__struct_config__.frozen or any(isinstance(item, msgspec.Struct | list | dict) for item in held):
            yield value
        for item in held:
            yield from mutable(item)
    elif isinstance(value, list):
        yield value
        for item in value:
            yield from mutable(item)
    elif isinstance(value, dict):
        yield value
        for key, item in value.items():
            assert type(key) is str
            yield from mutable(item)
    elif value is not msgspec.UNSET:
        assert type(value).__name__ in ("str", "int", "float", "bool", "NoneType", "datetime"), type(value)


class Spot(msgspec.Struct, gc=False, kw_only=True):
    row: int


class ParkingResponse(Response, frozen=True, kw_only=True):
    __action__: ClassVar[str] = "VendorParking"


class ParkingRequest(Request[ParkingResponse], frozen=True, kw_only=True):
    __action__: ClassVar[str] = "VendorParking"
    spot: Spot


def test_a_struct_that_can_be_changed_is_never_shared(backend: str) -> None:
    reader = codec("v201", backend).extend(messages=[ParkingRequest])
    one, two = (reader.decode(b'[2,"an id of a call","VendorParking",{"spot":{"row":1}}]').payload for _ in range(2))
    one.spot.row = 2
    assert two.spot.row == 1


def test_what_is_shared_was_read_under_the_same_rules(backend: str) -> None:
    """A codec whose limits are raised, or another version, leaves nothing behind that a stricter one would take."""
    strict = codec("v201", backend)
    lenient = strict.extend(limits={"UnitOfMeasureType.unit": 30})
    long = "x" * 25
    data = (
        b'[2,"an id of a call","MeterValues",{"evseId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z",'
        b'"sampledValue":[{"value":1,"unitOfMeasure":{"unit":"%s"}},{"value":2,"unitOfMeasure":{"unit":"%s"}}]}]}]'
    )
    for text in ("Wh", long, "Wh"):
        for _ in range(3):
            frame = lenient.decode(data % (text.encode(), text.encode()))
            for sample in frame.payload.meter_value[0].sampled_value:
                assert sample.unit_of_measure == v201.UnitOfMeasureType(unit=text)
    for _ in range(3):
        with pytest.raises(PayloadError, match="unitOfMeasure/unit") as refused:
            strict.decode(data % (b"Wh", long.encode()))
        assert refused.value.path == "/meterValue/0/sampledValue/1/unitOfMeasure/unit"


def test_small_leaves_are_made_once() -> None:
    """The native backend gives an equal leaf again; a change made by the back door is the only thing that could tell."""
    need_gil()
    need_module("ocppcore._native", "the native backend")
    reader = codec("v201", "native").extend(messages=[ParkingRequest])  # with tables that nobody has used
    data = (
        b'[2,"an id of a call","GetReport",'
        b'{"requestId":1,"componentVariable":[{"component":{"evse":{"id":7},"name":"EVSE"}}]}]'
    )
    one, two = (reader.decode(data).payload.component_variable[0].component for _ in range(2))
    assert one is not two
    assert one.evse is two.evse


def test_references_are_counted_right() -> None:
    """Values are held once by their slot: nothing is leaked and nothing is freed too early."""
    for backend in BACKENDS:
        data = b'[2,"a message id","BootNotification",{"chargePointVendor":"a vendor","chargePointModel":"a model"}]'
        frame = codec("v16", backend).decode(data)
        theirs = msgspec.json.decode(
            b'{"chargePointVendor":"a vendor","chargePointModel":"a model"}', type=type(frame.payload)
        )
        payload = frame.payload
        ours = sys.getrefcount(payload.charge_point_vendor)
        right = sys.getrefcount(theirs.charge_point_vendor)
        assert ours == right
        del frame
        ours = sys.getrefcount(payload)
        right = sys.getrefcount(theirs)
        assert ours == right


class Told:
    """Something that tells when it is released."""

    def __init__(self, gone: list[str], name: str) -> None:
        self.gone, self.name = gone, name

    def __del__(self) -> None:
        self.gone.append(self.name)


def test_what_a_struct_holds_is_released_once(backend: str) -> None:
    """However it was made, and by a subclass of whatever sort."""
    codec("v201", backend).decode('[2,"1","Heartbeat",{}]')
    kept: Any = v201.StatusInfoType

    class Wider(kept):  # type: ignore[misc]
        more: Any = None

    class Tracked(kept, gc=True, weakref=True):  # type: ignore[misc]
        more: Any = None

    for kind in (kept, Wider, Tracked):
        gone: list[str] = []
        struct = kind(reason_code=Told(gone, "first"), additional_info=Told(gone, "second"))
        if kind is not kept:
            struct = msgspec.structs.replace(struct, more=Told(gone, "more"))
        twin = copy.copy(struct)
        del struct
        assert gone == []
        del twin
        assert sorted(gone) == sorted(["first", "second"] + ["more"] * (kind is not kept))


def test_half_made_structs_are_released_too(backend: str) -> None:
    """A field that is missing ends the making of a Struct some of whose slots are filled already."""
    reader = codec("v201", backend)
    held = "x" * 40
    frame = text_of([2, "1", "DataTransfer", {"messageId": held, "data": [held] * 3, "extra": 1}])
    gc.collect()
    before = sys.getrefcount(None)
    for _ in range(1_000):
        with pytest.raises(PayloadError):
            reader.decode(frame)
    gc.collect()
    drift = sys.getrefcount(None) - before  # others count references to it too, but not one or more for each frame
    assert abs(drift) < 500


def test_a_finalizer_that_a_class_is_given_later_runs(backend: str) -> None:
    reader = codec("v201", backend)
    gone: list[str] = []
    kind: Any = type(
        reader.decode('[3,"1",{"status":"Accepted","statusInfo":{"reasonCode":"x"}}]', {"1": "ClearCache"}).payload
    )
    try:
        kind.__del__ = lambda struct: gone.append(getattr(struct, "status"))  # noqa: B009
        struct = kind(status="Accepted")
        del struct
        assert gone == ["Accepted"]
    finally:
        del kind.__del__
    struct = kind(status="Accepted")
    del struct
    assert gone == ["Accepted"]


@pytest.mark.parametrize("module", MODULES)
def test_frames_are_values_too(module: str, backend: str) -> None:
    version = model(module)
    for payload in version.payloads():
        data = framed(payload, text_of(minimal(version, payload.type_name)))
        one, two = (codec(module, backend).decode(data, pending=pending_for(payload)) for _ in range(2))
        assert one == two
        assert repr(one) == repr(two)
        assert hashed(one) == hashed(two)
        assert copy.deepcopy(one) == one
        assert pickle.loads(pickle.dumps(one)) == one
        assert not gc.is_tracked(one)
        rebuilt = type(one)(one.id, one.payload)
        assert rebuilt == one
        assert sys.getsizeof(rebuilt) == sys.getsizeof(one)


OTHER_PROCESS = """
import pickle, sys
frames = pickle.load(sys.stdin.buffer)
from ocppcore import Codec
for subprotocol, data, pending, frame in frames:
    codec = Codec(subprotocol)
    assert codec.decode(data, pending=pending) == frame, data
    assert repr(codec.decode(data, pending=pending)) == repr(frame), data
    codec.encode(frame)
sys.stdout.buffer.write(pickle.dumps(frames))
"""


@pytest.mark.parametrize("here", BACKENDS)
@pytest.mark.parametrize("there", BACKENDS)
def test_pickles_cross_processes_and_backends(here: str, there: str) -> None:
    frames = []
    for module in MODULES:
        version = model(module)
        for payload in version.payloads()[::7]:
            data = framed(payload, text_of(full(version, payload.type_name)))
            pending = pending_for(payload)
            frames.append((version.subprotocol, data, pending, codec(module, here).decode(data, pending=pending)))
    environment = {**os.environ, "OCPPCORE_BACKEND": there}
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS],
        input=pickle.dumps(frames),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert pickle.loads(done.stdout) == frames


@pytest.mark.parametrize("module", MODULES)
def test_both_backends_build_equal_structs(module: str) -> None:
    need_module("ocppcore._native", "the native backend")
    for (_, native, _), (_, python, _) in zip(twins(module, "native"), twins(module, "python"), strict=True):
        assert native == python
        assert repr(native) == repr(python)
        assert json.dumps(msgspec.to_builtins(native)) == json.dumps(msgspec.to_builtins(python))
