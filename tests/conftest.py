"""What all tests share: the two backends, how thoroughly Hypothesis searches, and what a machine must have."""

import os

import pytest
from hypothesis import HealthCheck, settings

from support.needs import need_module

BACKENDS = ("native", "python")
"""The names that `Codec(..., backend=...)` and OCPPCORE_BACKEND know."""

_MODULES = {"native": "ocppcore._native", "python": "ocppcore._pure"}
_forced = os.environ.get("OCPPCORE_BACKEND")


@pytest.fixture(params=(_forced,) if _forced else BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a backend; a test that asks for it runs once on each, or on the one that OCPPCORE_BACKEND forces."""
    name: str = request.param
    need_module(_MODULES[name], f"the {name} backend")
    return name


# Machines under load make slow examples: no deadlines. The generators here are deep, which is no fault of a test.
_common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("dev", max_examples=50, **_common)
# Under CI every run searches the same examples, so that a red run is a change's doing.
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_common)
settings.register_profile("long", max_examples=1_000, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev"))
