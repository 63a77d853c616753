"""A frame that a policy has let pass, and what there was to let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from ._errors import Finding

T = TypeVar("T")
FrameT = TypeVar("FrameT", covariant=True)


class Tolerated(msgspec.Struct, Generic[FrameT], eq=False, gc=False):
    """What `Codec.decode_with_findings` gives: the frame, all that is wrong with it, and what its Structs have no place for.

    - `frame`: None when nothing could be read of which to make one. Its payload is an UntypedPayload when it does not fit its Struct.
    - `findings`: in the order of the data, each with the verdict of the policy; [] for a message without fault
    - `extras`: JSON pointer -> value of each field that the schema does not know; `Codec.encode_with_extras` writes them again
    - `clean`: whether there are no findings

    Findings and extras are made when they are first asked for, where the frame did not need them; `clean` asks for neither.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ("frame", "findings", "extras")

    # An engine makes these by the dozen, all fields given; others give a frame, findings and extras.
    frame: FrameT | None
    _findings: list[Finding] | None = None
    _extras: dict[str, Any] | None = None
    _reported: bool = False  # whether there are findings, of which nobody has told yet
    _look: Any = None  # who tells them, of which data, and what is pending
    _data: str | bytes | None = None
    _pending: Any = None

    @property
    def clean(self) -> bool:
        """Whether there are no findings."""
        return not (self._reported if self._findings is None else self._findings)

    @property
    def findings(self) -> list[Finding]:
        """What the policy has reported or repaired."""
        return self._told()[0]

    @property
    def extras(self) -> dict[str, Any]:
        """The fields that no Struct has a place for."""
        return self._told()[1]

    def _told(self) -> tuple[list[Finding], dict[str, Any]]:
        findings, extras = self._findings, self._extras
        if findings is None or extras is None:
            if self._look is None:
                findings, extras = [], {}
            else:
                told: Tolerated[Any] = self._look.tolerated(self._data, self._pending)
                findings, extras = told.findings, told.extras
            self._findings, self._extras = findings, extras
            self._look = self._data = self._pending = None
        return findings, extras

    def with_frame(self, frame: T) -> Tolerated[T]:
        """The same about another frame."""
        fields = (self._findings, self._extras, self._reported, self._look, self._data, self._pending)
        return Tolerated(frame, *fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tolerated):
            return NotImplemented
        mine = (self.frame, self.findings, self.extras)
        return mine == (other.frame, other.findings, other.extras)  # pyright: ignore[reportUnknownMemberType]

    def __ne__(self, other: object) -> bool:
        return not self == other  # a Struct would tell by identity

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Tolerated(frame={self.frame!r}, findings={self.findings!r}, extras={self.extras!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Tolerated, (self.frame, self.findings, self.extras)
