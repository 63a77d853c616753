"""The codec: the one object that turns data into frames and frames into data.

`Codec(...)` gives an instance of a subclass that also inherits the backend's Engine, so that `codec.decode` is the engine's own method:
no Python call stands between a user and the native code. What is written here are the engine's promises, its settings, and the few methods
that one implementation serves for both backends.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, cast, overload

import msgspec

from . import _backend, _versions
from ._codes import spell_code
from ._errors import EncodeError, Finding, OcppError, checked_codes, error_maker, rules_of
from ._frames import UntypedPayload
from ._payloads import Request, Response
from ._tolerated import Tolerated
from ._vocabulary import Vocabulary, built_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Buffer

    from . import v16, v21, v201
    from ._batch import Verdicts
    from ._frames import Call, CallError, CallResult, CallResultError, Peek, Send
    from ._payloads import Message, Payload, SendPayload
    from ._policy import Policy
    from ._pure.schema import ObjectType
    from ._quirks import Profile, Rewrite
    from ._tolerant import Outcome, Tolerance

    Data = str | Buffer
    Frames = Data | Iterable[Data]
    Pending = (
        Mapping[str, str] | Mapping[str, type[Request[Any]]] | Mapping[str, str | type[Request[Any]] | type[Response]]
    )
    AnyFrame = Call[Any] | CallResult[Any] | CallError | CallResultError | Send[Any]
    PayloadKind = Literal["request", "response", "send"]
    Messages = (
        Iterable[type[Request[Any]] | type[Response] | type[SendPayload]]
        | Mapping[str, Mapping[str, Mapping[str, Any]]]
    )

FrameT = TypeVar("FrameT", covariant=True)
ResponseT = TypeVar("ResponseT", bound=Response)

DEFAULT_MAX_SIZE = 1 << 20


class _Settings(msgspec.Struct, frozen=True):
    """What makes a codec the one that it is. All of it is immutable or never changed."""

    version: _versions.Version
    asked: str | None  # the backend that the user named
    backend: _backend.BackendName
    max_size: int
    vocabulary: Vocabulary
    limits: dict[str, int]
    codes: dict[str, str]
    extensions: tuple[Any, ...]  # what extend() was given as `messages`, in order: a pickle carries it
    policy: Policy | None  # looked at after a strict check has failed
    rewrites: tuple[Rewrite, ...]  # made on every message, for stations that need them


class Codec(Generic[FrameT]):
    """Decodes, validates and encodes the frames of one version of OCPP.

        codec = Codec("ocpp2.0.1")
        frame = codec.decode(data)

    `subprotocol` is the WebSocket subprotocol that the connection settled on: "ocpp1.6", "ocpp2.0.1" or "ocpp2.1". Data longer than `max_size`
    bytes is refused before it is looked at. `backend` forces "native" or "python" for this codec; else OCPPCORE_BACKEND does, else the
    native one is taken where it is installed. Both give the same answers.

    A codec never changes and may be shared between connections, threads and (pickled) processes. Making one is cheap after the first
    of its version.

    Data that breaks a rule raises OcppError and nothing else. ValueError and TypeError mean that the library is misused.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _settings: _Settings  # a slot of the subclass

    @overload
    def __new__(
        cls, subprotocol: Literal["ocpp1.6"], *, max_size: int = ..., backend: Literal["native", "python"] | None = ...
    ) -> Codec[v16.Frame]: ...
    @overload
    def __new__(
        cls,
        subprotocol: Literal["ocpp2.0.1"],
        *,
        max_size: int = ...,
        backend: Literal["native", "python"] | None = ...,
    ) -> Codec[v201.Frame]: ...
    @overload
    def __new__(
        cls, subprotocol: Literal["ocpp2.1"], *, max_size: int = ..., backend: Literal["native", "python"] | None = ...
    ) -> Codec[v21.Frame]: ...
    @overload
    def __new__(cls, subprotocol: str, *, max_size: int = ..., backend: str | None = ...) -> Codec[Any]: ...
    def __new__(cls, subprotocol: str, *, max_size: int = DEFAULT_MAX_SIZE, backend: str | None = None) -> Codec[Any]:
        if cls is not Codec:
            raise TypeError("a codec is taught by extend(...), not by subclassing Codec")
        version = _versions.version_of(subprotocol)
        choice = _backend.choose(backend)
        return _make(
            _Settings(
                version=version,
                asked=backend,
                backend=choice.name,
                max_size=_checked_size(max_size),
                vocabulary=built_in(version.module),
                limits={},
                codes={},
                extensions=(),
                policy=None,
                rewrites=(),
            )
        )

    # What the codec is

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol, "ocpp2.0.1" say."""
        return self._settings.version.subprotocol

    @property
    def version(self) -> str:
        """The version's number: "1.6", "2.0.1" or "2.1"."""
        return self._settings.version.number

    @property
    def backend(self) -> Literal["native", "python"]:
        """The backend that does the work."""
        return self._settings.backend

    @property
    def max_size(self) -> int:
        """The number of bytes that data may have."""
        return self._settings.max_size

    @property
    def policy(self) -> Policy:
        """What the codec does about each broken rule; `Policy.strict` when it was given none."""
        if self._settings.policy is not None:
            return self._settings.policy
        from ._policy import Policy

        return Policy.strict

    @property
    def is_graded(self) -> bool:
        """Whether the codec was given a policy or a profile."""
        return self._settings.policy is not None

    @property
    def messages(self) -> Mapping[str, Message]:
        """Action -> Message of everything that this codec knows, the messages of `extend` included."""
        return self._settings.vocabulary.messages

    def sent_by(self, role: Literal["csms", "station"]) -> Mapping[type[Payload], type[Response] | None]:
        """The types of the requests that one side may send, each with its response; on 2.1 those of the SENDs too, with None."""
        return self._settings.vocabulary.sent_by(role)

    # In. The engine of the backend stands before this class in the order of inheritance and has these methods.

    def decode(self, data: Data, pending: Pending | None = None) -> FrameT:
        """The frame in `data` (str or any buffer), its payload a typed Struct, all of it checked.

        A CALLRESULT does not name its action. `pending` maps message ids to actions (or request or response types): where it has the id, the
        payload is typed, else it is a RawPayload for `resolve`. Raises OcppError at the first fault in document order.
        """
        self._engine()

    def decode_with_findings(self, data: Data, pending: Pending | None = None) -> Tolerated[FrameT]:
        """The frame, what the codec's policy let pass or repaired in it, and the fields that no Struct has a place for.

        `decode` gives the same frame without the findings. Raises OcppError where the policy refuses; a text of which no frame can be made
        gives findings and None as the frame, if the policy does not refuse it. A codec without a policy refuses every fault.
        """
        self._engine()

    def validate(self, data: Data, pending: Pending | None = None) -> None:
        """Check `data` by the same rules as decode and build nothing. Raises OcppError."""
        self._engine()

    def decode_many(self, frames: Frames, pending: Pending | None = None) -> list[FrameT | OcppError]:
        """What decode gives for each frame, or the OcppError that it raises, in order; no frame ends the work on the others.

        `frames` is an iterable of str and buffers, or one str or buffer with a frame in each line (`\\n` or `\\r\\n`; empty lines are left
        out). Offsets of errors count from the start of their frame. TypeError for an item that is neither str nor buffer.
        """
        self._engine()

    def validate_many(self, frames: Frames, *, threads: int = 1) -> Verdicts:
        """Check many frames, given as for `decode_many`, and build nothing: how many are fine, and kind and offset of each first fault.

        Answers are checked without knowing what they answer. The native backend does it without the GIL, on as many threads as asked for (1 to
        64), which have ended when this returns; the Python backend takes one frame after the other. TypeError for an item that is
        neither str nor buffer.
        """
        from ._batch import checked_threads, verdicts_of

        return verdicts_of(*self._check_many(frames, checked_threads(threads)))

    def _check_many(self, frames: Frames, threads: int) -> tuple[bytes, bytes]:
        self._engine()

    def peek(self, data: Data) -> Peek:
        """Type, id and action of a frame; what comes after is not looked at, nor need the action be known. Raises OcppError."""
        self._engine()

    @overload
    def resolve(self, frame: CallResult[Any], action: type[Request[ResponseT]]) -> CallResult[ResponseT]: ...
    @overload
    def resolve(self, frame: CallResult[Any], action: type[ResponseT]) -> CallResult[ResponseT]: ...
    @overload
    def resolve(self, frame: CallResult[Any], action: str) -> CallResult[Any]: ...
    def resolve(self, frame: CallResult[Any], action: Any) -> CallResult[Any]:
        """The CALLRESULT with its payload typed as the response of `action`: a name, a request type or a response type.

        A frame that has that type already comes back as it is. Raises OcppError, with offsets into the original frame; ValueError for an
        action that the codec does not know and for a frame that answers another one.
        """
        self._engine()

    def decode_payload(self, data: Data, action: str, kind: PayloadKind) -> Any:
        """A payload that comes without a frame: the Struct of the action's "request", "response" or "send". Raises OcppError."""
        self._engine()

    # Out

    def encode(self, frame: AnyFrame) -> bytes:
        """The frame as canonical JSON: compact, fields in the schema's order, validated like input. Raises EncodeError."""
        self._engine()

    def encode_payload(self, payload: Request[Any] | Response | SendPayload) -> bytes:
        """A payload without a frame, as `encode` writes it. Raises EncodeError."""
        self._engine()

    def _engine(self) -> NoReturn:
        raise NotImplementedError("the engine of the backend does this")

    # What the Python backend does for both

    def explain(
        self, data: Data, pending: Pending | None = None, *, advice: bool = True, redact: bool = False
    ) -> list[Finding]:
        """Everything wrong with `data`, for people, in order of bytes: [] when it is fine. It raises for no data.

        Beside the faults that decode would raise, all of them, stand those of the specification tier: what the text of the standard says
        beyond its schemas. They have the severity "warning" or "info" and refuse nothing unless a policy asks for it; `advice=False` leaves
        them out. With `redact` nothing is quoted of values that may hold a token or a password.
        """
        from . import _explain  # for explanations only: it would slow down every import

        survey = self._walker().survey(data, pending)
        settings = self._settings
        findings = _explain.explain(survey, settings.version, tuple(settings.codes.items()), advice=advice)
        if redact:
            ranges = _explain.hidden(survey, settings.version)
            findings = [_explain.redacted(finding, ranges) for finding in findings]
        return findings

    def from_builtins(self, action: str, kind: PayloadKind, obj: Mapping[str, Any]) -> Any:
        """The Struct of a payload given as plain dicts and lists by wire names, checked like data. Raises EncodeError with a pointer."""
        return self._walker().from_builtins(action, kind, obj)

    def encode_with_extras(self, frame: AnyFrame, extras: Mapping[str, Any]) -> bytes:
        """The frame with fields that no Struct has a place for, {"/vendorField": 1}, as `decode_with_findings` gave them. Raises EncodeError.

        ValueError for a pointer to no object of the payload, or to a field that the frame has itself.
        """
        from ._lenient import LenientEngine

        encoded: bytes = LenientEngine.of(self._tolerance(), extras).encode(frame)
        return encoded

    def _tolerance(self) -> Tolerance:
        """The second look by this codec's policy: one without a policy refuses everything."""
        from ._policy import Policy

        return _tolerance_of(msgspec.structs.replace(self._settings, policy=Policy.strict), self)

    def _walker(self) -> Any:
        return _backend.load("python").Engine(*_arguments(self._settings, "python"))

    def spell(self, code: str) -> str:
        """A wire code, in any version's spelling, as this version writes it; a code that no version defines comes back as it is."""
        return spell_code(code, self.version)

    # Another codec

    @overload
    def extend(
        self,
        *,
        limits: Mapping[str, int] | None = ...,
        codes: Mapping[str, str] | None = ...,
        max_size: int | None = ...,
        policy: Policy | None = ...,
        profile: Profile | None = ...,
    ) -> Codec[FrameT]: ...
    @overload
    def extend(
        self,
        *,
        messages: Messages | None,
        limits: Mapping[str, int] | None = ...,
        codes: Mapping[str, str] | None = ...,
        max_size: int | None = ...,
        policy: Policy | None = ...,
        profile: Profile | None = ...,
    ) -> Codec[FrameT | Call[Any] | CallResult[Any]]: ...
    def extend(
        self,
        *,
        messages: Messages | None = None,
        limits: Mapping[str, int] | None = None,
        codes: Mapping[str, str] | None = None,
        max_size: int | None = None,
        policy: Policy | None = None,
        profile: Profile | None = None,
    ) -> Codec[Any]:
        """A new codec that knows more or allows more; this one stays as it is, and the tables are shared where they can be.

        - `messages`: an iterable of Struct classes for actions of your own, or as stricter payloads of known ones:

              class PingResponse(Response, frozen=True, kw_only=True):
                  __action__: ClassVar[str] = "VendorPing"
                  ok: bool

              class PingRequest(Request[PingResponse], frozen=True, kw_only=True):
                  __action__: ClassVar[str] = "VendorPing"
                  name: Annotated[str, Meta(max_length=20)]
                  count: int | None = None

          or a mapping of actions to JSON Schemas, {"VendorPing": {"request": {...}, "response": {...}}}, from which such classes are made;
          `codec.messages` has them. Their frames cannot be pickled, since such classes have no module to be found in.
        - `limits`: lengths that this connection may use, {"IdTokenType.idToken": 64}, raised only. They serve `FieldLength` of 2.x.
        - `codes`: wire codes by kind of fault that replace the table's, {"missing": "ProtocolError"}.
        - `max_size`: the size limit in bytes.
        - `policy`: what to accept of what breaks a rule, `Policy.tolerant` say. It takes the place of the codec's own; `codec.policy | more` adds to it.
        - `profile`: the quirks of a kind of stations, added to the policy and to the rewrites that there are. `Quirks` picks profiles.

        Raises ValueError that says what to change.
        """
        old = self._settings
        vocabulary, extensions = old.vocabulary, old.extensions
        if messages is not None:
            from ._extend import with_messages
            from ._from_schemas import is_mapping

            if not hasattr(messages, "__iter__") or hasattr(messages, "casefold"):  # a str
                raise TypeError(
                    "messages is a list of Struct classes, or a dict of JSON Schemas by action, "
                    f"not {type(messages).__name__}"
                )
            given = messages if is_mapping(messages) else tuple(messages)
            vocabulary = with_messages(vocabulary, given)
            extensions = (*extensions, given)
        raised = dict(old.limits)
        if limits is not None:
            from ._extend import checked_limits

            raised.update(checked_limits(vocabulary, raised, limits))
        own_codes = dict(old.codes)
        if codes is not None:
            own_codes.update(checked_codes(codes, old.version.number))
        graded = old.policy if policy is None else _checked_policy(policy, vocabulary)
        rewrites = old.rewrites
        if profile is not None:
            _checked_policy(profile.policy, vocabulary)
            graded = profile.policy if graded is None else graded | profile.policy
            rewrites += profile.rewrites
        new = msgspec.structs.replace(
            old,
            vocabulary=vocabulary,
            extensions=extensions,
            limits=raised,
            codes=own_codes,
            max_size=old.max_size if max_size is None else _checked_size(max_size),
            policy=graded,
            rewrites=rewrites,
        )
        return _make(new, self._sibling())

    def _sibling(self) -> Codec[Any]:
        """This codec without its policy."""
        return self

    def __repr__(self) -> str:
        return f"Codec({self.subprotocol!r}, backend={self.backend!r})"

    def __copy__(self) -> Codec[FrameT]:
        return self

    def __deepcopy__(self, memo: object) -> Codec[FrameT]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        s = self._settings
        return _restore, (
            s.version.subprotocol,
            s.asked,
            s.max_size,
            s.extensions,
            s.limits,
            s.codes,
            s.policy,
            s.rewrites,
        )


