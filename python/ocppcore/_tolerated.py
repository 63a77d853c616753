"""A frame that a policy has let pass, and what there was to let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._errors import Finding

T = TypeVar("T")
FrameT = TypeVar("FrameT", covariant=True)


class Tolerated(Generic[FrameT]):
    """What `Codec.decode_with_findings` gives: the frame, all that is wrong with it, and what its Structs have no place for.

    - `frame`: None when nothing could be read of which to make one. Its payload is an UntypedPayload when it does not fit its Struct.
    - `findings`: in the order of the data, each with the verdict of the policy; [] for a message without fault
    - `extras`: JSON pointer -> value of each field that the schema does not know; `Codec.encode_with_extras` writes them again
    - `clean`: whether there are no findings

    Findings and extras are made when they are first asked for, where the frame did not need them; `clean` asks for neither.
    """

    __slots__ = ("_clean", "_extras", "_findings", "_tell", "frame")
    __match_args__ = ("frame", "findings", "extras")

    def __init__(self, frame: FrameT | None, findings: list[Finding], extras: dict[str, Any]) -> None:
        self.frame = frame
        self._findings = findings
        self._extras = extras
        self._clean = not findings
        self._tell: Callable[[], tuple[list[Finding], dict[str, Any]]] | None = None

    @staticmethod
    def later(frame: T, clean: bool, tell: Callable[[], tuple[list[Finding], dict[str, Any]]]) -> Tolerated[T]:
        """One whose findings and extras `tell` makes."""
        made: Tolerated[T] = Tolerated(frame, [], {})
        made._clean = clean
        made._tell = tell
        return made

    @property
    def clean(self) -> bool:
        """Whether there are no findings."""
        return self._clean

    @property
    def findings(self) -> list[Finding]:
        """What the policy has reported or repaired."""
        self._told()
        return self._findings

    @property
    def extras(self) -> dict[str, Any]:
        """The fields that no Struct has a place for."""
        self._told()
        return self._extras

    def _told(self) -> None:
        if self._tell is not None:
            self._findings, self._extras = self._tell()
            self._tell = None

    def with_frame(self, frame: T) -> Tolerated[T]:
        """The same about another frame."""
        if self._tell is not None:
            return Tolerated.later(frame, self._clean, self._tell)
        return Tolerated(frame, self.findings, self.extras)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tolerated):
            return NotImplemented
        mine = (self.frame, self.findings, self.extras)
        return mine == (other.frame, other.findings, other.extras)  # pyright: ignore[reportUnknownMemberType]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Tolerated(frame={self.frame!r}, findings={self.findings!r}, extras={self.extras!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Tolerated, (self.frame, self.findings, self.extras)
