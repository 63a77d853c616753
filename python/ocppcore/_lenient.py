"""What a codec with a policy writes once the strict check has refused it: values that the policy lets pass, untyped payloads, and extra fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._frames import UntypedPayload
from ._pure.engine import FRAME_DEPTH, Engine
from ._pure.walk import Walk, pointer
from ._pure.write import Writer, quote
from ._tolerant import steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._pure.engine import Head
    from ._pure.schema import ObjectType
    from ._tolerant import Tolerance


class _LenientWriter(Writer):
    """A writer that asks the policy about values that could be written though they break a rule, and puts extra fields where they were."""

    __slots__ = ("_action", "_extras", "_tolerance", "_transaction")

    def __init__(
        self,
        limits: Mapping[str, int],
        unset: object,
        depth: int,
        tolerance: Tolerance,
        action: str,
        extras: dict[str, dict[str, Any]],
    ) -> None:
        super().__init__(limits, unset, depth)
        self._tolerance = tolerance
        self._action = action
        self._transaction = tolerance.is_transaction(action)
        self._extras = extras

    def doubt(self, kind: str, expected: object = None, *last: str | int | None) -> None:
        """Go on where the policy reports or ignores."""
        path = pointer([*self.path, *(step for step in last if step is not None)])
        for rule in self._tolerance.policy.entries(kind, self._action, self._transaction, path, "out"):
            if rule.verdict == "refuse":
                break
            if rule.verdict != "repair":  # an object holds nothing that a repair could mend
                return
        self.fault(kind, expected, *last)

    def struct(self, type_: ObjectType, value: Any) -> None:
        """With the extra fields behind its own."""
        extras = self._extras.pop(pointer(self.path), None) if self._extras else None
        super().struct(type_, value)
        if extras is None:
            return
        before = self.parts.pop().removesuffix("}") or ","
        for name, item in extras.items():
            if name in type_.by_name:
                raise ValueError(f"extras: {name!r} is a field of {type_.name} itself; set it there")
            self.parts.append(f"{before}{quote(name)}:")
            before = ","
            self.path.append(name)
            self.free(item)
            self.path.pop()
        self.parts.append("}")

    def text(self) -> str:
        """What has been written."""
        if self._extras:
            parent = next(iter(self._extras))
            raise ValueError(
                f"extras: the payload has no object of a schema at {parent!r}, so nothing can be put into it"
            )
        return super().text()


class LenientEngine(Engine):
    """The Python engine, which also writes what a policy reports or ignores on its way out, untyped payloads, and extra fields."""

    __slots__ = ("_extras", "_tolerance")

    _extras: Mapping[str, Any]
    _tolerance: Tolerance

    @classmethod
    def of(cls, tolerance: Tolerance, extras: Mapping[str, Any]) -> LenientEngine:
        """The engine for one message; `extras` maps pointers to values."""
        engine: Any = cls.__new__(cls, tolerance.schema, tolerance.max_size, tolerance.limits, tolerance.make_error)
        for name, value in (("_tolerance", tolerance), ("_extras", extras)):
            object.__setattr__(engine, name, value)
        return cast("LenientEngine", engine)

    def _writer(self, head: Head, depth: int = 0) -> Writer:
        beside: dict[str, dict[str, Any]] = {}
        for path, value in self._extras.items():
            parent, slash, _ = path.rpartition("/")
            if not slash:
                raise ValueError(f"extras: a JSON pointer to a field of the payload begins with /, unlike {path!r}")
            beside.setdefault(parent, {})[steps_of(path)[-1]] = value
        unset = self._schema.door["UNSET"]
        return _LenientWriter(self._limits, unset, depth, self._tolerance, head.action or "", beside)

    def _rest_of_frame(self, kind: str, frame: Any, head: Head) -> Callable[[Writer], None]:
        payload = getattr(frame, "payload", None)
        if not isinstance(payload, UntypedPayload):
            return super()._rest_of_frame(kind, frame, head)
        head.action = payload.action
        before = "," if kind == "callresult" else f",{quote(payload.action)},"
        data = payload.data
        return lambda writer: writer.parts.append(before + self._well_formed(data))

    def _well_formed(self, data: bytes) -> str:
        """The text of an untyped payload: any JSON value, as it is, with numbers of any size."""
        walk = Walk(self._schema, data, self._limits, found=[], depth=FRAME_DEPTH)
        walk.begins()
        walk.anything()
        walk.end_of_text()
        return walk.text[: walk.end]