@cache
def _class_of(backend: _backend.BackendName) -> Any:
    """The class of the codecs that run on a backend: its engine, with the door's promises behind it."""
    engine: Any = _backend.load(backend).Engine

    class BackendCodec(engine, Codec[Any]):  # type: ignore[misc]
        __slots__ = ("_settings",)

        def __init__(self, *_: object, **__: object) -> None:  # pyright: ignore[reportInconsistentConstructor]
            """Nothing is left to do when Python calls this with the arguments of Codec(...)."""

        def __setattr__(self, name: str, value: object) -> None:
            if hasattr(self, "_settings"):
                raise AttributeError(
                    f"a codec never changes: make another one with extend(...) instead of setting {name!r}"
                )
            object.__setattr__(self, name, value)

        # One implementation serves both backends, whatever else an engine offers.
        explain: Any = Codec[Any].explain
        from_builtins: Any = Codec[Any].from_builtins
        _decode_strictly: Any = engine.decode

    BackendCodec.__name__ = BackendCodec.__qualname__ = {"native": "NativeCodec", "python": "PureCodec"}[backend]
    return BackendCodec


@cache
def _tolerant_class_of(backend: _backend.BackendName) -> Any:
    """The class of the codecs that have a policy: the engine's methods first, and what it refuses is looked at again."""
    engine: Any = _backend.load(backend).Engine
    base: Any = _class_of(backend)

    class TolerantCodec(base):  # type: ignore[misc]
        __slots__ = ("_look", "_strict")

        def _sibling(self) -> Codec[Any]:
            return cast("Codec[Any]", self._strict)

        def _tolerance(self) -> Tolerance:
            return cast("_SecondLook", self._look).tolerance()

        def validate(self, data: Data, pending: Pending | None = None) -> None:
            try:
                engine.validate(self, data, pending)
            except OcppError as error:
                outcome = cast("_SecondLook", self._look).outcome(error, data, pending)
            else:
                return
            outcome.accepted()

        def _check_many(self, frames: Frames, threads: int) -> tuple[bytes, bytes]:
            from ._batch import frames_of, look_again

            held = list(frames_of(frames))
            return look_again(engine._check_many(self, held, threads), self.validate, held)

        def resolve(self, frame: CallResult[Any], action: Any) -> Any:
            try:
                return engine.resolve(self, frame, action)
            except OcppError:
                outcome = self._tolerance().resolved(frame, action)
            return outcome.accepted()

        def decode_payload(self, data: Data, action: str, kind: PayloadKind) -> Any:
            try:
                return engine.decode_payload(self, data, action, kind)
            except OcppError:
                outcome = self._tolerance().payload(data, action, kind)
            return outcome.accepted()

        def encode(self, frame: AnyFrame) -> Any:
            try:
                return engine.encode(self, frame)
            except EncodeError:
                pass
            except TypeError:
                if not isinstance(getattr(frame, "payload", None), UntypedPayload):
                    raise
            return base.encode_with_extras(self, frame, {})

        def encode_payload(self, payload: Any) -> Any:
            try:
                return engine.encode_payload(self, payload)
            except EncodeError:
                from ._lenient import LenientEngine

                lenient = LenientEngine.of(self._tolerance(), {})
            return lenient.encode_payload(payload)

    TolerantCodec.__name__ = TolerantCodec.__qualname__ = f"Tolerant{base.__name__}"
    return TolerantCodec


