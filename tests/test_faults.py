"""Every row of cases_faults, on every backend: kind, pointer, byte and expectation; and that the rows speak of every kind of fault."""

from __future__ import annotations

from typing import Any

import pytest

from cases_faults import BYTES, Case, cases
from ocppcore import OcppError
from ocppcore._versions import errors
from support.backends import BACKENDS, codec

CASES = cases()


def name_of(case: Case) -> str:
    return f"{case.module} {case.kind} {case.data!r:.50}"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))
def test_a_fault_is_told_by_kind_place_and_expectation(case: Case, backend: str) -> None:
    reader = codec(case.module, backend)
    for read in (reader.decode, reader.validate):
        with pytest.raises(OcppError) as caught:
            read(case.data, pending=case.pending)
        error = caught.value
        assert (error.kind, error.path, error.offset) == (case.kind, case.path, case.offset)
        assert error.expected == case.expected
        assert type(error.expected) is type(case.expected)
    first = reader.explain(case.data, pending=case.pending, advice=False)[0]
    assert (first.kind, first.path, first.offset, first.expected) == (case.kind, case.path, case.offset, case.expected)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case.data, str)], ids=name_of)
def test_bytes_and_text_have_the_same_fault(case: Case, backend: str) -> None:
    assert isinstance(case.data, str)
    data = case.data.encode("utf-8", "surrogatepass")
    with pytest.raises(OcppError) as caught:
        codec(case.module, backend).decode(bytearray(data), pending=case.pending)
    assert (caught.value.kind, caught.value.path, caught.value.offset) == (case.kind, case.path, case.offset)


def test_the_rows_speak_of_every_kind_of_fault() -> None:
    assert {case.kind for case in CASES} == set(errors()["kinds"]) - {"size"}  # which needs another codec
    assert len(CASES) >= 200
    assert len(BYTES) >= 15
