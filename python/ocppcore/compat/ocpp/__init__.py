"""PyPI `ocpp` on ocppcore: the same names for a user's file to import, and `accelerate()` for those who stay with the package.

from ocppcore.compat.ocpp import accelerate

accelerate()          # the installed `ocpp` unpacks, validates and converts by ocppcore from here on
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._accelerate import Acceleration, accelerate, restore

__all__ = ["Acceleration", "accelerate", "restore"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(_import_module(f"{__name__}._accelerate"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