def _make(settings: _Settings, known: Codec[Any] | None = None) -> Codec[Any]:
    """The codec of some settings. One with a policy reads strictly first, with the known codec where that differs in the policy alone."""
    engine: Any = _backend.load(settings.backend).Engine
    arguments = _arguments(settings, settings.backend)
    codec: Any
    if settings.policy is None:
        codec = engine.__new__(_class_of(settings.backend), *arguments)
    else:
        # The engine itself asks for a second look, so that data without fault costs what it costs without a policy.
        plain = msgspec.structs.replace(settings, policy=None, rewrites=())
        fits = known is not None and cast("Any", known)._settings == plain
        strict = cast("Codec[Any]", known) if fits else _make(plain)
        look = _SecondLook(settings, strict)
        class_, tier = _tolerant_class_of(settings.backend), None
        if settings.policy.names_spec_rules:
            from ._spec_tier import SpecTier, checking  # for codecs that ask for it only

            rules = rules_of(settings.version.subprotocol, tuple(settings.codes.items()))
            class_, tier = checking(class_), SpecTier(look.tolerance, settings.version, rules)
        if settings.rewrites:
            from ._quirks import rewriting

            class_ = rewriting(class_)
        codec = engine.__new__(class_, *arguments, look)
        codec._strict, codec._look = strict, look
        if tier is not None:
            codec._tier = tier
    codec._settings = settings
    return cast("Codec[Any]", codec)


