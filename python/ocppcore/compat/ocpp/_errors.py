"""What the exceptions of this package have in common."""

from __future__ import annotations

from typing import Any


class OCPPError(Exception):
    """An error with a wire code: raised by a handler it answers the CALL, received as a CALLERROR it can be raised by `call`."""

    code: str
    default_description = ""

    def __init__(self, description: str | None = None, details: Any = None) -> None:
        self.description = self.default_description if description is None else description
        self.details: Any = {} if details is None else details

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OCPPError) or other.__class__ is not self.__class__:
            return NotImplemented
        return (self.description, self.details) == (other.description, other.details)

    __hash__ = Exception.__hash__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} - description={self.description}, details={self.details}>"

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.description}, {self.details}"


class ValidationError(Exception):
    """Something other than a Call or a CallResult was given to be validated. It has no wire code."""


class UnknownCallErrorCodeError(Exception):
    """A CALLERROR with a code that OCPP does not define. It has no wire code."""
