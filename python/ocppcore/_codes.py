"""The codes of CALLERROR: every version's spelling understood, each version's own written."""

from __future__ import annotations

from functools import cache

from . import _versions


def canonical_code(code: str) -> str:
    """The code by its 2.x name, from any version's spelling; a code that no version defines comes back as it is.

    1.6 says `FormationViolation` and `OccurenceConstraintViolation` where 2.x says `FormatViolation` and `OccurrenceConstraintViolation`,
    and peers of each version send the other's.
    """
    return _canonical().get(code, code)


def spell_code(code: str, version: str) -> str:
    """The code as the version ("1.6", "2.0.1", "2.1") writes it, from any spelling; a code that none defines comes back as it is."""
    code = canonical_code(code)
    spelling: dict[str, str] = _versions.errors()["spelling"]
    return spelling.get(code, code) if version == "1.6" else code


def own_answer(name: str, version: str) -> tuple[str, str]:
    """Wire code and description of an answer that a session gives by itself, "duplicate_id" say, as the version writes it."""
    answer = _versions.errors()["answers"][name]
    code = answer.get("code_16") if version == "1.6" else None
    return code or spell_code(answer["code"], version), answer["says"]


def known_codes() -> frozenset[str]:
    """Every spelling of every code that some version defines."""
    return frozenset(_canonical())


@cache
def _canonical() -> dict[str, str]:
    table = _versions.errors()
    names = {code: code for code in table["codes"]["2.0.1"]}
    # Two 2.x codes may share a 1.6 one: the first of them is its meaning, and a 1.6 code that 2.x has too means itself.
    for name, spelled in table["spelling"].items():
        names.setdefault(spelled, name)
    return names