class _SecondLook:
    """What the engine of a codec with a policy asks when it refuses data."""

    __slots__ = ("_frame", "_settings", "_strict", "_tolerance")

    def __init__(self, settings: _Settings, strict: Codec[Any]) -> None:
        self._settings = settings
        self._strict = strict
        self._tolerance: Tolerance | None = None  # made, like the next, at the first refusal
        self._frame: Callable[..., Outcome[Any]] | None = None

    def __call__(self, error: Exception, data: Data, pending: Pending | None) -> Any:
        """What the policy makes of data that a strict decode has refused."""
        if not isinstance(error, OcppError):
            raise error
        return self.outcome(error, data, pending).accepted()

    def outcome(self, error: OcppError, data: Data, pending: Pending | None) -> Outcome[Any]:
        """The same, with all that comes of it."""
        if self._frame is None:
            from ._stepwise import frame  # for codecs with a policy only

            self._frame = partial(frame, self.tolerance())
        return self._frame(error, data, pending)

    def tolerated(self, data: Data, pending: Pending | None) -> Tolerated[Any]:
        """What comes of data in which something is wrong, by the longest look. Raises OcppError where the policy refuses."""
        try:
            self._strict.decode(data, pending)
        except OcppError as error:
            outcome = self.outcome(error, data, pending)
        else:
            raise AssertionError("the strict codec takes what the graded one has refused")
        if outcome.refused:
            outcome.accepted()
        return Tolerated(outcome.value, outcome.findings(), outcome.extras)

    def settle(self, *fault: Any) -> tuple[str, object]:
        """What the policy decides about one fault while the native engine's walk goes on: see `_settle.settle`."""
        from ._settle import settle

        return settle(self.tolerance(), *fault)

    def passes(self, payload: ObjectType, kind: str, path: str, expected: object, token: str) -> int:
        """Whether the policy lets a value pass while the Python engine's walk goes on: see `_settle.passes`."""
        tolerance = self._tolerance or self.tolerance()
        passed = tolerance.passed.get((payload.name, kind, path, token))
        if passed is None:
            from ._settle import passes

            passed = passes(tolerance, payload, kind, path, expected, token)
        return passed

    def tolerance(self) -> Tolerance:
        """The policy at work."""
        if self._tolerance is None:
            self._tolerance = _tolerance_of(self._settings, self._strict)
        return self._tolerance


def _tolerance_of(settings: _Settings, strict: Codec[Any]) -> Tolerance:
    from ._tolerant import Tolerance

    assert settings.policy is not None
    return Tolerance(_arguments(settings, "python"), settings.policy, settings.vocabulary.messages, strict.decode)


def _arguments(settings: _Settings, backend: _backend.BackendName) -> tuple[Any, ...]:
    """What an Engine is made of: the tables, the size limit, the raised lengths, and the maker of errors."""
    schema = _backend.schema(settings.vocabulary, backend)
    rules = rules_of(settings.version.subprotocol, tuple(settings.codes.items()))
    return schema, settings.max_size, settings.limits, error_maker(rules)


def _restore(
    subprotocol: str,
    asked: str | None,
    max_size: int,
    extensions: tuple[Any, ...],
    limits: dict[str, int],
    codes: dict[str, str],
    policy: Policy | None = None,
    rewrites: tuple[Rewrite, ...] = (),
) -> Codec[Any]:
    """A pickled codec. A backend that nobody asked for is chosen anew: the other process may have another one."""
    codec: Codec[Any] = Codec(subprotocol, max_size=max_size, backend=asked)
    for messages in extensions:
        codec = codec.extend(messages=messages)
    if limits or codes or policy is not None:
        codec = codec.extend(limits=limits, codes=codes, policy=policy)
    if rewrites:
        from ._quirks import Profile

        codec = codec.extend(profile=Profile(name="restored", rewrites=rewrites))
    return codec


def _checked_policy(policy: object, vocabulary: Vocabulary) -> Policy:
    from ._policy import Policy, check_actions

    if not isinstance(policy, Policy):
        raise TypeError(f"policy must be a Policy, such as Policy.tolerant, not {type(policy).__name__}")
    check_actions(policy, vocabulary.messages)
    return policy


def _checked_size(max_size: object) -> int:
    if not isinstance(max_size, int) or isinstance(max_size, bool):
        raise TypeError(f"max_size must be an int, a number of bytes, not {type(max_size).__name__}")
    if max_size < 1:
        raise ValueError(f"max_size must be at least 1 byte, not {max_size}")
    if max_size > sys.maxsize:
        raise ValueError(f"max_size must be a size that memory can have, at most {sys.maxsize}, not {max_size}")
    return max_size
